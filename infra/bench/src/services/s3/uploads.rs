//! Operations on multipart uploads.

use std::fmt::Write as _;
use std::time::Instant;

use anyhow::{Context, Result};
use bytes::Bytes;
use hyper::{Response, StatusCode};

use super::request::{Request, copied_key, range};
use super::xml::{document, elements, tags};
use super::{Bucket, described};
use crate::services::answer::{Answer, whole};

/// How many parts one answer of `ListParts` has at most.
const MAX_LISTED_PARTS: u32 = 1000;

impl Bucket {
    pub(super) fn begin(&self, key: &str) -> Result<Answer> {
        let id = self.lock().begin(key);
        let content = format!("<Key>{key}</Key><UploadId>{id}</UploadId>");
        document(StatusCode::OK, "InitiateMultipartUploadResult", &content)
    }

    pub(super) fn put_part(
        &self,
        request: &Request<'_>,
        id: &str,
        number: u32,
        body: Bytes,
        now: Instant,
    ) -> Result<Answer> {
        let part = request.content(body, now)?;
        self.lock().upload(&request.key, id)?.parts.insert(number, part.clone());
        described(&part)
    }

    pub(super) fn copy_part(
        &self,
        request: &Request<'_>,
        id: &str,
        number: u32,
        source: &str,
        now: Instant,
    ) -> Result<Answer> {
        let source = copied_key(source, &self.name)?;
        let object = self.lock().object(&source)?.clone();
        let wanted = request.header("x-amz-copy-source-range");
        let wanted = wanted.map_or(Ok(0..object.bytes), |wanted| range(wanted, object.bytes))?;
        let part = object.slice(wanted, now);
        let content = tags(&part);
        self.lock().upload(&request.key, id)?.parts.insert(number, part);
        document(StatusCode::OK, "CopyPartResult", &content)
    }

    pub(super) fn list_parts(&self, request: &Request<'_>, id: &str) -> Result<Answer> {
        let mut store = self.lock();
        let parts = &store.upload(&request.key, id)?.parts;
        let most = request.number("max-parts").unwrap_or(MAX_LISTED_PARTS).min(MAX_LISTED_PARTS);
        let mut last = request.number("part-number-marker").unwrap_or(0);
        let mut rest = parts.range(last + 1..);
        let mut content = String::new();
        for (number, part) in rest.by_ref().take(most as usize) {
            let (tags, size) = (tags(part), part.bytes);
            let _ =
                write!(content, "<Part><PartNumber>{number}</PartNumber>{tags}<Size>{size}</Size></Part>");
            last = *number;
        }
        let is_truncated = rest.next().is_some();
        let _ = write!(
            content,
            "<IsTruncated>{is_truncated}</IsTruncated><NextPartNumberMarker>{last}</NextPartNumberMarker>"
        );
        document(StatusCode::OK, "ListPartsResult", &content)
    }

    pub(super) fn complete(
        &self,
        request: &Request<'_>,
        id: &str,
        body: &[u8],
        now: Instant,
    ) -> Result<Answer> {
        let mut listed = Vec::new();
        for part in elements(std::str::from_utf8(body)?, "Part") {
            let number = elements(part, "PartNumber").next().context("a part has no number")?.parse()?;
            let etag = elements(part, "ETag").next().context("a part has no ETag")?;
            listed.push((number, etag.replace("&quot;", "\"")));
        }
        let object = self.lock().complete(&request.key, id, &listed, now)?;
        let content = tags(&object) + "<ChecksumType>FULL_OBJECT</ChecksumType>";
        document(StatusCode::OK, "CompleteMultipartUploadResult", &content)
    }

    pub(super) fn abort(&self, key: &str, id: &str) -> Result<Answer> {
        let mut store = self.lock();
        store.upload(key, id)?;
        store.uploads.remove(id);
        Ok(Response::builder().status(StatusCode::NO_CONTENT).body(whole(""))?)
    }

    pub(super) fn list_uploads(&self, prefix: &str) -> Result<Answer> {
        let mut content = "<IsTruncated>false</IsTruncated>".to_owned();
        for (id, upload) in &self.lock().uploads {
            if upload.key.starts_with(prefix) {
                let key = &upload.key;
                let _ = write!(content, "<Upload><Key>{key}</Key><UploadId>{id}</UploadId></Upload>");
            }
        }
        document(StatusCode::OK, "ListMultipartUploadsResult", &content)
    }
}
