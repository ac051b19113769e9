//! What can be done wrong on purpose.

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Defect {
    /// A range is shortened before the segment with its rest exists.
    SplitShortensFirst,
    /// The condition of a split does not ask for the next segment.
    SplitIgnoresNext,
    /// A split without an answer that the item does not show counts as one that will not take place.
    SplitGivenUp,
    /// A new segment is put even if it exists.
    PutOverwrites,
    /// A range is cut within a part that was sent, but of which it is not known whether it has arrived.
    CutsSentPart,
    /// Pages that were in flight are kept after a split.
    ReadsBeyondCut,
    /// Invited workers find segments that no item names yet.
    TakesUnnamedSegments,
    /// Who has claimed a segment does not look whether the export has ended.
    ClaimIgnoresExport,
    /// The export's worker does not read segments itself.
    ExporterOnlyWaits,
    /// A worker that only waits hands over without a checkpoint.
    HandsOverWithoutSaving,
    /// The export's worker does not look for segments that failed.
    FailedSegmentIsIgnored,
    /// The files are joined although a segment is being read.
    JoinBeforeAllCompleted,
    /// No checkpoint is saved before the files are joined: each owner has part numbers of its own.
    JoinNumbersByEpoch,
    /// A final export is cleaned up although a segment has a lease.
    CleansUpBesideSegments,
}
