//! The multipart upload of a file: one part is in flight while the next is filled. In the end S3 has the whole file or none.
//!
//! A worker that has lost its lease may still send a part. It has another number than every part of the file, as
//! [`PartNumbers`] explains, and is dropped when the upload is completed.

use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::types::{ChecksumAlgorithm, ChecksumType, CompletedMultipartUpload, CompletedPart};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio_util::task::AbortOnDropHandle;
use usage_export::error::AwsError;
use usage_export::export::{Checkpoint, PartNumbers};

use crate::sink::bucket::{Bucket, StoredFile};
use crate::sink::part::Part;

/// A part is sent once it has this many bytes. S3 wants at least 5 MiB in each part but the last.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html>
pub const MIN_PART_BYTES: usize = 8 * 1024 * 1024;

/// From this many parts on, parts are larger: S3 takes at most [`MAX_PART_NUMBER`] of them. So a file can have some 220 GB.
const LARGE_PARTS_FROM: u32 = 4_000;

/// The size of those parts. Two of them are in memory at a time.
const LARGE_PART_BYTES: usize = 4 * MIN_PART_BYTES;

/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html>
const MAX_PART_NUMBER: u32 = 10_000;

/// How many parts one answer of `ListParts` has at most.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListParts.html>
const MAX_LISTED_PARTS: i32 = 1000;

/// Why there is no finished file.
#[derive(Debug, thiserror::Error)]
pub enum UploadError {
    /// What S3 has is not what was written.
    #[error("{0}")]
    IntegrityMismatch(String),
    /// S3 takes no more parts.
    #[error("the file needs more than {MAX_PART_NUMBER} parts")]
    TooLarge,
    /// A call failed.
    #[error(transparent)]
    Aws(#[from] AwsError),
}

/// A file that is being written.
pub struct Upload {
    bucket: Bucket,
    key: String,
    id: String,
    /// The claim of the export under which parts are sent.
    epoch: u32,
    /// The parts that were sent, the one in flight included.
    parts: PartNumbers,
    bytes: u64,
    crc32: crc32fast::Hasher,
    in_flight: Option<(Part, AbortOnDropHandle<Result<(), AwsError>>)>,
}

impl Upload {
    /// Starts the upload of a new file.
    ///
    /// # Errors
    ///
    /// S3 refuses or cannot be reached.
    pub async fn begin(bucket: &Bucket, key: &str, epoch: u32) -> Result<Self, AwsError> {
        let id = bucket.create_upload(key).await?;
        Ok(Self {
            bucket: bucket.clone(),
            key: key.to_owned(),
            id,
            epoch,
            parts: PartNumbers::default(),
            bytes: 0,
            crc32: crc32fast::Hasher::new(),
            in_flight: None,
        })
    }

    /// Continues the upload of a checkpoint in another epoch.
    pub fn resume(bucket: &Bucket, key: &str, epoch: u32, checkpoint: &Checkpoint) -> Self {
        let bytes = checkpoint.counts.bytes - checkpoint.tail.as_ref().map_or(0, |tail| tail.bytes);
        Self {
            bucket: bucket.clone(),
            key: key.to_owned(),
            id: checkpoint.upload_id.clone(),
            epoch,
            parts: checkpoint.parts.clone(),
            bytes,
            crc32: crc32fast::Hasher::new_with_initial_len(checkpoint.crc32, bytes),
            in_flight: None,
        }
    }

    /// The id under which S3 knows the upload.
    pub fn upload_id(&self) -> &str {
        &self.id
    }

    /// The parts that were sent, the one in flight included.
    pub fn parts(&self) -> &PartNumbers {
        &self.parts
    }

    /// How many bytes the next part should have at least.
    pub fn min_part_bytes(&self) -> usize {
        if self.parts.len() < LARGE_PARTS_FROM { MIN_PART_BYTES } else { LARGE_PART_BYTES }
    }

    /// Whether a part is in flight.
    pub fn is_in_flight(&self) -> bool {
        self.in_flight.is_some()
    }

    /// How many bytes those parts have.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The CRC-32 of those parts.
    pub fn crc32(&self) -> u32 {
        self.crc32.clone().finalize()
    }

    /// Sends a part. Call [`Upload::finish_in_flight`] before and save a checkpoint of the part that arrived: only one part may
    /// be sent that no checkpoint has.
    ///
    /// # Errors
    ///
    /// [`UploadError::TooLarge`] if S3 takes no more parts.
    pub fn send_part(&mut self, part: Part) -> Result<(), UploadError> {
        let number = self.parts.push(self.epoch);
        if number > MAX_PART_NUMBER {
            return Err(UploadError::TooLarge);
        }
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
            .part_number(i32::try_from(number).unwrap_or(i32::MAX))
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
        self.in_flight = Some((part, AbortOnDropHandle::new(sending)));
        Ok(())
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

    /// Completes the upload and returns the file that S3 then has, which was compared with what was written. It is idempotent.
    ///
    /// # Errors
    ///
    /// [`UploadError::IntegrityMismatch`] if the file has another size or another CRC-32, or is not there.
    pub async fn complete(mut self) -> Result<StoredFile, UploadError> {
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
        Ok(stored)
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
        // A former lease owner may have sent a part that no checkpoint has. It does not belong to the file.
        let is_of_file = |number| u32::try_from(number).is_ok_and(|number| self.parts.contains(number));
        parts.retain(|part| part.part_number.is_some_and(is_of_file));
        Ok(Some(parts))
    }
}

/// A CRC-32 in the form of S3's API: big-endian, in base64.
pub(super) fn base64_crc32(crc32: u32) -> String {
    STANDARD.encode(crc32.to_be_bytes())
}
