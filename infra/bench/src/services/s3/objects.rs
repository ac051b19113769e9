//! Operations on objects.

use std::fmt::Write as _;
use std::time::Instant;

use anyhow::Result;
use bytes::Bytes;
use hyper::{Method, Response, StatusCode};

use super::request::{Request, range};
use super::store::S3Error;
use super::xml::{document, elements};
use super::{Bucket, described};
use crate::services::answer::{Answer, whole};

impl Bucket {
    pub(super) fn put(&self, request: &Request<'_>, body: Bytes, now: Instant) -> Result<Answer> {
        let object = request.content(body, now)?;
        let mut store = self.lock();
        if request.header("if-none-match") == Some("*") && store.objects.contains_key(&request.key) {
            return Err(S3Error::PRECONDITION_FAILED.into());
        }
        let answer = described(&object);
        store.objects.insert(request.key.clone(), object);
        answer
    }

    /// Answers `GetObject` and `HeadObject`.
    pub(super) fn get(&self, method: &Method, request: &Request<'_>, now: Instant) -> Result<Answer> {
        let object = self.lock().object(&request.key)?.clone();
        let answer = Response::builder().header("etag", object.etag());
        if let Some(wanted) = request.header("range") {
            let wanted = range(wanted, object.bytes)?;
            let place = format!("bytes {}-{}/{}", wanted.start, wanted.end - 1, object.bytes);
            let answer = answer.status(StatusCode::PARTIAL_CONTENT).header("content-range", place);
            return Ok(answer.body(whole(object.slice(wanted, now).to_bytes()))?);
        }
        let answer = answer
            .header("content-length", object.bytes)
            .header("x-amz-checksum-crc32", object.checksum())
            .header("x-amz-checksum-type", "FULL_OBJECT");
        let is_head = *method == Method::HEAD;
        Ok(answer.body(whole(if is_head { Bytes::new() } else { object.to_bytes() }))?)
    }

    pub(super) fn delete(&self, key: &str) -> Result<Answer> {
        self.lock().objects.remove(key);
        Ok(Response::builder().status(StatusCode::NO_CONTENT).body(whole(""))?)
    }

    pub(super) fn delete_objects(&self, body: &[u8]) -> Result<Answer> {
        let mut store = self.lock();
        for key in elements(std::str::from_utf8(body)?, "Key") {
            store.objects.remove(key);
        }
        document(StatusCode::OK, "DeleteResult", "")
    }

    pub(super) fn list_objects(&self, prefix: &str) -> Result<Answer> {
        let mut content = "<IsTruncated>false</IsTruncated>".to_owned();
        for (key, object) in &self.lock().objects {
            if key.starts_with(prefix) {
                let size = object.bytes;
                let _ = write!(content, "<Contents><Key>{key}</Key><Size>{size}</Size></Contents>");
            }
        }
        document(StatusCode::OK, "ListBucketResult", &content)
    }
}
