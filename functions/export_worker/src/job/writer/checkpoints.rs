//! Checkpoints of a file while it is written: begun after a part or in between, saved once the part in flight has arrived and the
//! objects that the checkpoint names are written.

use usage_export::error::AwsError;
use usage_export::export::document::Document;
use usage_export::export::manifest::Used;
use usage_export::export::{Checkpoint, Counts, MAX_UNSAVED_PARTS, SideObject};
use usage_export::usage::split_partition_key;

use super::Writer;
use crate::Worker;
use crate::job::error::PipelineError;
use crate::sink::side_object::{self, Writing};

/// A checkpoint that is saved once the part in flight has arrived and the objects that it names are written.
pub(super) struct Unsaved {
    checkpoint: Checkpoint,
    writing: Vec<Writing>,
}

impl Writer<'_> {
    /// Saves a checkpoint of everything that is written, with the rows that do not yet make a part as its tail.
    ///
    /// # Errors
    ///
    /// A call failed, or the lease is lost.
    pub async fn save(&mut self) -> Result<(), PipelineError> {
        self.name_rows().await?;
        self.finish_in_flight().await?;
        self.unsaved = Some(self.begin_checkpoint()?);
        self.finish_in_flight().await
    }

    /// Whether the part that was just sent gets a checkpoint: not each one, because a checkpoint is two more calls for the one that sends a part.
    pub(super) fn is_checkpoint_due(&self) -> bool {
        let Worker { clock, checkpoint_interval, .. } = self.setup.worker;
        let unsaved_parts = self.upload.parts().len() - self.saved_parts;
        unsaved_parts >= MAX_UNSAVED_PARTS || clock() - self.saved_ts >= *checkpoint_interval
    }

    /// Waits for the part in flight, and saves its checkpoint, if it has one.
    pub(super) async fn finish_in_flight(&mut self) -> Result<(), PipelineError> {
        self.upload.finish_in_flight().await?;
        let Some(Unsaved { checkpoint, writing }) = self.unsaved.take() else { return Ok(()) };
        for written in writing {
            written.await.map_err(AwsError::from_join("object of a checkpoint"))??;
        }
        self.save_checkpoint(checkpoint).await
    }

    /// Begins to write the objects of a checkpoint of everything that is written so far.
    pub(super) fn begin_checkpoint(&mut self) -> Result<Unsaved, PipelineError> {
        self.checkpoints += 1;
        let bucket = &self.setup.worker.bucket;
        // Each claim and each checkpoint has keys of its own: a former lease owner cannot overwrite them.
        let (prefix, nth) = (&self.prefix, format!("{}.{}", self.lease.epoch, self.checkpoints));
        let mut writing = Vec::new();
        let tail = (!self.part.is_empty()).then(|| {
            let (tail, written) =
                side_object::write(bucket, format!("{prefix}tail.{nth}"), Document::CSV, self.part.clone());
            writing.push(written);
            tail
        });
        let bytes = self.upload.bytes() + tail.as_ref().map_or(0, |tail| tail.bytes);
        let counts = Counts { bytes, ..self.counts };
        let crc32 = self.upload.crc32();
        let (manifest, written) = self.begin_manifest(counts, crc32)?;
        writing.push(written);
        let checkpoint = Checkpoint {
            upload_id: self.upload.upload_id().map(str::to_owned),
            parts: self.upload.parts().clone(),
            crc32,
            tail,
            manifest,
            position: self.position.clone(),
            counts,
            join_from: self.join_from,
            all_read: self.all_read,
        };
        Ok(Unsaved { checkpoint, writing })
    }

    /// Begins to write the manifest of what is written so far, for the checkpoint that was just begun.
    pub(super) fn begin_manifest(
        &mut self,
        counts: Counts,
        crc32: u32,
    ) -> Result<(SideObject, Writing), PipelineError> {
        let key = format!("{}manifest.{}.{}.json", self.prefix, self.lease.epoch, self.checkpoints);
        let used =
            Used { read_units: counts.read_units, cost: self.used_by_others + self.setup.meter.cost() };
        self.manifest.write(&self.setup.worker.bucket, key, counts, crc32, used)
    }

    async fn save_checkpoint(&mut self, checkpoint: Checkpoint) -> Result<(), PipelineError> {
        let Worker { exports, bucket, clock, .. } = self.setup.worker;
        if !checkpoint.all_read {
            // Whoever goes on has to read the same partitions.
            self.setup.store_plan().await?;
        }
        let now = clock();
        (self.saved_ts, self.saved_parts) = (now, checkpoint.parts.len());
        let progress = self.told.borrow().progress;
        exports.save_checkpoint(&self.lease, self.checkpoints, &checkpoint, progress, now).await?;
        for former in std::mem::replace(&mut self.side_objects, side_objects_of(&checkpoint)) {
            side_object::delete_later(bucket, former);
        }
        Ok(())
    }
}

/// The objects that a checkpoint names.
pub(super) fn side_objects_of(checkpoint: &Checkpoint) -> Vec<SideObject> {
    [Some(&checkpoint.manifest), checkpoint.tail.as_ref()].into_iter().flatten().cloned().collect()
}

/// Whether a checkpoint of the table makes sense.
pub(super) fn check(checkpoint: &Checkpoint, data_export_id: &str) -> Result<(), AwsError> {
    let position = checkpoint.position.as_ref();
    if position.is_some_and(|position| split_partition_key(&position.partition_key).is_none()) {
        return Err(AwsError::corrupt(data_export_id, "the checkpoint's partition key is malformed"));
    }
    if checkpoint.tail.as_ref().is_some_and(|tail| tail.bytes > checkpoint.counts.bytes) {
        return Err(AwsError::corrupt(data_export_id, "the checkpoint's tail is larger than the file"));
    }
    Ok(())
}
