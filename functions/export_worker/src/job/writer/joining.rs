//! The segments that are joined to the first one, one after the other as they are completed, after a comparison of what they say.

use usage_export::export::manifest::ResolvedScope;
use usage_export::export::store::finish::Completed;
use usage_export::export::{Counts, Cut, Segment, SideObject};

use super::Writer;
use crate::job::error::PipelineError;
use crate::job::manifest::GrowingManifest;
use crate::job::piece::Piece;
use crate::job::setup::Setup;
use crate::sink::join::Join;
use crate::sink::part::Part;
use crate::sink::upload::Upload;

/// What completed segments add to the file.
pub(super) struct Joining {
    /// Their files, or the tails of those that are smaller than a part.
    join: Join,
    /// Their manifests together.
    manifest: GrowingManifest,
    /// What they count together.
    counts: Counts,
    /// How many there are.
    segments: usize,
    /// Where the next one has to begin; `None` after the last one.
    until: Option<Cut>,
}

impl Writer<'_> {
    /// Joins segments to the first one, which is read: `completed` are all behind it up to one that is not complete yet, or up to the end.
    ///
    /// A checkpoint is saved before, by which every owner of the lease joins the same bytes as parts with the same numbers. Nothing may be
    /// saved any more if this is given up: the next owner finds in S3 what has arrived.
    ///
    /// # Errors
    ///
    /// A call failed, the lease is lost, or the segments do not follow each other.
    pub async fn join(
        &mut self,
        piece: &Piece,
        completed: &[Segment],
        are_all: bool,
    ) -> Result<(), PipelineError> {
        let mut joining = match self.joining.take() {
            Some(joining) => joining,
            None => self.begin_to_join(piece).await?,
        };
        joining.add(self.setup, &self.upload, completed, are_all).await?;
        self.joining = Some(joining);
        Ok(())
    }

    /// Completes the file after all segments were joined.
    ///
    /// # Errors
    ///
    /// As for [`Writer::finish`].
    pub async fn complete_joined(mut self) -> Result<Completed, PipelineError> {
        let Setup { worker, export, .. } = self.setup;
        if let Some(Joining { join, manifest, counts, .. }) = self.joining.take() {
            self.manifest.add_all(&manifest);
            self.counts += counts;
            join.finish(&mut self.upload);
            self.part = Part::default();
        }
        if !self.counts.agree() {
            return Err(PipelineError::integrity_mismatch(format!("rows do not agree: {:?}", self.counts)));
        }
        // What the workers of the segments have used since this one began.
        if let Some(export) = worker.exports.get(&export.data_export_id).await? {
            self.used_by_others = export.cost();
        }
        self.all_read = true;
        self.save().await?;
        self.complete().await
    }

    async fn begin_to_join(&mut self, piece: &Piece) -> Result<Joining, PipelineError> {
        self.name_rows().await?;
        self.finish_in_flight().await?;
        // The checkpoint has to name the upload that the parts belong to.
        self.upload.begin().await?;
        let first = self.join_from.unwrap_or_else(|| self.upload.next_number());
        let is_first = self.join_from.replace(first).is_none();
        // Who joins again has nothing to save: it would count as progress, for ever if a part is always refused.
        if is_first {
            self.save().await?;
        }
        let join = Join::begin(&mut self.upload, first, self.part.clone(), !is_first).await?;
        Ok(Joining::begin(self.setup, piece, join))
    }
}

impl Joining {
    /// Nothing is joined yet to the first segment, which is `piece`.
    fn begin(setup: &Setup<'_>, piece: &Piece, join: Join) -> Self {
        let manifest = GrowingManifest::begin(setup.export, ResolvedScope::default(), &setup.selection);
        Self { join, manifest, counts: Counts::default(), segments: 0, until: piece.range.until.clone() }
    }

    /// Adds those of the completed segments behind the first one that were not yet added.
    ///
    /// # Errors
    ///
    /// A call failed; [`PipelineError::Permanent`] if their ranges do not follow each other, or one is not complete.
    async fn add(
        &mut self,
        setup: &Setup<'_>,
        upload: &Upload,
        completed: &[Segment],
        are_all: bool,
    ) -> Result<(), PipelineError> {
        let (mut files, mut manifests) = (Vec::new(), Vec::new());
        for segment in completed.iter().skip(self.segments) {
            let (file, manifest, counts) = self.follow(setup, segment)?;
            files.extend(file);
            manifests.push((manifest, counts));
            self.counts += counts;
        }
        if are_all && self.until.is_some() {
            return Err(PipelineError::integrity_mismatch("the last segment is not the end".to_owned()));
        }
        let manifest = async { Ok(self.manifest.join(&setup.worker.bucket, &manifests).await?) };
        let files = async { Ok::<_, PipelineError>(self.join.add(upload, files, are_all).await?) };
        tokio::try_join!(manifest, files)?;
        Ok(())
    }

    /// The file, the manifest and the counts of the next segment.
    fn follow(
        &mut self,
        setup: &Setup<'_>,
        segment: &Segment,
    ) -> Result<(Option<SideObject>, SideObject, Counts), PipelineError> {
        let wrong = |what| PipelineError::integrity_mismatch(format!("{}: {what}", segment.key));
        if self.until.as_ref() != Some(&segment.from) {
            return Err(wrong("it does not begin where the one before ends"));
        }
        self.until.clone_from(&segment.until);
        self.segments += 1;
        let Some(at) = segment.checkpoint.as_ref().filter(|at| at.all_read) else {
            return Err(wrong("it is not complete"));
        };
        if !at.counts.agree() {
            return Err(wrong("its rows do not agree"));
        }
        let key = segment.object_key(setup.export);
        let file = SideObject { key, bytes: at.counts.bytes, crc32: at.crc32 };
        let file = if at.parts.is_empty() { at.tail.clone() } else { Some(file) };
        if file.as_ref().map_or(0, |file| file.bytes) != at.counts.bytes {
            return Err(wrong("its file has another size than was counted"));
        }
        Ok((file, at.manifest.clone(), at.counts))
    }
}
