//! Writes the file of an export or a segment: pages are completed with names and put into parts, and everything is counted. Checkpoints are
//! saved by time.

use std::sync::Arc;

use crate::job::error::PipelineError;
use crate::job::manifest::GrowingManifest;
use crate::job::piece::Piece;
use crate::job::progress::Reading;
use crate::job::setup::Setup;
use crate::sink::part::Part;
use crate::sink::side_object;
use crate::sink::upload::Upload;
use chrono::{DateTime, TimeDelta, Utc};
use query_csv::write_header;
use tokio::sync::watch;
use usage_export::export::store::lease::Lease;
use usage_export::export::{Cost, Counts, Position, SideObject};
use usage_records::names::Names;
use usage_records::page::Page;

use self::checkpoints::{Unsaved, check, side_objects_of};
use self::joining::Joining;
use self::unnamed::Unnamed;

mod checkpoints;
mod finishing;
mod joining;
mod unnamed;

/// How much time passes between two checkpoints, at most as much as a killed worker's successor has to read again. One that is saved so late
/// has the rows that do not make a part yet, as its tail.
const TAIL_INTERVAL: TimeDelta = TimeDelta::seconds(10);

/// The file of an export or of a segment while it is written.
pub struct Writer<'a> {
    setup: &'a Setup<'a>,
    lease: Lease,
    /// What the keys of side objects begin with.
    prefix: String,
    is_export: bool,
    names: Names,
    /// The last pages, whose rows are not in the part yet.
    unnamed: Unnamed,
    part: Part,
    upload: Upload,
    counts: Counts,
    /// Up to where every record is in a part or left out.
    position: Option<Position>,
    manifest: GrowingManifest,
    all_read: bool,
    /// The number of the first part that segments are joined to; set once the first segment is read.
    join_from: Option<u32>,
    /// The segments that are joined so far.
    joining: Option<Joining>,
    /// The objects that the last checkpoint names.
    side_objects: Vec<SideObject>,
    /// How many checkpoints this worker has begun.
    checkpoints: u32,
    saved_ts: DateTime<Utc>,
    /// How many parts the last checkpoint has.
    saved_parts: u32,
    unsaved: Option<Unsaved>,
    /// What other workers have used for the export.
    used_by_others: Cost,
    told: &'a watch::Sender<Reading>,
}

impl<'a> Writer<'a> {
    /// Begins a file, or goes on from the checkpoint.
    ///
    /// # Errors
    ///
    /// A call failed, or the checkpoint cannot be read.
    pub async fn start(
        setup: &'a Setup<'a>,
        piece: &Piece,
        told: &'a watch::Sender<Reading>,
    ) -> Result<Self, PipelineError> {
        let Setup { worker, export, selection, .. } = setup;
        let (bucket, key, epoch) = (&worker.bucket, piece.object_key(), piece.lease.epoch);
        let mut part = Part::default();
        let at = piece.checkpoint.as_ref();
        let (upload, manifest) = if let Some(at) = at {
            check(at, &piece.lease.key)?;
            if let Some(tail) = &at.tail {
                part.push(side_object::read(bucket, tail).await?);
            }
            let manifest = GrowingManifest::resume(bucket, &at.manifest, at.counts, selection).await?;
            (Upload::resume(bucket, &key, epoch, at, &selection.pool), manifest)
        } else {
            let upload = Upload::new(bucket, &key, epoch, &selection.pool);
            if piece.is_export {
                part.push(write_header(export.request.fields.iter().map(|field| field.id())));
            }
            (upload, GrowingManifest::begin(export, setup.scope_of(piece), selection))
        };
        Ok(Self {
            setup,
            lease: piece.lease.clone(),
            prefix: piece.prefix.clone(),
            is_export: piece.is_export,
            names: Names {
                directory: worker.directory.clone(),
                organization_id: export.organization_id.clone(),
                selection: Arc::clone(selection),
            },
            unnamed: Unnamed::default(),
            part,
            upload,
            counts: at.map(|at| at.counts).unwrap_or_default(),
            position: at.and_then(|at| at.position.clone()),
            manifest,
            all_read: at.is_some_and(|at| at.all_read),
            join_from: at.and_then(|at| at.join_from),
            joining: None,
            side_objects: at.map(side_objects_of).unwrap_or_default(),
            checkpoints: 0,
            saved_ts: (worker.clock)(),
            saved_parts: at.map_or(0, |at| at.parts.len()),
            unsaved: None,
            used_by_others: export.cost(),
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

    /// Whether the first segment is read, and the others are to be joined to it.
    pub fn is_joining(&self) -> bool {
        self.join_from.is_some()
    }

    /// Writes a page. Sends the part when it is large enough, or saves a checkpoint when it is time.
    ///
    /// # Errors
    ///
    /// A call failed, or a name cannot be written.
    pub async fn write(&mut self, page: Page) -> Result<(), PipelineError> {
        let now = (self.setup.worker.clock)();
        self.manifest.add(&page, now)?;
        self.counts.read += page.read;
        self.counts.read_units += page.read_units;
        self.counts.written += page.rows.counts.written;
        self.counts.filtered += page.filtered + page.rows.counts.left_out;
        self.position = Some(Position { partition_key: page.partition.partition_key, sort_key: page.up_to });
        self.unnamed.push(page.rows, &self.names);
        if self.unnamed.is_enough() {
            self.name_rows().await?;
        }
        if self.part.len() >= self.upload.min_part_bytes(self.is_export) {
            return self.send_part().await;
        }
        if now - self.saved_ts >= TAIL_INTERVAL {
            self.save().await?;
        }
        Ok(())
    }

    /// Sends the rows so far as a part. The part before it has arrived by then, so its checkpoint is saved first, if it has one.
    async fn send_part(&mut self) -> Result<(), PipelineError> {
        self.finish_in_flight().await?;
        self.upload.send_part(std::mem::take(&mut self.part)).await?;
        if self.is_checkpoint_due() {
            self.unsaved = Some(self.begin_checkpoint()?);
        }
        Ok(())
    }
}
