//! The parts of an upload that S3 has.

use std::collections::BTreeSet;

use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::types::CompletedPart;
use usage_export::error::AwsError;

use super::Upload;

/// How many parts one answer of `ListParts` has at most.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListParts.html>
const MAX_LISTED_PARTS: i32 = 1000;

impl Upload {
    /// The numbers from `first` on of the parts that S3 has.
    ///
    /// # Errors
    ///
    /// S3 refuses or cannot be reached.
    pub async fn numbers_from(&self, first: u32) -> Result<BTreeSet<u32>, AwsError> {
        let parts = self.list_parts(self.upload_id().unwrap_or_default()).await?.unwrap_or_default();
        Ok(parts.iter().filter_map(number_of).filter(|number| *number >= first).collect())
    }

    /// The parts of the file, with what S3 knows them by; `None` if it does not know the upload. The first
    /// claim knows what it has sent; whoever comes later looks at what S3 has.
    pub(super) async fn completed_parts(&self, id: &str) -> Result<Option<Vec<CompletedPart>>, AwsError> {
        if self.epoch == 1 && self.arrived.len() == self.parts.len() as usize {
            return Ok(Some(self.arrived.clone()));
        }
        let Some(mut parts) = self.list_parts(id).await? else { return Ok(None) };
        // A former lease owner may have sent a part that no checkpoint has. It does not belong to the file.
        parts.retain(|part| number_of(part).is_some_and(|number| self.parts.contains(number)));
        Ok(Some(parts))
    }

    /// The parts that S3 has; `None` if it does not know the upload.
    async fn list_parts(&self, id: &str) -> Result<Option<Vec<CompletedPart>>, AwsError> {
        let mut pages = self
            .bucket
            .client
            .list_parts()
            .bucket(&self.bucket.name)
            .key(&self.key)
            .upload_id(id)
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
        Ok(Some(parts))
    }
}

fn number_of(part: &CompletedPart) -> Option<u32> {
    u32::try_from(part.part_number?).ok()
}
