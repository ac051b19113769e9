//! Writes the file of an export: pages are completed with names and put into parts, and everything is counted. Checkpoints are
//! saved after each part, and in between by time.

use std::sync::Arc;

use crate::Worker;
use crate::job::error::PipelineError;
use crate::job::manifest::GrowingManifest;
use crate::job::progress::Reading;
use crate::sink::part::Part;
use crate::sink::side_object;
use crate::sink::upload::Upload;
use chrono::{DateTime, TimeDelta, Utc};
use query_csv::write_header;
use tokio::sync::watch;
use usage_export::error::AwsError;
use usage_export::export::manifest::ResolvedScope;
use usage_export::export::store::finish::Completed;
use usage_export::export::store::lease::Lease;
use usage_export::export::{Counts, DataExport, Position, SideObject, checksum_text};
use usage_records::names::Names;
use usage_records::page::Page;
use usage_records::selection::Selection;

use self::checkpoints::{Unsaved, check, side_objects_of};

mod checkpoints;

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
    told: &'a watch::Sender<Reading>,
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
        told: &'a watch::Sender<Reading>,
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
            told,
        })
    }

    /// Up to where every record is written or left out.
    pub fn position(&self) -> Option<&Position> {
        self.position.as_ref()
    }

    /// What was counted so far.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// Whether only completing the upload is left.
    pub fn is_all_read(&self) -> bool {
        self.all_read
    }

    /// Writes a page. Sends the part when it is large enough, or saves a checkpoint when it is time.
    ///
    /// # Errors
    ///
    /// A call failed, or a name cannot be written.
    pub async fn write(&mut self, page: Page) -> Result<(), PipelineError> {
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
        if self.part.len() >= self.upload.min_part_bytes() {
            return self.send_part().await;
        }
        if now - self.saved_ts >= CHECKPOINT_INTERVAL {
            self.save().await?;
        }
        Ok(())
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
        let credit_cost = self.manifest.credit_cost();
        // The last checkpoint has no tail.
        let manifest = self.side_objects.into_iter().next();
        let manifest =
            manifest.ok_or_else(|| AwsError::unexpected(&self.export.data_export_id, "no manifest"))?;
        let stored = self.upload.complete().await?;
        let created_ts = stored.created_ts.unwrap_or(self.export.created_ts);
        // S3 deletes the file at the first midnight after that.
        // https://docs.aws.amazon.com/AmazonS3/latest/userguide/intro-lifecycle-rules.html
        let expires_ts = created_ts + TimeDelta::days(i64::from(self.worker.file_days));
        Ok(Completed { counts, checksum, etag: stored.etag, manifest, credit_cost, expires_ts })
    }

    /// Sends the rows so far as a part. The part before it has arrived by then, so its checkpoint is saved first.
    async fn send_part(&mut self) -> Result<(), PipelineError> {
        self.finish_in_flight().await?;
        self.upload.send_part(std::mem::take(&mut self.part))?;
        self.unsaved = Some(self.begin_checkpoint()?);
        Ok(())
    }
}
