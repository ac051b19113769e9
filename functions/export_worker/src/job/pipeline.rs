//! Makes the file of an export: pages are read ahead, completed with names, put into parts and uploaded, and everything is
//! counted.

use std::pin::pin;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use futures::TryStreamExt;
use query_csv::write_header;
use usage_export::error::AwsError;
use usage_export::export::store::finish::Completed;
use usage_export::export::store::lease::{LeaseError, Progress};
use usage_export::export::{Checkpoint, Counts, DataExport, Position};
use usage_export::usage::split_partition_key;

use crate::Worker;
use crate::job::plan::Plan;
use crate::sink::part::Part;
use crate::sink::upload::{MIN_PART_BYTES, Upload, UploadError};
use crate::source::names::Names;
use crate::source::query::Page;
use crate::source::selection::Selection;

/// How often the progress is saved and the lease renewed while a part is being filled.
const PROGRESS_INTERVAL: TimeDelta = TimeDelta::seconds(2);

/// Why no file was made.
#[derive(Debug, thiserror::Error)]
pub enum PipelineError {
    /// Another worker has claimed the export.
    #[error(transparent)]
    Lease(LeaseError),
    /// A call failed, or something on our side. Trying again may help.
    #[error(transparent)]
    Aws(AwsError),
    /// Trying again does not help.
    #[error("{cause}")]
    Permanent {
        /// What the export owner is told.
        reason: &'static str,
        /// What is logged.
        cause: String,
    },
}

impl From<AwsError> for PipelineError {
    fn from(error: AwsError) -> Self {
        if error.is_permanent() {
            let reason = "A stored record could not be read, so the file would have been wrong.";
            return Self::Permanent { reason, cause: error.to_string() };
        }
        Self::Aws(error)
    }
}

impl From<LeaseError> for PipelineError {
    fn from(error: LeaseError) -> Self {
        match error {
            LeaseError::Lost => Self::Lease(error),
            LeaseError::Aws(error) => error.into(),
        }
    }
}

impl From<UploadError> for PipelineError {
    fn from(error: UploadError) -> Self {
        match error {
            UploadError::IntegrityMismatch(cause) => integrity_mismatch(cause),
            UploadError::Aws(error) => error.into(),
        }
    }
}

/// Makes the file, from the export's checkpoint on if it has one.
///
/// # Errors
///
/// Any error leaves the export `IN_PROGRESS`; the caller decides what becomes of it.
pub async fn run(
    worker: &Worker,
    export: &DataExport,
    lease_owner: &str,
) -> Result<Completed, PipelineError> {
    let plan = Plan::resolve(&worker.directory, export).await?;
    let request = &export.request;
    let selection = Selection::new(plan.interval(), &request.fields, &request.scope.entity_ids)
        .map_err(|error| AwsError::internal("row layout", &error))?;
    let selection = Arc::new(selection);
    let mut pipeline = Pipeline::start(worker, export, lease_owner, &plan, &selection).await?;
    let position = pipeline.position.clone();
    let mut pages = pin!(worker.usage_records.pages(plan.partitions(position.as_ref()), &selection));
    while let Some(page) = pages.try_next().await? {
        pipeline.write(page).await?;
    }
    pipeline.finish().await
}

/// An export while its file is made.
struct Pipeline<'a> {
    worker: &'a Worker,
    export: &'a DataExport,
    lease_owner: &'a str,
    partitions: usize,
    names: Names,
    part: Part,
    upload: Upload,
    counts: Counts,
    /// Up to where every record is in a part or left out.
    position: Option<Position>,
    progress: Progress,
    saved_ts: DateTime<Utc>,
    /// The checkpoint to save once the part in flight has arrived.
    unsaved: Option<Checkpoint>,
}

impl<'a> Pipeline<'a> {
    async fn start(
        worker: &'a Worker,
        export: &'a DataExport,
        lease_owner: &'a str,
        plan: &Plan,
        selection: &Arc<Selection>,
    ) -> Result<Self, PipelineError> {
        let key = export.object_key();
        let mut part = Part::default();
        let (upload, counts, position) = if let Some(at) = &export.checkpoint {
            if split_partition_key(&at.position.partition_key).is_none() {
                let reason = "the checkpoint's partition key is malformed";
                return Err(AwsError::corrupt(&export.data_export_id, reason).into());
            }
            let upload =
                Upload::resume(&worker.bucket, &key, &at.upload_id, at.parts, at.counts.bytes, at.crc32);
            (upload, at.counts, Some(at.position.clone()))
        } else {
            part.push(write_header(export.request.fields.iter().map(|field| field.id())));
            (Upload::begin(&worker.bucket, &key).await?, Counts::default(), None)
        };
        Ok(Self {
            worker,
            export,
            lease_owner,
            partitions: plan.len().max(1),
            names: Names {
                directory: worker.directory.clone(),
                organization_id: export.organization_id.clone(),
                selection: Arc::clone(selection),
            },
            part,
            upload,
            counts,
            position,
            progress: Progress { percent: export.progress, rows: counts.written },
            saved_ts: (worker.clock)(),
            unsaved: None,
        })
    }

    /// Writes a page. Sends the part when it is large enough, or saves the progress when it is time.
    async fn write(&mut self, page: Page) -> Result<(), PipelineError> {
        self.counts.read += page.read;
        self.counts.written += page.rows.counts.written;
        self.counts.filtered += page.filtered + page.rows.counts.left_out;
        self.position = Some(Position { partition_key: page.partition.partition_key, sort_key: page.up_to });
        let rows = self.names.complete(page.rows).await?;
        if rows.is_empty() {
            self.names.selection.pool.release(rows);
        } else {
            self.part.push(rows);
        }
        let percent = u8::try_from(page.partition.index * 100 / self.partitions).unwrap_or(99);
        self.progress = Progress { percent: percent.min(99), rows: self.counts.written };
        if self.part.len() >= MIN_PART_BYTES {
            return self.send_part().await;
        }
        let now = (self.worker.clock)();
        if now - self.saved_ts >= PROGRESS_INTERVAL {
            self.saved_ts = now;
            let id = &self.export.data_export_id;
            self.worker.exports.save_progress(id, self.lease_owner, self.progress, now).await?;
        }
        Ok(())
    }

    /// Sends the rows so far as a part. The part before it has arrived by then, so its checkpoint is saved first.
    async fn send_part(&mut self) -> Result<(), PipelineError> {
        self.finish_in_flight().await?;
        self.upload.send_part(std::mem::take(&mut self.part));
        self.counts.bytes = self.upload.bytes();
        self.unsaved = self.position.clone().map(|position| Checkpoint {
            upload_id: self.upload.upload_id().to_owned(),
            parts: self.upload.parts(),
            position,
            counts: self.counts,
            crc32: self.upload.crc32(),
        });
        Ok(())
    }

    /// Waits for the part in flight, and saves its checkpoint.
    async fn finish_in_flight(&mut self) -> Result<(), PipelineError> {
        if let Some(part) = self.upload.finish_in_flight().await? {
            part.release(&self.names.selection.pool);
        }
        if let Some(checkpoint) = self.unsaved.take() {
            let now = (self.worker.clock)();
            self.saved_ts = now;
            let id = &self.export.data_export_id;
            let exports = &self.worker.exports;
            exports.save_checkpoint(id, self.lease_owner, &checkpoint, self.progress, now).await?;
        }
        Ok(())
    }

    /// Sends the last part, compares the counts and completes the file.
    async fn finish(mut self) -> Result<Completed, PipelineError> {
        if !self.part.is_empty() {
            self.send_part().await?;
        }
        self.finish_in_flight().await?;
        let counts = self.counts;
        if !counts.agree() {
            self.upload.abort().await;
            return Err(integrity_mismatch(format!("rows do not agree: {counts:?}")));
        }
        let checksum = format!("crc32:{:08x}", self.upload.crc32());
        self.upload.complete().await?;
        let now = (self.worker.clock)();
        let expires_ts = now + TimeDelta::days(i64::from(self.worker.file_days));
        Ok(Completed { counts, checksum, expires_ts })
    }
}

fn integrity_mismatch(cause: String) -> PipelineError {
    PipelineError::Permanent { reason: "The file did not add up, so it was withheld.", cause }
}
