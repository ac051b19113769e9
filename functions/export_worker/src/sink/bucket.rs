//! The bucket of the files.

use aws_sdk_s3::Client;
use aws_sdk_s3::operation::head_object::HeadObjectError;
use aws_sdk_s3::types::{ChecksumAlgorithm, ChecksumMode, ChecksumType};
use usage_export::error::AwsError;

/// The bucket that the files are written to.
#[derive(Debug, Clone)]
pub struct Bucket {
    /// The client of S3 that every call goes through.
    pub client: Client,
    /// The name of the bucket in S3.
    pub name: String,
}

/// A finished file as S3 describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredFile {
    /// The size that S3 reports, in bytes.
    pub bytes: u64,
    /// The CRC-32 of the whole file in base64. `None` from an emulator that keeps only the checksums of
    /// parts.
    pub crc32: Option<String>,
}

impl Bucket {
    /// Starts a multipart upload of a CSV file and returns its upload id.
    ///
    /// # Errors
    ///
    /// S3 refuses or cannot be reached.
    pub async fn create_upload(&self, key: &str) -> Result<String, AwsError> {
        let output = self
            .client
            .create_multipart_upload()
            .bucket(&self.name)
            .key(key)
            .content_type("text/csv; charset=utf-8")
            .checksum_algorithm(ChecksumAlgorithm::Crc32)
            .checksum_type(ChecksumType::FullObject)
            .send()
            .await
            .map_err(AwsError::from_sdk("s3:CreateMultipartUpload"))?;
        output.upload_id.ok_or_else(|| AwsError::unexpected(key, "S3 gave no upload id"))
    }

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
        }))
    }
}
