//! The file in S3: a multipart upload, one part on its way while the next is filled, whole or not at all.

use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::types::{ChecksumAlgorithm, ChecksumType, CompletedMultipartUpload, CompletedPart};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::task::JoinHandle;
use usage_export::error::AwsError;

use crate::files::Files;
use crate::part::Part;

/// A part is cut once it has this many bytes. S3 wants 5 MiB or more of each part but the last, and at most 10,000 of
/// them, so a file may have some 80 GB.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html>
pub const PART_BYTES: usize = 8 * 1024 * 1024;

/// Parts on one page of `ListParts`.
const LIST_PARTS: i32 = 1000;

/// Why there is no finished file.
#[derive(Debug, thiserror::Error)]
pub enum UploadError {
    /// The file is not what was written.
    #[error("{0}")]
    IntegrityMismatch(String),
    /// A call to S3 failed.
    #[error(transparent)]
    Aws(#[from] AwsError),
}

/// A file that is being made.
pub struct Upload {
    files: Files,
    key: String,
    id: String,
    /// Parts that were sent, the one on its way included.
    parts: i32,
    bytes: u64,
    crc32: crc32fast::Hasher,
    on_its_way: Option<(Part, JoinHandle<Result<(), AwsError>>)>,
}

impl Upload {
    /// Goes on with a file after so many parts, bytes and their CRC-32; [`Files::begin`] starts one.
    pub fn resume(files: &Files, key: &str, upload_id: &str, parts: i32, bytes: u64, crc32: u32) -> Self {
        Self {
            files: files.clone(),
            key: key.to_owned(),
            id: upload_id.to_owned(),
            parts,
            bytes,
            crc32: crc32fast::Hasher::new_with_initial_len(crc32, bytes),
            on_its_way: None,
        }
    }

    /// The id under which S3 knows the upload.
    pub fn upload_id(&self) -> &str {
        &self.id
    }

    /// Parts that were sent.
    pub fn parts(&self) -> i32 {
        self.parts
    }

    /// Bytes of the parts that were sent.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// CRC-32 of the parts that were sent.
    pub fn crc32(&self) -> u32 {
        self.crc32.clone().finalize()
    }

    /// Sends a part. Call [`Upload::settle`] before: only one part is on its way.
    pub fn send_part(&mut self, part: Part) {
        self.parts += 1;
        self.bytes += part.len() as u64;
        self.crc32.combine(part.crc32());
        let crc32 = base64_crc32(part.crc32().clone().finalize());
        let request = self
            .files
            .client
            .upload_part()
            .bucket(&self.files.bucket)
            .key(&self.key)
            .upload_id(&self.id)
            .part_number(self.parts)
            .checksum_algorithm(ChecksumAlgorithm::Crc32)
            .checksum_crc32(crc32)
            .body(part.clone().into())
            .customize()
            // Its SHA-256 would cost more than writing its rows did; S3 checks its CRC-32.
            .disable_payload_signing();
        let sending = tokio::spawn(async move {
            request.send().await.map_err(AwsError::from_sdk("s3:UploadPart"))?;
            Ok(())
        });
        self.on_its_way = Some((part, sending));
    }

    /// Waits until the part on its way has arrived, and gives it back.
    pub async fn settle(&mut self) -> Result<Option<Part>, AwsError> {
        let Some((part, sending)) = self.on_its_way.take() else { return Ok(None) };
        sending.await.map_err(AwsError::from_join("part of an upload"))??;
        Ok(Some(part))
    }

    /// Puts the parts together and compares what S3 then has with what was written. Repeating it after it took place
    /// is no error.
    ///
    /// # Errors
    ///
    /// [`UploadError::IntegrityMismatch`] if the file has another size or another CRC-32.
    pub async fn complete(mut self) -> Result<(), UploadError> {
        self.settle().await?;
        // If S3 does not know the upload, a worker that died right after this step completed it.
        if let Some(parts) = self.list_parts().await? {
            self.files
                .client
                .complete_multipart_upload()
                .bucket(&self.files.bucket)
                .key(&self.key)
                .upload_id(&self.id)
                .checksum_type(ChecksumType::FullObject)
                .mpu_object_size(i64::try_from(self.bytes).unwrap_or(i64::MAX))
                .multipart_upload(CompletedMultipartUpload::builder().set_parts(Some(parts)).build())
                .send()
                .await
                .map_err(AwsError::from_sdk("s3:CompleteMultipartUpload"))?;
        }
        let Some(stored) = self.files.stored(&self.key).await? else {
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

    /// The parts as S3 has them; `None` if it does not know the upload.
    async fn list_parts(&self) -> Result<Option<Vec<CompletedPart>>, AwsError> {
        let mut pages = self
            .files
            .client
            .list_parts()
            .bucket(&self.files.bucket)
            .key(&self.key)
            .upload_id(&self.id)
            .into_paginator()
            .page_size(LIST_PARTS)
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
        // Parts beyond ours are a former worker's that died before it saved: they are sent again or not needed.
        parts.retain(|part| part.part_number.is_some_and(|number| number <= self.parts));
        Ok(Some(parts))
    }

    /// Gives the upload up, so that its parts cost nothing. S3's lifecycle rule does it otherwise.
    pub async fn abort(&mut self) {
        let _ = self.settle().await;
        let aborted = self
            .files
            .client
            .abort_multipart_upload()
            .bucket(&self.files.bucket)
            .key(&self.key)
            .upload_id(&self.id)
            .send()
            .await;
        if let Err(error) = aborted.map_err(AwsError::from_sdk("s3:AbortMultipartUpload")) {
            tracing::warn!(error = %error, "an upload is left to the lifecycle rule: {error}");
        }
    }
}

/// A CRC-32 as S3 writes it.
fn base64_crc32(crc32: u32) -> String {
    STANDARD.encode(crc32.to_be_bytes())
}
