//! The bucket of the files, in memory: objects, and multipart uploads with parts that are sent or copied.
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html>

mod chunks;
mod object;
mod objects;
mod request;
mod store;
#[cfg(test)]
mod tests;
mod uploads;
mod xml;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use anyhow::{Result, bail};
use bytes::Bytes;
use hyper::http::request::Parts;
use hyper::{Method, Response};

use self::object::Object;
use self::request::Request;
use self::store::{S3Error, Store};
use self::xml::document;
use super::answer::{Answer, whole};

/// A file in the bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stored {
    /// Size in bytes.
    pub bytes: u64,
    /// Its CRC-32.
    pub crc32: u32,
    /// Whether it equals the file that must come out, byte by byte.
    pub is_expected: bool,
    /// When it was completed.
    pub completed: Instant,
}

/// The bucket.
#[derive(Debug)]
pub struct Bucket {
    name: String,
    /// The file that must come out.
    expected: Bytes,
    store: Mutex<Store>,
}

impl Bucket {
    /// An empty bucket for exports from which the `expected` file must come out.
    pub fn new(name: &str, expected: Bytes) -> Self {
        Self { name: name.to_owned(), expected, store: Mutex::default() }
    }

    /// Empties the bucket and returns the file that it had under this key.
    pub fn take(&self, key: &str) -> Option<Stored> {
        let store = std::mem::take(&mut *self.lock());
        let file = store.objects.get(key)?;
        Some(Stored {
            bytes: file.bytes,
            crc32: file.crc32,
            is_expected: file.equals(&self.expected),
            completed: file.written,
        })
    }

    fn lock(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers a request to the bucket.
    ///
    /// # Errors
    ///
    /// Fails if the operation is not implemented here, or the request makes no sense.
    pub fn answer(&self, head: &Parts, body: Bytes, now: Instant) -> Result<Answer> {
        let request = Request::new(head, &self.name);
        self.operation(&head.method, &request, body, now).or_else(|error| {
            let S3Error { status, code } = error.downcast()?;
            if head.method == Method::HEAD {
                return Ok(Response::builder().status(status).body(whole(""))?);
            }
            document(status, "Error", &format!("<Code>{code}</Code><Message>{code}</Message>"))
        })
    }

    fn operation(&self, method: &Method, request: &Request<'_>, body: Bytes, now: Instant) -> Result<Answer> {
        let key = &request.key;
        let prefix = request.parameter("prefix").unwrap_or("");
        if let Some(id) = request.parameter("uploadId") {
            return match (method.as_str(), request.number("partNumber"), request.header("x-amz-copy-source"))
            {
                ("PUT", Some(number), None) => self.put_part(request, id, number, body, now),
                ("PUT", Some(number), Some(source)) => self.copy_part(request, id, number, source, now),
                ("GET", None, None) => self.list_parts(request, id),
                ("POST", None, None) => self.complete(request, id, &body, now),
                ("DELETE", None, None) => self.abort(key, id),
                (method, ..) => bail!("S3: {method} of an upload is not implemented"),
            };
        }
        match method.as_str() {
            "POST" if request.has("uploads") => self.begin(key),
            "POST" if request.has("delete") => self.delete_objects(&body),
            "GET" if request.has("uploads") => self.list_uploads(prefix),
            "GET" if request.has("list-type") => self.list_objects(prefix),
            "GET" | "HEAD" => self.get(method, request, now),
            "PUT" => self.put(request, body, now),
            "DELETE" => self.delete(key),
            method => bail!("S3: {method} {key} is not implemented"),
        }
    }
}

/// The answer to a request that has brought these bytes.
fn described(object: &Object) -> Result<Answer> {
    Ok(Response::builder()
        .header("etag", object.etag())
        .header("x-amz-checksum-crc32", object.checksum())
        .body(whole(""))?)
}
