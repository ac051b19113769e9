//! The end of a file: a small one is put into the bucket by one request, a larger one is a multipart upload that is completed.

use chrono::TimeDelta;
use usage_export::error::AwsError;
use usage_export::export::store::finish::Completed;
use usage_export::export::{Counts, SideObject, checksum_text};

use super::Writer;
use crate::job::error::PipelineError;
use crate::job::setup::Setup;
use crate::sink::bucket::StoredFile;

impl Writer<'_> {
    /// Sends the last part, compares the counts and completes the file. A segment that is smaller than a part has no file: its rows
    /// stay in the tail of its last checkpoint.
    ///
    /// # Errors
    ///
    /// A call failed, the lease is lost, or the counts or the file in S3 do not agree.
    pub async fn finish(mut self) -> Result<Completed, PipelineError> {
        if self.all_read {
            return self.complete().await;
        }
        let counts = self.counts;
        if !counts.agree() {
            return Err(PipelineError::integrity_mismatch(format!("rows do not agree: {counts:?}")));
        }
        self.name_rows().await?;
        if self.is_one_request() {
            return self.put().await;
        }
        self.finish_in_flight().await?;
        if !self.part.is_empty() && (self.is_export || !self.upload.parts().is_empty()) {
            self.upload.send_part(std::mem::take(&mut self.part)).await?;
        }
        self.all_read = true;
        self.save().await?;
        self.complete().await
    }

    /// Completes the upload of a file whose rows are all in its parts. Only the owner of the lease gets here, and every owner
    /// completes the same parts.
    ///
    /// # Errors
    ///
    /// A call failed, or S3 has other bytes than were written.
    pub async fn complete(mut self) -> Result<Completed, PipelineError> {
        let counts = Counts { bytes: self.upload.bytes(), ..self.counts };
        let crc32 = self.upload.crc32();
        // The manifest comes before the tail, which only a segment has.
        let manifest = self.side_objects.first().cloned();
        let manifest = manifest.ok_or_else(|| AwsError::unexpected(&self.lease.key, "no manifest"))?;
        if !self.upload.parts().is_empty() {
            self.upload.complete().await?;
        }
        // That of a segment is compared with the rest of the file that it is joined to.
        let stored = if self.is_export { Some(self.upload.stored().await?) } else { None };
        Ok(completed(self.setup, counts, crc32, stored, manifest, self.manifest.credit_cost()))
    }

    /// Whether the file is small enough for one request, and nobody else can be writing it: no worker has had the export before, and it has
    /// no checkpoint that another one could go on from.
    fn is_one_request(&self) -> bool {
        self.is_export && self.lease.epoch == 1 && self.checkpoints == 0 && self.upload.upload_id().is_none()
    }

    /// Puts the file into the bucket by one request, and its manifest. If this worker dies before the export is completed, the next one
    /// begins anew, with an upload: that replaces the file.
    async fn put(mut self) -> Result<Completed, PipelineError> {
        let part = std::mem::take(&mut self.part);
        let crc32 = part.crc32().clone().finalize();
        let counts = Counts { bytes: part.len() as u64, ..self.counts };
        self.checkpoints += 1;
        let (manifest, writing) = self.begin_manifest(counts, crc32)?;
        let stored = self.upload.put(part).await?;
        writing.await.map_err(AwsError::from_join("manifest"))??;
        Ok(completed(self.setup, counts, crc32, Some(stored), manifest, self.manifest.credit_cost()))
    }
}

/// What is known of a file that is complete. A segment that is smaller than a part has no file in the bucket.
fn completed(
    setup: &Setup<'_>,
    counts: Counts,
    crc32: u32,
    stored: Option<StoredFile>,
    manifest: SideObject,
    credit_cost: Option<String>,
) -> Completed {
    let (etag, created_ts) = stored.map(|stored| (stored.etag, stored.created_ts)).unwrap_or_default();
    // S3 deletes the file at the first midnight after that.
    // https://docs.aws.amazon.com/AmazonS3/latest/userguide/intro-lifecycle-rules.html
    let created_ts = created_ts.unwrap_or(setup.export.created_ts);
    let expires_ts = created_ts + TimeDelta::days(i64::from(setup.worker.file_days));
    let (checksum, cost) = (checksum_text(crc32), setup.meter.cost());
    Completed { counts, checksum, etag, manifest, credit_cost, expires_ts, cost }
}
