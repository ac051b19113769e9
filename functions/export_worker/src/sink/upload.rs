//! The multipart upload of a file: one part is in flight while the next is filled. In the end S3 has the whole file or none.
//!
//! A worker that has lost its lease may still send a part. It has another number than every part of the file, as
//! [`PartNumbers`] explains, and is dropped when the upload is completed.

use std::sync::Arc;

use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::types::{ChecksumType, CompletedMultipartUpload, CompletedPart};
use query_csv::BufferPool;
use tokio_util::task::AbortOnDropHandle;
use usage_export::error::AwsError;
use usage_export::export::{Checkpoint, PartNumbers};

use crate::sink::bucket::{Bucket, StoredFile};
use crate::sink::part::{Part, base64_crc32};

mod listed;
mod whole;

/// A part is sent once it has this many bytes. S3 wants at least 5 MiB in each part but the last.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html>
pub const MIN_PART_BYTES: usize = 8 * 1024 * 1024;

/// The same for a segment, of which a worker has several in memory.
const MIN_SEGMENT_PART_BYTES: usize = MIN_JOINED_BYTES;

/// The least that S3 takes as a part that is not the last one.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html>
pub const MIN_JOINED_BYTES: usize = 5 * 1024 * 1024;

/// From this many parts on, parts are larger: S3 takes at most [`MAX_PART_NUMBER`] of them. So a file can have some 220 GB.
const LARGE_PARTS_FROM: u32 = 4_000;

/// The size of those parts. Two of them are in memory at a time.
const LARGE_PART_BYTES: usize = 4 * MIN_PART_BYTES;

/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html>
pub(super) const MAX_PART_NUMBER: u32 = 10_000;

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
    /// By what S3 knows the upload; absent before the first part of a segment.
    id: Option<String>,
    /// The claim under which parts are sent.
    epoch: u32,
    /// The parts that were sent, the one in flight included.
    parts: PartNumbers,
    bytes: u64,
    crc32: crc32fast::Hasher,
    in_flight: Option<AbortOnDropHandle<Result<CompletedPart, AwsError>>>,
    /// The parts that this worker has sent and that have arrived, in the order of the file.
    arrived: Vec<CompletedPart>,
    /// Takes the memory of parts that have arrived.
    pool: Arc<BufferPool>,
}

impl Upload {
    /// A new file. S3 learns of it with the first part, or by [`Upload::begin`].
    pub fn new(bucket: &Bucket, key: &str, epoch: u32, pool: &Arc<BufferPool>) -> Self {
        Self {
            bucket: bucket.clone(),
            key: key.to_owned(),
            id: None,
            epoch,
            parts: PartNumbers::default(),
            bytes: 0,
            crc32: crc32fast::Hasher::new(),
            in_flight: None,
            arrived: Vec::new(),
            pool: Arc::clone(pool),
        }
    }

    /// Continues the upload of a checkpoint in another epoch.
    pub fn resume(
        bucket: &Bucket,
        key: &str,
        epoch: u32,
        checkpoint: &Checkpoint,
        pool: &Arc<BufferPool>,
    ) -> Self {
        let bytes = checkpoint.counts.bytes - checkpoint.tail.as_ref().map_or(0, |tail| tail.bytes);
        Self {
            id: checkpoint.upload_id.clone(),
            parts: checkpoint.parts.clone(),
            bytes,
            crc32: crc32fast::Hasher::new_with_initial_len(checkpoint.crc32, bytes),
            ..Self::new(bucket, key, epoch, pool)
        }
    }

    /// Begins the upload, unless it has begun.
    ///
    /// # Errors
    ///
    /// S3 refuses or cannot be reached.
    pub async fn begin(&mut self) -> Result<&str, AwsError> {
        if self.id.is_none() {
            self.id = Some(self.bucket.create_upload(&self.key).await?);
        }
        Ok(self.id.as_deref().unwrap_or_default())
    }

    /// The id under which S3 knows the upload, if it does.
    pub fn upload_id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// The parts that were sent, the one in flight included.
    pub fn parts(&self) -> &PartNumbers {
        &self.parts
    }

    /// How many bytes the next part should have at least.
    pub fn min_part_bytes(&self, is_export: bool) -> usize {
        match (self.parts.len(), is_export) {
            (LARGE_PARTS_FROM.., _) => LARGE_PART_BYTES,
            (_, true) => MIN_PART_BYTES,
            (_, false) => MIN_SEGMENT_PART_BYTES,
        }
    }

    /// How many bytes those parts have.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The CRC-32 of those parts.
    pub fn crc32(&self) -> u32 {
        self.crc32.clone().finalize()
    }

    /// Sends a part. Call [`Upload::finish_in_flight`] before. At most [`MAX_UNSAVED_PARTS`](usage_export::export::MAX_UNSAVED_PARTS) may be
    /// sent that no checkpoint has.
    ///
    /// # Errors
    ///
    /// [`UploadError::TooLarge`] if S3 takes no more parts, or the upload could not be begun.
    pub async fn send_part(&mut self, part: Part) -> Result<(), UploadError> {
        let id = self.begin().await?.to_owned();
        let number = self.parts.push(self.epoch);
        if number > MAX_PART_NUMBER {
            return Err(UploadError::TooLarge);
        }
        self.bytes += part.len() as u64;
        self.crc32.combine(part.crc32());
        let permit = Arc::clone(&self.bucket.parts).acquire_owned().await;
        let (sending, pool) =
            (self.bucket.upload_part(&self.key, &id, number, &part), Arc::clone(&self.pool));
        let sending = tokio::spawn(async move {
            let arrived = sending.await?;
            part.release(&pool);
            drop(permit);
            Ok(arrived)
        });
        self.in_flight = Some(AbortOnDropHandle::new(sending));
        Ok(())
    }

    /// The parts, the bytes and their CRC-32, and the upload itself, for [joining](super::join): it adds parts with fixed numbers.
    pub(super) fn join_parts(&mut self, first: u32, count: u32, bytes: u64, crc32: &crc32fast::Hasher) {
        self.parts.append(first, count);
        self.bytes += bytes;
        self.crc32.combine(crc32);
    }

    /// The number that the next part will have.
    pub fn next_number(&self) -> u32 {
        self.parts.clone().push(self.epoch)
    }

    /// The bucket and the key of the file.
    pub(super) fn place(&self) -> (&Bucket, &str) {
        (&self.bucket, &self.key)
    }

    /// Waits until the part in flight has arrived.
    ///
    /// # Errors
    ///
    /// The part could not be uploaded.
    pub async fn finish_in_flight(&mut self) -> Result<(), AwsError> {
        let Some(sending) = self.in_flight.take() else { return Ok(()) };
        self.arrived.push(sending.await.map_err(AwsError::from_join("part of an upload"))??);
        Ok(())
    }

    /// Completes the upload. It is idempotent.
    ///
    /// # Errors
    ///
    /// [`UploadError::IntegrityMismatch`] if S3 does not know the upload and has no such file either.
    pub async fn complete(&mut self) -> Result<(), UploadError> {
        self.finish_in_flight().await?;
        let Some(id) = self.id.clone() else {
            return Err(UploadError::IntegrityMismatch("no part was sent".to_owned()));
        };
        if let Some(parts) = self.completed_parts(&id).await? {
            let completing = self
                .bucket
                .client
                .complete_multipart_upload()
                .bucket(&self.bucket.name)
                .key(&self.key)
                .upload_id(&id)
                .checksum_type(ChecksumType::FullObject)
                .mpu_object_size(i64::try_from(self.bytes).unwrap_or(i64::MAX))
                .multipart_upload(CompletedMultipartUpload::builder().set_parts(Some(parts)).build());
            match completing.send().await {
                Ok(_) => return Ok(()),
                Err(error) if error.code() == Some("NoSuchUpload") => {}
                Err(error) => return Err(AwsError::from_sdk("s3:CompleteMultipartUpload")(error).into()),
            }
        }
        // Then it was completed before: by a worker that died right after that, or by this one, and the answer was lost.
        self.stored().await?;
        Ok(())
    }

    /// The file that S3 has, which was compared with what was written.
    ///
    /// # Errors
    ///
    /// [`UploadError::IntegrityMismatch`] if the file has another size or another CRC-32, or is not there.
    pub async fn stored(&self) -> Result<StoredFile, UploadError> {
        let Some(stored) = self.bucket.stored_file(&self.key).await? else {
            return Err(UploadError::IntegrityMismatch("S3 does not have the file".to_owned()));
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
}
