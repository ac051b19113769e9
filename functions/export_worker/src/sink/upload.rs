//! The multipart upload of a file: one part is in flight while the next is filled. In the end S3 has the whole file or none.

use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::types::{ChecksumAlgorithm, ChecksumType, CompletedMultipartUpload, CompletedPart};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::task::JoinHandle;
use usage_export::error::AwsError;

use crate::sink::bucket::Bucket;
use crate::sink::part::Part;

/// A part is sent once it has this many bytes. S3 wants at least 5 MiB in each part but the last, and takes at most 10,000
/// parts, so that a file can have some 80 GB.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html>
pub const MIN_PART_BYTES: usize = 8 * 1024 * 1024;

/// How many parts one answer of `ListParts` has at most.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListParts.html>
const MAX_LISTED_PARTS: i32 = 1000;

/// Why there is no finished file.
#[derive(Debug, thiserror::Error)]
pub enum UploadError {
    /// What S3 has is not what was written.
    #[error("{0}")]
    IntegrityMismatch(String),
    /// A call failed.
    #[error(transparent)]
    Aws(#[from] AwsError),
}

/// A file that is being written.
pub struct Upload {
    bucket: Bucket,
    key: String,
    id: String,
    /// How many parts were sent, the one in flight included.
    parts: i32,
    bytes: u64,
    crc32: crc32fast::Hasher,
    in_flight: Option<(Part, JoinHandle<Result<(), AwsError>>)>,
}

impl Upload {
    /// Starts the upload of a new file.
    ///
    /// # Errors
    ///
    /// S3 refuses or cannot be reached.
    pub async fn begin(bucket: &Bucket, key: &str) -> Result<Self, AwsError> {
        let upload_id = bucket.create_upload(key).await?;
        Ok(Self::resume(bucket, key, &upload_id, 0, 0, 0))
    }

    /// Continues an upload after `parts` parts, which have `bytes` bytes and this CRC-32.
    pub fn resume(bucket: &Bucket, key: &str, upload_id: &str, parts: i32, bytes: u64, crc32: u32) -> Self {
        Self {
            bucket: bucket.clone(),
            key: key.to_owned(),
            id: upload_id.to_owned(),
            parts,
            bytes,
            crc32: crc32fast::Hasher::new_with_initial_len(crc32, bytes),
            in_flight: None,
        }
    }

    /// The id under which S3 knows the upload.
    pub fn upload_id(&self) -> &str {
        &self.id
    }

    /// How many parts were sent, the one in flight included.
    pub fn parts(&self) -> i32 {
        self.parts
    }

    /// How many bytes those parts have.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The CRC-32 of those parts.
    pub fn crc32(&self) -> u32 {
        self.crc32.clone().finalize()
    }

    /// Sends a part. Call [`Upload::finish_in_flight`] before, because only one part is in flight at a time.
    pub fn send_part(&mut self, part: Part) {
        self.parts += 1;
        self.bytes += part.len() as u64;
        self.crc32.combine(part.crc32());
        let crc32 = base64_crc32(part.crc32().clone().finalize());
        let request = self
            .bucket
            .client
            .upload_part()
            .bucket(&self.bucket.name)
            .key(&self.key)
            .upload_id(&self.id)
            .part_number(self.parts)
            .checksum_algorithm(ChecksumAlgorithm::Crc32)
            .checksum_crc32(crc32)
            .body(part.clone().into())
            .customize()
            // The SHA-256 of the signature would cost more CPU than writing the rows; S3 compares the CRC-32.
            .disable_payload_signing();
        let sending = tokio::spawn(async move {
            request.send().await.map_err(AwsError::from_sdk("s3:UploadPart"))?;
            Ok(())
        });
        self.in_flight = Some((part, sending));
    }

    /// Waits until the part in flight has arrived, and returns it.
    ///
    /// # Errors
    ///
    /// The part could not be uploaded.
    pub async fn finish_in_flight(&mut self) -> Result<Option<Part>, AwsError> {
        let Some((part, sending)) = self.in_flight.take() else { return Ok(None) };
        sending.await.map_err(AwsError::from_join("part of an upload"))??;
        Ok(Some(part))
    }

    /// Completes the upload and compares the file that S3 then has with what was written. It is idempotent.
    ///
    /// # Errors
    ///
    /// [`UploadError::IntegrityMismatch`] if the file has another size or another CRC-32, or is not there.
    pub async fn complete(mut self) -> Result<(), UploadError> {
        self.finish_in_flight().await?;
        // If S3 does not know the upload, a worker completed it and died right after that.
        if let Some(parts) = self.list_parts().await? {
            self.bucket
                .client
                .complete_multipart_upload()
                .bucket(&self.bucket.name)
                .key(&self.key)
                .upload_id(&self.id)
                .checksum_type(ChecksumType::FullObject)
                .mpu_object_size(i64::try_from(self.bytes).unwrap_or(i64::MAX))
                .multipart_upload(CompletedMultipartUpload::builder().set_parts(Some(parts)).build())
                .send()
                .await
                .map_err(AwsError::from_sdk("s3:CompleteMultipartUpload"))?;
        }
        let Some(stored) = self.bucket.stored_file(&self.key).await? else {
            return Err(UploadError::IntegrityMismatch("S3 has neither the upload nor the file".to_owned()));
        };
        let crc32 = base64_crc32(self.crc32());
        if stored.bytes != self.bytes || stored.crc32.as_ref().is_some_and(|stored| *stored != crc32) {
            return Err(UploadError::IntegrityMismatch(format!(
                "{} bytes, CRC-32 {crc32} were written; S3 has {stored:?}",
                self.bytes
            )));
        }
        Ok(())
    }

    /// The parts that S3 has; `None` if it does not know the upload.
    async fn list_parts(&self) -> Result<Option<Vec<CompletedPart>>, AwsError> {
        let mut pages = self
            .bucket
            .client
            .list_parts()
            .bucket(&self.bucket.name)
            .key(&self.key)
            .upload_id(&self.id)
            .into_paginator()
            .page_size(MAX_LISTED_PARTS)
            .items()
            .send();
        let mut parts = Vec::new();
        while let Some(part) = pages.next().await {
            let part = match part {
                Ok(part) => part,
                Err(error) if error.code() == Some("NoSuchUpload") => return Ok(None),
                Err(error) => return Err(AwsError::from_sdk("s3:ListParts")(error)),
            };
            parts.push(
                CompletedPart::builder()
                    .set_part_number(part.part_number)
                    .set_e_tag(part.e_tag)
                    .set_checksum_crc32(part.checksum_crc32)
                    .build(),
            );
        }
        // A former worker may have sent further parts and died before it saved a checkpoint. They are not part of the file.
        parts.retain(|part| part.part_number.is_some_and(|number| number <= self.parts));
        Ok(Some(parts))
    }

    /// Aborts the upload, so that its parts cost nothing. If that fails, the bucket's lifecycle rule does it later.
    pub async fn abort(&mut self) {
        let _ = self.finish_in_flight().await;
        let aborted = self
            .bucket
            .client
            .abort_multipart_upload()
            .bucket(&self.bucket.name)
            .key(&self.key)
            .upload_id(&self.id)
            .send()
            .await;
        if let Err(error) = aborted.map_err(AwsError::from_sdk("s3:AbortMultipartUpload")) {
            tracing::warn!(error = %error, "an upload is left to the lifecycle rule: {error}");
        }
    }
}

/// A CRC-32 in the form of S3's API: big-endian, in base64.
fn base64_crc32(crc32: u32) -> String {
    STANDARD.encode(crc32.to_be_bytes())
}
