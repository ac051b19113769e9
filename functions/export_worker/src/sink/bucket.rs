//! The bucket of the files.

use aws_sdk_s3::Client;
use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::operation::head_object::HeadObjectError;
use aws_sdk_s3::types::{ChecksumAlgorithm, ChecksumMode, ChecksumType};
use chrono::{DateTime, Utc};
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
    /// By what S3 tells this file from any other under its key.
    pub etag: String,
    /// From when on S3's lifecycle rules count its days, to the second: not when the file was completed, but when its multipart
    /// upload began.
    /// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html>
    pub created_ts: Option<DateTime<Utc>>,
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

    /// The multipart uploads below this prefix that are neither completed nor aborted: key and upload id.
    ///
    /// # Errors
    ///
    /// S3 refuses or cannot be reached.
    pub async fn open_uploads(&self, prefix: &str) -> Result<Vec<(String, String)>, AwsError> {
        let listed = self
            .client
            .list_multipart_uploads()
            .bucket(&self.name)
            .prefix(prefix)
            .send()
            .await
            .map_err(AwsError::from_sdk("s3:ListMultipartUploads"))?;
        let of_export = |key: &str| key.starts_with(prefix);
        let uploads = listed.uploads.unwrap_or_default().into_iter();
        Ok(uploads
            .filter_map(|upload| Some((upload.key.filter(|key| of_export(key))?, upload.upload_id?)))
            .collect())
    }

    /// Aborts an upload, so that its parts cost nothing. An upload that is gone is no error.
    ///
    /// # Errors
    ///
    /// S3 refuses or cannot be reached.
    pub async fn abort_upload(&self, key: &str, upload_id: &str) -> Result<(), AwsError> {
        let aborted = self
            .client
            .abort_multipart_upload()
            .bucket(&self.name)
            .key(key)
            .upload_id(upload_id)
            .send()
            .await;
        match aborted {
            Err(error) if error.code() != Some("NoSuchUpload") => {
                Err(AwsError::from_sdk("s3:AbortMultipartUpload")(error))
            }
            _ => Ok(()),
        }
    }

    /// The keys of the objects below this prefix.
    ///
    /// # Errors
    ///
    /// S3 refuses or cannot be reached.
    pub async fn keys(&self, prefix: &str) -> Result<Vec<String>, AwsError> {
        let listed = self.client.list_objects_v2().bucket(&self.name).prefix(prefix).into_paginator().send();
        let pages: Vec<_> = listed.try_collect().await.map_err(AwsError::from_sdk("s3:ListObjectsV2"))?;
        let objects = pages.into_iter().flat_map(|page| page.contents.unwrap_or_default());
        Ok(objects.filter_map(|object| object.key).collect())
    }

    /// Deletes an object. One that is gone is no error.
    ///
    /// # Errors
    ///
    /// S3 refuses or cannot be reached.
    pub async fn delete(&self, key: &str) -> Result<(), AwsError> {
        let deleted = self.client.delete_object().bucket(&self.name).key(key).send().await;
        deleted.map_err(AwsError::from_sdk("s3:DeleteObject"))?;
        Ok(())
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
            etag: head.e_tag.unwrap_or_default(),
            created_ts: head.last_modified.and_then(|time| DateTime::from_timestamp(time.secs(), 0)),
        }))
    }
}
