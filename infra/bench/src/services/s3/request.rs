//! Reads requests to the bucket.

use std::borrow::Cow;
use std::ops::Range;
use std::time::Instant;

use anyhow::{Context, Result};
use bytes::Bytes;
use hyper::http::request::Parts;

use super::chunks;
use super::object::Object;
use super::store::S3Error;

/// The head of a request to the bucket.
pub struct Request<'a> {
    head: &'a Parts,
    /// Key of the object; empty if the bucket is meant.
    pub key: String,
    parameters: Vec<(Cow<'a, str>, Cow<'a, str>)>,
}

impl<'a> Request<'a> {
    /// Reads the head of a request whose path begins with `/<bucket>`.
    pub fn new(head: &'a Parts, bucket: &str) -> Self {
        let path = head.uri.path().trim_start_matches('/');
        let key = path.strip_prefix(bucket).unwrap_or(path).trim_start_matches('/');
        let query = head.uri.query().unwrap_or("");
        Self { head, key: decoded(key), parameters: form_urlencoded::parse(query.as_bytes()).collect() }
    }

    /// Whether the query has this parameter, with or without a value.
    pub fn has(&self, name: &str) -> bool {
        self.parameter(name).is_some()
    }

    /// The value of a parameter of the query.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(found, _)| found == name).map(|(_, value)| &**value)
    }

    /// The value of a parameter that is a number.
    pub fn number(&self, name: &str) -> Option<u32> {
        self.parameter(name)?.parse().ok()
    }

    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The bytes of the body.
    ///
    /// # Errors
    ///
    /// Fails if the body is cut off, or has another CRC-32 than the request gives for it.
    pub fn content(&self, body: Bytes, now: Instant) -> Result<Object> {
        let is_chunked = self.header("content-encoding").is_some_and(|name| name.contains("aws-chunked"));
        let (body, trailer) = if is_chunked { chunks::decode(&body)? } else { (body, None) };
        let object = Object::new(body, now);
        let checksum = self.header("x-amz-checksum-crc32").map(str::to_owned).or(trailer);
        let is_right = checksum.is_none_or(|checksum| checksum == object.checksum());
        if is_right { Ok(object) } else { Err(S3Error::BAD_DIGEST.into()) }
    }
}

/// The key of an object that is copied within the bucket, from the header `x-amz-copy-source`.
///
/// # Errors
///
/// Fails if it is in another bucket.
pub fn copied_key(source: &str, bucket: &str) -> Result<String> {
    let source = decoded(source.trim_start_matches('/'));
    let key = source.strip_prefix(bucket).and_then(|rest| rest.strip_prefix('/'));
    Ok(key.with_context(|| format!("{source} is in another bucket"))?.to_owned())
}

fn decoded(text: &str) -> String {
    // A path is no form: its plus signs are no spaces.
    let text = text.replace('+', "%2B");
    form_urlencoded::parse(text.as_bytes()).next().map(|(name, _)| name.into_owned()).unwrap_or_default()
}

/// Reads `bytes=0-99`, which is the first hundred of `length` bytes.
///
/// # Errors
///
/// The range is of another form, or begins behind the end.
pub fn range(text: &str, length: u64) -> Result<Range<u64>, S3Error> {
    let bounds = text.strip_prefix("bytes=").and_then(|bounds| bounds.split_once('-'));
    let (first, last) = bounds.ok_or(S3Error::INVALID_RANGE)?;
    let first: u64 = first.parse().map_err(|_| S3Error::INVALID_RANGE)?;
    let end = if last.is_empty() { Ok(length) } else { last.parse::<u64>().map(|last| length.min(last + 1)) };
    let end = end.map_err(|_| S3Error::INVALID_RANGE)?;
    if first < end { Ok(first..end) } else { Err(S3Error::INVALID_RANGE) }
}
