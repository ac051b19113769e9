//! Writes the file of an export: pages are completed with names and put into parts, and everything is counted. Checkpoints are
//! saved after each part, and in between by time.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use query_csv::write_header;
use tokio::sync::watch;
use usage_export::error::AwsError;
use usage_export::export::download::CONTENT_TYPE;
use usage_export::export::manifest::ResolvedScope;
use usage_export::export::store::finish::Completed;
use usage_export::export::store::lease::{Lease, Progress};
use usage_export::export::{Checkpoint, Counts, DataExport, Position, SideObject, checksum_text};
use usage_export::usage::split_partition_key;

use crate::Worker;
use crate::job::error::PipelineError;
use crate::job::manifest::GrowingManifest;
use crate::sink::part::Part;
use crate::sink::side_object::{self, Writing};
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
    manifest: GrowingManifest,
    all_read: bool,
    /// The objects that the last checkpoint names.
    side_objects: Vec<SideObject>,
    /// How many checkpoints this worker has begun.
    checkpoints: u32,
    saved_ts: DateTime<Utc>,
    unsaved: Option<Unsaved>,
    progress: &'a watch::Sender<Progress>,
}

/// A checkpoint that is saved once the part in flight has arrived and the objects that it names are written.
struct Unsaved {
    checkpoint: Checkpoint,
    writing: Vec<Writing>,
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
        scope: ResolvedScope,
        progress: &'a watch::Sender<Progress>,
    ) -> Result<Self, PipelineError> {
        let (bucket, key, epoch) = (&worker.bucket, export.object_key(), export.epoch);
        let mut part = Part::default();
        let (upload, manifest) = if let Some(at) = &export.checkpoint {
            check(at, &export.data_export_id)?;
            if let Some(tail) = &at.tail {
                part.push(side_object::read(bucket, tail).await?);
            }
            let manifest = GrowingManifest::resume(bucket, &at.manifest, at.counts, selection).await?;
            (Upload::resume(bucket, &key, epoch, at), manifest)
        } else {
            part.push(write_header(export.request.fields.iter().map(|field| field.id())));
            let manifest = GrowingManifest::begin(export, scope, selection);
            (Upload::begin(bucket, &key, epoch).await?, manifest)
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
            manifest,
            all_read: at.is_some_and(|at| at.all_read),
            side_objects: at.map(side_objects_of).unwrap_or_default(),
            checkpoints: 0,
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
        let now = (self.worker.clock)();
        self.manifest.add(&page, now)?;
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
        if now - self.saved_ts >= CHECKPOINT_INTERVAL {
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
        self.unsaved = Some(self.begin_checkpoint()?);
        self.finish_in_flight().await
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
        self.finish_in_flight().await?;
        if !self.part.is_empty() {
            self.upload.send_part(std::mem::take(&mut self.part))?;
        }
        self.all_read = true;
        self.unsaved = Some(self.begin_checkpoint()?);
        self.finish_in_flight().await?;
        self.complete().await
    }

    /// Completes the upload of a file whose rows are all in its parts. Only the owner of the lease gets here, and every owner
    /// completes the same parts.
    ///
    /// # Errors
    ///
    /// A call failed, or S3 has other bytes than were written.
    pub async fn complete(self) -> Result<Completed, PipelineError> {
        let counts = Counts { bytes: self.upload.bytes(), ..self.counts };
        let checksum = checksum_text(self.upload.crc32());
        // The last checkpoint has no tail.
        let manifest = self.side_objects.into_iter().next();
        let manifest =
            manifest.ok_or_else(|| AwsError::unexpected(&self.export.data_export_id, "no manifest"))?;
        self.upload.complete().await?;
        let now = (self.worker.clock)();
        let expires_ts = now + TimeDelta::days(i64::from(self.worker.file_days));
        Ok(Completed { counts, checksum, manifest, expires_ts })
    }

    /// Sends the rows so far as a part. The part before it has arrived by then, so its checkpoint is saved first.
    async fn send_part(&mut self) -> Result<(), PipelineError> {
        self.finish_in_flight().await?;
        self.upload.send_part(std::mem::take(&mut self.part))?;
        self.unsaved = Some(self.begin_checkpoint()?);
        Ok(())
    }

    /// Waits for the part in flight, and saves its checkpoint.
    async fn finish_in_flight(&mut self) -> Result<(), PipelineError> {
        if let Some(part) = self.upload.finish_in_flight().await? {
            part.release(&self.names.selection.pool);
        }
        let Some(Unsaved { checkpoint, writing }) = self.unsaved.take() else { return Ok(()) };
        for written in writing {
            written.await.map_err(AwsError::from_join("object of a checkpoint"))??;
        }
        self.save_checkpoint(checkpoint).await
    }

    /// Begins to write the objects of a checkpoint of everything that is written so far.
    fn begin_checkpoint(&mut self) -> Result<Unsaved, PipelineError> {
        self.checkpoints += 1;
        let bucket = &self.worker.bucket;
        // Each claim and each checkpoint has keys of its own: a former lease owner cannot overwrite them.
        let (prefix, nth) =
            (self.export.object_prefix(), format!("{}.{}", self.export.epoch, self.checkpoints));
        let mut writing = Vec::new();
        let tail = (!self.part.is_empty()).then(|| {
            let (tail, written) =
                side_object::write(bucket, format!("{prefix}tail.{nth}"), CONTENT_TYPE, self.part.clone());
            writing.push(written);
            tail
        });
        let bytes = self.upload.bytes() + tail.as_ref().map_or(0, |tail| tail.bytes);
        let counts = Counts { bytes, ..self.counts };
        let crc32 = self.upload.crc32();
        let key = format!("{prefix}manifest.{nth}.json");
        let (manifest, written) = self.manifest.write(bucket, key, counts, crc32)?;
        writing.push(written);
        let checkpoint = Checkpoint {
            upload_id: self.upload.upload_id().to_owned(),
            parts: self.upload.parts().clone(),
            crc32,
            tail,
            manifest,
            position: self.position.clone(),
            counts,
            all_read: self.all_read,
        };
        Ok(Unsaved { checkpoint, writing })
    }

    async fn save_checkpoint(&mut self, checkpoint: Checkpoint) -> Result<(), PipelineError> {
        let now = (self.worker.clock)();
        self.saved_ts = now;
        let progress = Progress { rows: checkpoint.counts.written, ..*self.progress.borrow() };
        let Worker { exports, bucket, .. } = self.worker;
        exports.save_checkpoint(self.lease, self.checkpoints, &checkpoint, progress, now).await?;
        for former in std::mem::replace(&mut self.side_objects, side_objects_of(&checkpoint)) {
            side_object::delete_later(bucket, former);
        }
        Ok(())
    }
}

/// The objects that a checkpoint names.
fn side_objects_of(checkpoint: &Checkpoint) -> Vec<SideObject> {
    [Some(&checkpoint.manifest), checkpoint.tail.as_ref()].into_iter().flatten().cloned().collect()
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
