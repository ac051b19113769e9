//! Makes the file of an export: reads, joins, writes, uploads, counts.

use std::pin::pin;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use futures::TryStreamExt;
use usage_export::error::AwsError;
use usage_export::export::store::finish::Completed;
use usage_export::export::store::lease::{LeaseError, Progress};
use usage_export::export::{Checkpoint, Counts, DataExport, Position};
use usage_export::usage::split_partition_key;

use crate::Worker;
use crate::columns::Columns;
use crate::csv;
use crate::names::Names;
use crate::part::Part;
use crate::plan::Plan;
use crate::read::{Page, Selection};
use crate::upload::{PART_BYTES, Upload, UploadError};

/// How often the progress is shown and the lease renewed, between parts.
const PROGRESS_EVERY: TimeDelta = TimeDelta::seconds(2);

/// Why there is no file.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// Another worker has the export.
    #[error(transparent)]
    Lease(LeaseError),
    /// A call failed, or something on our side: trying again may help.
    #[error(transparent)]
    Aws(AwsError),
    /// Trying again does not help.
    #[error("{cause}")]
    Permanent {
        /// For the caller.
        reason: &'static str,
        /// For the log.
        cause: String,
    },
}

impl From<AwsError> for RunError {
    fn from(error: AwsError) -> Self {
        if error.is_permanent() {
            let reason = "A stored record could not be read, so the file would have been wrong.";
            return Self::Permanent { reason, cause: error.to_string() };
        }
        Self::Aws(error)
    }
}

impl From<LeaseError> for RunError {
    fn from(error: LeaseError) -> Self {
        match error {
            LeaseError::Lost => Self::Lease(error),
            LeaseError::Aws(error) => error.into(),
        }
    }
}

impl From<UploadError> for RunError {
    fn from(error: UploadError) -> Self {
        match error {
            UploadError::IntegrityMismatch(cause) => miscounted(cause),
            UploadError::Aws(error) => error.into(),
        }
    }
}

/// Makes the file, from the export's checkpoint if it has one.
///
/// # Errors
///
/// Any error leaves the export `IN_PROGRESS`: what becomes of it is the caller's to decide.
pub async fn run(worker: &Worker, export: &DataExport, owner: &str) -> Result<Completed, RunError> {
    let plan = Plan::resolve(&worker.directory, export).await?;
    let mut run = Run::start(worker, export, owner, &plan).await?;
    let position = run.position.clone();
    let selection = Selection::new(plan.interval(), Arc::clone(&run.names.columns));
    let mut pages = pin!(worker.reader.pages(plan.buckets(position.as_ref()), &selection));
    while let Some(page) = pages.try_next().await? {
        run.write(page).await?;
    }
    run.finish().await
}

/// An export while its file is made.
struct Run<'a> {
    worker: &'a Worker,
    export: &'a DataExport,
    owner: &'a str,
    buckets: usize,
    names: Names,
    part: Part,
    upload: Upload,
    counts: Counts,
    /// Up to where records are written or left out.
    position: Option<Position>,
    progress: Progress,
    saved_ts: DateTime<Utc>,
    /// What to save once the part on its way has arrived.
    unsaved: Option<Checkpoint>,
}

impl<'a> Run<'a> {
    async fn start(
        worker: &'a Worker,
        export: &'a DataExport,
        owner: &'a str,
        plan: &Plan,
    ) -> Result<Self, RunError> {
        let fields = &export.request.fields;
        let key = export.object_key();
        let columns = Columns::new(fields, plan.workspace_names.clone(), &export.request.scope.entity_ids);
        let mut part = Part::default();
        let (upload, counts, position) = if let Some(at) = &export.checkpoint {
            if split_partition_key(&at.position.partition_key).is_none() {
                return Err(
                    AwsError::corrupt(&export.data_export_id, "the checkpoint is in no partition").into()
                );
            }
            let upload =
                Upload::resume(&worker.files, &key, &at.upload_id, at.parts, at.counts.bytes, at.crc32);
            (upload, at.counts, Some(at.position.clone()))
        } else {
            part.push(csv::header(fields));
            (worker.files.begin(&key).await?, Counts::default(), None)
        };
        Ok(Self {
            worker,
            export,
            owner,
            buckets: plan.len().max(1),
            names: Names {
                directory: worker.directory.clone(),
                organization_id: export.organization_id.clone(),
                columns: Arc::new(columns),
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

    /// Writes a page; cuts a part, or shows the progress, when it is time.
    async fn write(&mut self, page: Page) -> Result<(), RunError> {
        self.counts.read += page.read;
        self.counts.written += page.rows.written;
        self.counts.filtered += page.filtered + page.rows.filtered;
        self.position = Some(Position { partition_key: page.bucket.partition_key, sort_key: page.up_to });
        self.part.push(self.names.complete(page.rows).await?);
        let percent = u8::try_from(page.bucket.index * 100 / self.buckets).unwrap_or(99);
        self.progress = Progress { percent: percent.min(99), rows: self.counts.written };
        if self.part.len() >= PART_BYTES {
            return self.cut_part().await;
        }
        let now = (self.worker.clock)();
        if now - self.saved_ts >= PROGRESS_EVERY {
            self.saved_ts = now;
            let id = &self.export.data_export_id;
            self.worker.exports.save_progress(id, self.owner, self.progress, now).await?;
        }
        Ok(())
    }

    /// Sends what is written as a part. The one before has arrived by then, so its checkpoint is saved.
    async fn cut_part(&mut self) -> Result<(), RunError> {
        self.settle().await?;
        let part = std::mem::take(&mut self.part);
        self.upload.send_part(part);
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

    async fn settle(&mut self) -> Result<(), RunError> {
        if let Some(part) = self.upload.settle().await? {
            part.into_texts().for_each(|text| self.names.columns.buffers.keep_text(text));
        }
        if let Some(checkpoint) = self.unsaved.take() {
            let now = (self.worker.clock)();
            self.saved_ts = now;
            let id = &self.export.data_export_id;
            self.worker.exports.save_checkpoint(id, self.owner, &checkpoint, self.progress, now).await?;
        }
        Ok(())
    }

    /// The last part, the counts, the file.
    async fn finish(mut self) -> Result<Completed, RunError> {
        if !self.part.is_empty() {
            self.cut_part().await?;
        }
        self.settle().await?;
        let counts = self.counts;
        if !counts.agree() {
            self.upload.abort().await;
            return Err(miscounted(format!("rows do not agree: {counts:?}")));
        }
        let checksum = format!("crc32:{:08x}", self.upload.crc32());
        self.upload.complete().await?;
        let now = (self.worker.clock)();
        let expires_ts = now + TimeDelta::days(i64::from(self.worker.file_days));
        Ok(Completed { counts, checksum, expires_ts })
    }
}

fn miscounted(cause: String) -> RunError {
    RunError::Permanent { reason: "The file did not add up, so it was withheld.", cause }
}
