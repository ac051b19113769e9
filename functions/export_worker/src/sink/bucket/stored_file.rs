//! What S3 says of a finished file.

use aws_sdk_s3::operation::head_object::HeadObjectError;
use aws_sdk_s3::types::{ChecksumMode, ChecksumType};
use chrono::{DateTime, Utc};
use usage_export::error::AwsError;

use super::Bucket;

/// A finished file as S3 describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredFile {
    /// The size that S3 reports, in bytes.
    pub bytes: u64,
    /// The CRC-32 of the whole file in base64. `None` from an emulator that keeps only the checksums of
    /// parts.
    pub crc32: Option<String>,
    /// By what S3 tells this file from any other under its key.
    pub etag: String,
    /// From when on S3's lifecycle rules count its days, to the second: not when the file was completed, but when its multipart
    /// upload began.
    /// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html>
    pub created_ts: Option<DateTime<Utc>>,
}

impl Bucket {
    /// The file with this key; `None` if there is none.
    ///
    /// # Errors
    ///
    /// S3 refuses or cannot be reached.
    pub async fn stored_file(&self, key: &str) -> Result<Option<StoredFile>, AwsError> {
        let sent = self
            .client
            .head_object()
            .bucket(&self.name)
            .key(key)
            .checksum_mode(ChecksumMode::Enabled)
            .send()
            .await;
        let head = match sent {
            Ok(head) => head,
            Err(error) if error.as_service_error().is_some_and(HeadObjectError::is_not_found) => {
                return Ok(None);
            }
            Err(error) => return Err(AwsError::from_sdk("s3:HeadObject")(error)),
        };
        let is_of_whole_file = head.checksum_type == Some(ChecksumType::FullObject);
        Ok(Some(StoredFile {
            bytes: head.content_length.and_then(|length| u64::try_from(length).ok()).unwrap_or_default(),
            crc32: head.checksum_crc32.filter(|_| is_of_whole_file),
            etag: head.e_tag.unwrap_or_default(),
            created_ts: head.last_modified.and_then(|time| DateTime::from_timestamp(time.secs(), 0)),
        }))
    }
}
