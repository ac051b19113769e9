//! Writes the file of an export: pages are completed with names and put into parts, and everything is counted. Checkpoints are
//! saved after each part, and in between by time.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use query_csv::write_header;
use tokio::sync::watch;
use usage_export::error::AwsError;
use usage_export::export::store::finish::Completed;
use usage_export::export::store::lease::{Lease, Progress};
use usage_export::export::{Checkpoint, Counts, DataExport, Position, Tail};
use usage_export::usage::split_partition_key;

use crate::Worker;
use crate::job::error::PipelineError;
use crate::sink::part::Part;
use crate::sink::tail;
use crate::sink::upload::Upload;
use crate::source::names::Names;
use crate::source::query::Page;
use crate::source::selection::Selection;

/// How much time passes between two checkpoints, at most as much as a killed worker's successor has to read again.
const CHECKPOINT_INTERVAL: TimeDelta = TimeDelta::seconds(10);

/// The file of an export while it is written.
pub struct Writer<'a> {
    worker: &'a Worker,
    export: &'a DataExport,
    lease: &'a Lease,
    names: Names,
    part: Part,
    upload: Upload,
    counts: Counts,
    /// Up to where every record is in a part or left out.
    position: Option<Position>,
    all_read: bool,
    /// The tail that the last checkpoint names.
    tail: Option<Tail>,
    /// How many checkpoints this worker has begun to save.
    saves: u32,
    saved_ts: DateTime<Utc>,
    /// The checkpoint to save once the part in flight has arrived.
    unsaved: Option<Checkpoint>,
    progress: &'a watch::Sender<Progress>,
}

impl<'a> Writer<'a> {
    /// Begins a file, or goes on from the export's checkpoint.
    ///
    /// # Errors
    ///
    /// A call failed, or the checkpoint cannot be read.
    pub async fn start(
        worker: &'a Worker,
        export: &'a DataExport,
        lease: &'a Lease,
        selection: &Arc<Selection>,
        progress: &'a watch::Sender<Progress>,
    ) -> Result<Self, PipelineError> {
        let (bucket, key, epoch) = (&worker.bucket, export.object_key(), export.epoch);
        let mut part = Part::default();
        let upload = if let Some(at) = &export.checkpoint {
            check(at, &export.data_export_id)?;
            if let Some(tail) = &at.tail {
                part.push(tail::get(bucket, tail).await?);
            }
            Upload::resume(bucket, &key, epoch, at)
        } else {
            part.push(write_header(export.request.fields.iter().map(|field| field.id())));
            Upload::begin(bucket, &key, epoch).await?
        };
        let at = export.checkpoint.as_ref();
        Ok(Self {
            worker,
            export,
            lease,
            names: Names {
                directory: worker.directory.clone(),
                organization_id: export.organization_id.clone(),
                selection: Arc::clone(selection),
            },
            part,
            upload,
            counts: at.map(|at| at.counts).unwrap_or_default(),
            position: at.and_then(|at| at.position.clone()),
            all_read: at.is_some_and(|at| at.all_read),
            tail: at.and_then(|at| at.tail.clone()),
            saves: 0,
            saved_ts: (worker.clock)(),
            unsaved: None,
            progress,
        })
    }

    /// Up to where every record is written or left out.
    pub fn position(&self) -> Option<&Position> {
        self.position.as_ref()
    }

    /// Whether only completing the upload is left.
    pub fn is_all_read(&self) -> bool {
        self.all_read
    }

    /// Writes a page. Sends the part when it is large enough, or saves a checkpoint when it is time. `percent` is the progress.
    ///
    /// # Errors
    ///
    /// A call failed, or a name cannot be written.
    pub async fn write(&mut self, page: Page, percent: u8) -> Result<(), PipelineError> {
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
        self.progress.send_replace(Progress { percent, rows: self.counts.written });
        if self.part.len() >= self.upload.min_part_bytes() {
            return self.send_part().await;
        }
        if (self.worker.clock)() - self.saved_ts >= CHECKPOINT_INTERVAL {
            self.save().await?;
        }
        Ok(())
    }

    /// Saves a checkpoint of everything that is written, with the rows that do not yet make a part as its tail.
    ///
    /// # Errors
    ///
    /// A call failed, or the lease is lost.
    pub async fn save(&mut self) -> Result<(), PipelineError> {
        self.finish_in_flight().await?;
        let tail = if self.part.is_empty() {
            None
        } else {
            // Each claim and each tail has a key of its own: a former lease owner cannot overwrite it.
            let key = format!("{}tail.{}.{}", self.export.object_prefix(), self.export.epoch, self.saves + 1);
            Some(tail::put(&self.worker.bucket, key, &self.part).await?)
        };
        let checkpoint = self.checkpoint(tail);
        self.save_checkpoint(checkpoint).await
    }

    /// Sends the last part, compares the counts and completes the file.
    ///
    /// # Errors
    ///
    /// A call failed, the lease is lost, or the counts or the file in S3 do not agree.
    pub async fn finish(mut self) -> Result<Completed, PipelineError> {
        let counts = self.counts;
        if !counts.agree() {
            return Err(PipelineError::integrity_mismatch(format!("rows do not agree: {counts:?}")));
        }
        if !self.part.is_empty() {
            self.send_part().await?;
        }
        self.all_read = true;
        self.unsaved = None;
        self.finish_in_flight().await?;
        let checkpoint = self.checkpoint(None);
        self.counts = checkpoint.counts;
        self.save_checkpoint(checkpoint).await?;
        self.complete().await
    }

    /// Completes the upload of a file whose rows are all in its parts. Only the owner of the lease gets here, and every owner
    /// completes the same parts.
    ///
    /// # Errors
    ///
    /// A call failed, or S3 has other bytes than were written.
    pub async fn complete(self) -> Result<Completed, PipelineError> {
        let checksum = format!("crc32:{:08x}", self.upload.crc32());
        self.upload.complete().await?;
        let now = (self.worker.clock)();
        let expires_ts = now + TimeDelta::days(i64::from(self.worker.file_days));
        Ok(Completed { counts: self.counts, checksum, expires_ts })
    }

    /// Sends the rows so far as a part. The part before it has arrived by then, so its checkpoint is saved first.
    async fn send_part(&mut self) -> Result<(), PipelineError> {
        self.finish_in_flight().await?;
        self.upload.send_part(std::mem::take(&mut self.part))?;
        self.unsaved = Some(self.checkpoint(None));
        Ok(())
    }

    /// Waits for the part in flight, and saves its checkpoint.
    async fn finish_in_flight(&mut self) -> Result<(), PipelineError> {
        if let Some(part) = self.upload.finish_in_flight().await? {
            part.release(&self.names.selection.pool);
        }
        match self.unsaved.take() {
            Some(checkpoint) => self.save_checkpoint(checkpoint).await,
            None => Ok(()),
        }
    }

    fn checkpoint(&self, tail: Option<Tail>) -> Checkpoint {
        let bytes = self.upload.bytes() + tail.as_ref().map_or(0, |tail| tail.bytes);
        Checkpoint {
            upload_id: self.upload.upload_id().to_owned(),
            parts: self.upload.parts().clone(),
            crc32: self.upload.crc32(),
            tail,
            position: self.position.clone(),
            counts: Counts { bytes, ..self.counts },
            all_read: self.all_read,
        }
    }

    async fn save_checkpoint(&mut self, checkpoint: Checkpoint) -> Result<(), PipelineError> {
        let now = (self.worker.clock)();
        self.saved_ts = now;
        let progress = Progress { rows: checkpoint.counts.written, ..*self.progress.borrow() };
        self.saves += 1;
        let exports = &self.worker.exports;
        exports.save_checkpoint(self.lease, self.saves, &checkpoint, progress, now).await?;
        if let Some(former) = std::mem::replace(&mut self.tail, checkpoint.tail) {
            tail::delete(&self.worker.bucket, &former).await;
        }
        Ok(())
    }
}

/// Whether a checkpoint of the table makes sense.
fn check(checkpoint: &Checkpoint, data_export_id: &str) -> Result<(), AwsError> {
    let position = checkpoint.position.as_ref();
    if position.is_some_and(|position| split_partition_key(&position.partition_key).is_none()) {
        return Err(AwsError::corrupt(data_export_id, "the checkpoint's partition key is malformed"));
    }
    if checkpoint.tail.as_ref().is_some_and(|tail| tail.bytes > checkpoint.counts.bytes) {
        return Err(AwsError::corrupt(data_export_id, "the checkpoint's tail is larger than the file"));
    }
    Ok(())
}
