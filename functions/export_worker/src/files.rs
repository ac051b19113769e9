//! The bucket of the files: where a file begins, and what S3 has of it in the end.

use aws_sdk_s3::Client;
use aws_sdk_s3::operation::head_object::HeadObjectError;
use aws_sdk_s3::types::{ChecksumAlgorithm, ChecksumMode, ChecksumType};
use usage_export::error::AwsError;

use crate::upload::Upload;

/// The bucket of the files.
#[derive(Debug, Clone)]
pub struct Files {
    /// The client.
    pub client: Client,
    /// The bucket.
    pub bucket: String,
}

impl Files {
    /// Starts a file.
    pub async fn begin(&self, key: &str) -> Result<Upload, AwsError> {
        let output = self
            .client
            .create_multipart_upload()
            .bucket(&self.bucket)
            .key(key)
            .content_type("text/csv; charset=utf-8")
            .checksum_algorithm(ChecksumAlgorithm::Crc32)
            .checksum_type(ChecksumType::FullObject)
            .send()
            .await
            .map_err(AwsError::from_sdk("s3:CreateMultipartUpload"))?;
        let upload_id = output.upload_id.ok_or_else(|| AwsError::unexpected(key, "S3 gave no upload id"))?;
        Ok(Upload::resume(self, key, &upload_id, 0, 0, 0))
    }

    /// The file as S3 has it, if it is there.
    pub(crate) async fn stored(&self, key: &str) -> Result<Option<Stored>, AwsError> {
        let sent = self
            .client
            .head_object()
            .bucket(&self.bucket)
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
        let of_whole_file = head.checksum_type == Some(ChecksumType::FullObject);
        Ok(Some(Stored {
            bytes: head.content_length.and_then(|length| u64::try_from(length).ok()).unwrap_or_default(),
            crc32: head.checksum_crc32.filter(|_| of_whole_file),
        }))
    }
}

/// A finished file, in S3's own words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stored {
    /// Its size.
    pub(crate) bytes: u64,
    /// CRC-32 of the whole file, in base64. Absent where S3 is emulated by something that only knows those of parts.
    pub(crate) crc32: Option<String>,
}
