//! The file of a completed export for its owner: its bytes, or a URL to S3 that is valid for minutes.

use std::time::Duration;

use aws_sdk_s3::Client as S3;
use aws_sdk_s3::error::SdkError;
use aws_sdk_s3::operation::get_object::GetObjectError;
use aws_sdk_s3::operation::head_object::{HeadObjectError, HeadObjectOutput};
use aws_sdk_s3::presigning::PresigningConfig;
use aws_sdk_s3::types::{ChecksumMode, ChecksumType};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use http::StatusCode;

use super::{DataExport, checksum_text};
use crate::error::AwsError;
use crate::problem::{Problem, RequestError};

/// How long a presigned URL is valid: enough to follow a redirect. It is signed at the click, and never stored or mailed.
const URL_LIFE: Duration = Duration::from_mins(5);

/// The media type of the file.
pub const CONTENT_TYPE: &str = "text/csv; charset=utf-8";

/// Reads files of exports from their S3 bucket.
#[derive(Debug, Clone)]
pub struct ExportFiles {
    /// Signs URLs and reads files. Its credentials may read the bucket.
    pub s3: S3,
    /// The name of the bucket.
    pub bucket: String,
}

impl ExportFiles {
    /// Reads the whole file into memory. Ask for small files only, by [`DataExport::size_bytes`].
    ///
    /// # Errors
    ///
    /// 404 once the file has expired, by its date or because S3 has deleted it. An internal error if S3 cannot be read, or
    /// if the file is not the one that the worker wrote, by its size and checksum: no file is better than another one.
    pub async fn read(&self, export: &DataExport, now: DateTime<Utc>) -> Result<Vec<u8>, RequestError> {
        refuse_expired(export, now)?;
        let sent = self.s3.get_object().bucket(&self.bucket).key(export.object_key()).send().await;
        let object = match sent {
            Ok(object) => object,
            Err(error) if error.as_service_error().is_some_and(GetObjectError::is_no_such_key) => {
                return Err(expired().into());
            }
            Err(error) => return Err(AwsError::from_sdk("s3:GetObject")(error).into()),
        };
        let file = object
            .body
            .collect()
            .await
            .map_err(|error| AwsError::broken_answer("s3:GetObject", &error))?
            .to_vec();
        let stored = StoredObject {
            bytes: u64::try_from(file.len()).ok(),
            checksum: Some(checksum_text(crc32fast::hash(&file))),
            etag: object.e_tag,
        };
        stored.must_be_of(export)?;
        Ok(file)
    }

    /// Signs a URL that downloads the file for five minutes, for a caller who has just been authorized.
    ///
    /// The file is compared with what the worker wrote right before. A URL cannot be bound to it: `If-Match` is a header, which
    /// a browser that follows a redirect does not send, and the bucket keeps one version of a key. So a file that is replaced
    /// within those five minutes would be served; the product itself never writes a file twice.
    ///
    /// # Errors
    ///
    /// As for [`ExportFiles::read`]; a URL of a file that is gone would show the caller an error of S3 in XML.
    pub async fn presign(&self, export: &DataExport, now: DateTime<Utc>) -> Result<String, RequestError> {
        refuse_expired(export, now)?;
        let key = export.object_key();
        let head = self.s3.head_object().bucket(&self.bucket).key(&key).checksum_mode(ChecksumMode::Enabled);
        match head.send().await {
            Ok(head) => StoredObject::of(head).must_be_of(export)?,
            Err(error) if is_missing(&error) => return Err(expired().into()),
            Err(error) => return Err(AwsError::from_sdk("s3:HeadObject")(error).into()),
        }
        let config = PresigningConfig::expires_in(URL_LIFE)
            .map_err(|error| AwsError::internal("presigning", &error))?;
        let presigned = self
            .s3
            .get_object()
            .bucket(&self.bucket)
            .key(key)
            .response_content_type(CONTENT_TYPE)
            .response_content_disposition(content_disposition(export))
            .presigned(config)
            .await
            .map_err(AwsError::from_sdk("s3:GetObject (presign)"))?;
        Ok(presigned.uri().to_owned())
    }
}

/// An object as S3 describes it.
struct StoredObject {
    bytes: Option<u64>,
    /// In the form of [`DataExport::checksum`]. `None` if S3 knows only checksums of parts.
    checksum: Option<String>,
    etag: Option<String>,
}

impl StoredObject {
    fn of(head: HeadObjectOutput) -> Self {
        let is_of_whole_object = head.checksum_type == Some(ChecksumType::FullObject);
        Self {
            bytes: head.content_length.and_then(|length| u64::try_from(length).ok()),
            checksum: head.checksum_crc32.filter(|_| is_of_whole_object).as_deref().and_then(from_base64),
            etag: head.e_tag,
        }
    }

    /// Compares it with the file that the worker wrote.
    ///
    /// # Errors
    ///
    /// It is another one: its size differs or its checksum, or its `ETag` if S3 has no checksum.
    fn must_be_of(&self, export: &DataExport) -> Result<(), AwsError> {
        let is_same = match &self.checksum {
            Some(_) => self.checksum == export.checksum,
            None => self.etag.is_some() && self.etag == export.etag,
        };
        if is_same && self.bytes == export.size_bytes {
            return Ok(());
        }
        let Self { bytes, checksum, etag } = self;
        let reason = format!(
            "{bytes:?} bytes, {checksum:?}, ETag {etag:?} instead of {:?}, {:?}, {:?}",
            export.size_bytes, export.checksum, export.etag
        );
        Err(AwsError::corrupt(format!("file of {}", export.data_export_id), reason))
    }
}

/// Reads a CRC-32 in the form of S3's API: big-endian, in base64.
fn from_base64(crc32: &str) -> Option<String> {
    let bytes = STANDARD.decode(crc32).ok()?;
    Some(checksum_text(u32::from_be_bytes(bytes.try_into().ok()?)))
}

/// The `Content-Disposition` that makes a browser save the file, and under which name.
pub fn content_disposition(export: &DataExport) -> String {
    format!("attachment; filename=\"{}\"", export.file_name())
}

fn is_missing<R>(error: &SdkError<HeadObjectError, R>) -> bool {
    error.as_service_error().is_some_and(HeadObjectError::is_not_found)
}

fn refuse_expired(export: &DataExport, now: DateTime<Utc>) -> Result<(), Problem> {
    if export.is_expired(now) { Err(expired()) } else { Ok(()) }
}

fn expired() -> Problem {
    Problem::new(
        StatusCode::NOT_FOUND,
        "The file of this export has expired. Start a new export for the same dates.",
    )
}
