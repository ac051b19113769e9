//! What the bucket holds: objects, and uploads that are neither completed nor aborted.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Instant;

use hyper::StatusCode;

use super::object::Object;

/// S3 wants as many bytes in every part but the last.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html>
const MIN_PART_BYTES: u64 = 5 * 1024 * 1024;

/// An error as S3 answers it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct S3Error {
    /// Status of the answer.
    pub status: StatusCode,
    /// Its code.
    pub code: &'static str,
}

impl std::error::Error for S3Error {}

impl fmt::Display for S3Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.code)
    }
}

impl S3Error {
    /// There is no such object.
    pub const NO_SUCH_KEY: Self = Self::new(StatusCode::NOT_FOUND, "NoSuchKey");
    /// The upload was completed or aborted, or never begun.
    pub const NO_SUCH_UPLOAD: Self = Self::new(StatusCode::NOT_FOUND, "NoSuchUpload");
    /// A part that is to be joined was not sent like that.
    pub const INVALID_PART: Self = Self::new(StatusCode::BAD_REQUEST, "InvalidPart");
    /// The parts that are to be joined are not listed by their numbers.
    pub const INVALID_PART_ORDER: Self = Self::new(StatusCode::BAD_REQUEST, "InvalidPartOrder");
    /// A part that is not the last one is too small.
    pub const ENTITY_TOO_SMALL: Self = Self::new(StatusCode::BAD_REQUEST, "EntityTooSmall");
    /// The range lies outside the object.
    pub const INVALID_RANGE: Self = Self::new(StatusCode::RANGE_NOT_SATISFIABLE, "InvalidRange");
    /// The object is there already, but must not be.
    pub const PRECONDITION_FAILED: Self = Self::new(StatusCode::PRECONDITION_FAILED, "PreconditionFailed");
    /// The bytes have another checksum than the request says.
    pub const BAD_DIGEST: Self = Self::new(StatusCode::BAD_REQUEST, "BadDigest");

    const fn new(status: StatusCode, code: &'static str) -> Self {
        Self { status, code }
    }
}

/// An upload that is neither completed nor aborted.
#[derive(Debug)]
pub struct Upload {
    /// Key of the object that it becomes.
    pub key: String,
    /// Its parts by their numbers.
    pub parts: BTreeMap<u32, Object>,
}

/// Objects and uploads.
#[derive(Debug, Default)]
pub struct Store {
    /// Objects by their keys.
    pub objects: BTreeMap<String, Object>,
    /// Uploads by their ids.
    pub uploads: BTreeMap<String, Upload>,
    begun: u64,
}

impl Store {
    /// Begins an upload and returns its id.
    pub fn begin(&mut self, key: &str) -> String {
        self.begun += 1;
        let id = format!("upload-{}", self.begun);
        self.uploads.insert(id.clone(), Upload { key: key.to_owned(), parts: BTreeMap::new() });
        id
    }

    /// The object with this key.
    ///
    /// # Errors
    ///
    /// There is none.
    pub fn object(&self, key: &str) -> Result<&Object, S3Error> {
        self.objects.get(key).ok_or(S3Error::NO_SUCH_KEY)
    }

    /// The upload with this key and id.
    ///
    /// # Errors
    ///
    /// There is none.
    pub fn upload(&mut self, key: &str, id: &str) -> Result<&mut Upload, S3Error> {
        self.uploads.get_mut(id).filter(|upload| upload.key == key).ok_or(S3Error::NO_SUCH_UPLOAD)
    }

    /// Makes an object of the parts with these numbers and `ETag`s, and returns it.
    ///
    /// # Errors
    ///
    /// There is no such upload or no such part, or S3 would not join them.
    pub fn complete(
        &mut self,
        key: &str,
        id: &str,
        listed: &[(u32, String)],
        now: Instant,
    ) -> Result<Object, S3Error> {
        let upload = self.upload(key, id)?;
        let mut parts = Vec::new();
        for (number, etag) in listed {
            let part = upload.parts.get(number).filter(|part| part.etag() == *etag);
            parts.push(part.ok_or(S3Error::INVALID_PART)?);
        }
        let Some((_, all_but_last)) = parts.split_last() else { return Err(S3Error::INVALID_PART) };
        if !listed.is_sorted_by(|one, next| one.0 < next.0) {
            return Err(S3Error::INVALID_PART_ORDER);
        }
        if all_but_last.iter().any(|part| part.bytes < MIN_PART_BYTES) {
            return Err(S3Error::ENTITY_TOO_SMALL);
        }
        let object = Object::joined(parts.into_iter(), now);
        self.uploads.remove(id);
        self.objects.insert(key.to_owned(), object.clone());
        Ok(object)
    }
}
