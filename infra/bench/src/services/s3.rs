//! The bucket of the files: takes multipart uploads into memory and compares each file with the one that must come out.
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html>

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::{Context, Result, bail, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::{Bytes, BytesMut};
use http_body_util::Full;
use hyper::Response;
use hyper::http::request::Parts;
use hyper::{Method, StatusCode};

use super::Answer;

const UPLOAD_ID: &str = "upload";

/// The file of the last upload.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stored {
    /// Size in bytes.
    pub bytes: u64,
    /// Its CRC-32.
    pub crc32: u32,
    /// Whether it equals the file that must come out, byte by byte.
    pub is_expected: bool,
}

/// Takes one upload at a time.
#[derive(Debug)]
pub struct Bucket {
    /// The file that must come out.
    expected: Bytes,
    parts: Mutex<BTreeMap<u32, Bytes>>,
    stored: Mutex<Option<Stored>>,
}

impl Bucket {
    /// An empty bucket for exports from which the `expected` file must come out.
    pub fn new(expected: Bytes) -> Self {
        Self { expected, parts: Mutex::default(), stored: Mutex::default() }
    }

    /// Empties the bucket and returns the file of the last completed upload.
    pub fn take(&self) -> Option<Stored> {
        self.lock_parts().clear();
        self.lock_stored().take()
    }

    fn lock_parts(&self) -> MutexGuard<'_, BTreeMap<u32, Bytes>> {
        self.parts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock_stored(&self) -> MutexGuard<'_, Option<Stored>> {
        self.stored.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers a request to the bucket.
    ///
    /// # Errors
    ///
    /// Fails if the operation is not implemented here, or the checksum of a part is not that of its bytes.
    pub fn answer(&self, head: &Parts, body: Bytes) -> Result<Answer> {
        let query = head.uri.query().unwrap_or("");
        let part = query.split('&').find_map(|pair| pair.strip_prefix("partNumber="));
        match (&head.method, part) {
            (&Method::POST, _) if query.contains("uploads") => {
                self.lock_parts().clear();
                xml(&format!(
                    "<InitiateMultipartUploadResult><UploadId>{UPLOAD_ID}</UploadId></InitiateMultipartUploadResult>"
                ))
            }
            (&Method::PUT, Some(part)) => self.put(part.parse()?, head, body),
            (&Method::GET, _) if query.contains("uploadId=") => self.list(),
            // The plan and the manifests, which nobody reads again, and what is left behind, which is nothing.
            (&Method::PUT, None) => {
                Ok(Response::builder().header("etag", "\"side object\"").body(Full::default())?)
            }
            (&Method::GET, _) if query.contains("uploads") => xml("<ListMultipartUploadsResult/>"),
            (&Method::GET, _) if query.contains("list-type=2") => xml("<ListBucketResult/>"),
            (&Method::POST, _) if query.contains("uploadId=") => self.complete(),
            (&Method::HEAD, _) => self.head(),
            (&Method::DELETE, _) => {
                Ok(Response::builder().status(StatusCode::NO_CONTENT).body(Full::default())?)
            }
            (method, _) => bail!("S3: {method} {} is not implemented", head.uri),
        }
    }

    fn put(&self, part: u32, head: &Parts, body: Bytes) -> Result<Answer> {
        let header = |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok());
        let chunked = header("content-encoding").is_some_and(|encoding| encoding.contains("aws-chunked"));
        let (body, trailer) = if chunked { decode_chunks(&body)? } else { (body, None) };
        let crc32 = base64_crc32(crc32fast::hash(&body));
        let checksum = header("x-amz-checksum-crc32").map(str::to_owned).or(trailer);
        ensure!(checksum.as_ref().is_none_or(|checksum| *checksum == crc32), "part {part} arrived changed");
        self.lock_parts().insert(part, body);
        Ok(Response::builder()
            .header("etag", format!("\"{part}\""))
            .header("x-amz-checksum-crc32", crc32)
            .body(Full::default())?)
    }

    fn list(&self) -> Result<Answer> {
        let mut text = "<ListPartsResult><IsTruncated>false</IsTruncated>".to_owned();
        for (part, body) in &*self.lock_parts() {
            let (size, crc32) = (body.len(), base64_crc32(crc32fast::hash(body)));
            let _ = write!(
                text,
                "<Part><PartNumber>{part}</PartNumber><ETag>\"{part}\"</ETag><Size>{size}</Size>\
                 <ChecksumCRC32>{crc32}</ChecksumCRC32></Part>"
            );
        }
        xml(&(text + "</ListPartsResult>"))
    }

    fn complete(&self) -> Result<Answer> {
        let parts = std::mem::take(&mut *self.lock_parts());
        let mut crc32 = crc32fast::Hasher::new();
        let (mut at, mut is_expected) = (0, true);
        for part in parts.values() {
            crc32.update(part);
            is_expected &= self.expected.get(at..at + part.len()).is_some_and(|expected| expected == part);
            at += part.len();
        }
        is_expected &= at == self.expected.len();
        let stored = Stored { bytes: at as u64, crc32: crc32.finalize(), is_expected };
        *self.lock_stored() = Some(stored);
        xml("<CompleteMultipartUploadResult><ETag>\"file\"</ETag></CompleteMultipartUploadResult>")
    }

    fn head(&self) -> Result<Answer> {
        let Some(stored) = *self.lock_stored() else {
            return Ok(Response::builder().status(StatusCode::NOT_FOUND).body(Full::default())?);
        };
        Ok(Response::builder()
            .header("content-length", stored.bytes)
            .header("x-amz-checksum-crc32", base64_crc32(stored.crc32))
            .header("x-amz-checksum-type", "FULL_OBJECT")
            .body(Full::default())?)
    }
}

fn xml(text: &str) -> Result<Answer> {
    let text = format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{text}");
    Ok(Response::builder().header("content-type", "application/xml").body(Full::from(text))?)
}

fn base64_crc32(crc32: u32) -> String {
    STANDARD.encode(crc32.to_be_bytes())
}

/// Decodes an aws-chunked body. Returns the bytes of its chunks, and the checksum in its trailer if it has one.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html>
fn decode_chunks(mut body: &[u8]) -> Result<(Bytes, Option<String>)> {
    let mut plain = BytesMut::new();
    loop {
        let line = take_line(&mut body).context("a chunk has no length")?;
        let length = line.split(';').next().unwrap_or("");
        let length =
            usize::from_str_radix(length, 16).with_context(|| format!("{length:?} is not a length"))?;
        if length == 0 {
            break;
        }
        plain.extend_from_slice(body.get(..length).context("a chunk is cut off")?);
        body = body.get(length + 2..).context("a chunk is cut off")?;
    }
    let mut checksum = None;
    while let Some(line) = take_line(&mut body) {
        if let Some(value) = line.strip_prefix("x-amz-checksum-crc32:") {
            checksum = Some(value.trim().to_owned());
        }
    }
    Ok((plain.freeze(), checksum))
}

/// Takes the bytes up to the next line break off the body.
fn take_line(body: &mut &[u8]) -> Option<String> {
    let end = body.windows(2).position(|pair| pair == b"\r\n")?;
    let line = String::from_utf8_lossy(&body[..end]).into_owned();
    *body = &body[end + 2..];
    Some(line)
}
