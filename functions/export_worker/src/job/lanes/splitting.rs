//! Into how many pieces a worker has something split, and how large they are to be.

use crate::Splitting;

/// Into how many pieces something is split for lanes of other workers, should they have nothing to do.
const SPARE_PIECES: usize = 4;

/// Into how many pieces something is split at most, after the first time.
const MAX_PIECES: usize = 8;

/// How many times the least number of pages are much, as long as there are not many segments.
const MUCH: usize = 4;

/// What a worker sees of an export when it decides about a split.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seen {
    /// Whether the export was split before.
    pub(super) is_split: bool,
    /// Segments that nobody reads.
    pub(super) free: usize,
    /// Lanes of this worker that have nothing to do.
    pub(super) idle: usize,
    /// Segments behind the first one.
    pub(super) segments: usize,
    /// Those of them that are read, by whatever worker.
    pub(super) in_progress: usize,
}

impl Seen {
    /// Into how many pieces the segment of this worker is split that has most left, and how many pages each should have at least.
    ///
    /// If nothing is free, it is for the lanes that are idle, of this worker and of others, or so that those who become idle find something. If
    /// something is free, what has much more left than others is split nevertheless: its lane would still read it when all others have
    /// ended, because DynamoDB gives one lane what one partition has.
    pub(super) fn wanted(self, splitting: &Splitting) -> (usize, u32) {
        let all_lanes = splitting.lanes * splitting.max_workers as usize;
        // One of them may read the first segment.
        let idle_of_all = all_lanes.saturating_sub(1 + self.in_progress);
        let idle = self.idle.max(idle_of_all).min(MAX_PIECES - 1);
        let (pieces, min_pages) = match self {
            // Several for each lane: some prove larger than others. Each costs some fourteen calls, so those of a medium export are larger.
            Self { is_split: false, .. } => (4 * all_lanes, splitting.min_pages),
            Self { free: 1.., .. } => (MAX_PIECES, self.much(splitting, all_lanes) / 2),
            _ if idle == 0 && splitting.max_workers > 1 => (SPARE_PIECES, splitting.min_pages / 2),
            // The last pieces decide when everything is read, so they may be smaller; but what is smaller than a part is joined through memory.
            _ => (idle + 1, splitting.min_pages.saturating_mul(5) / 16),
        };
        (pieces, min_pages.max(1))
    }

    /// How many pages are much more than others have. It grows with the number of segments, of which an export of a billion rows has many.
    fn much(self, splitting: &Splitting, all_lanes: usize) -> u32 {
        let times = MUCH * (1 + self.segments / (2 * MUCH * all_lanes).max(1));
        splitting.min_pages.saturating_mul(u32::try_from(times).unwrap_or(u32::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPLITTING: Splitting = Splitting { lanes: 6, max_workers: 4, min_pages: 16 };
    const ALL_BUSY: Seen = Seen { is_split: true, free: 0, idle: 0, segments: 100, in_progress: 24 };

    #[test]
    fn there_are_pieces_for_all_lanes_and_some_to_spare() {
        assert_eq!(Seen { is_split: false, ..ALL_BUSY }.wanted(&SPLITTING), (96, 16));
        assert_eq!(ALL_BUSY.wanted(&SPLITTING), (SPARE_PIECES, 8));
        assert_eq!(Seen { idle: 2, ..ALL_BUSY }.wanted(&SPLITTING), (3, 5));
        assert_eq!(Seen { in_progress: 20, ..ALL_BUSY }.wanted(&SPLITTING), (4, 5), "for others");
        assert_eq!(Seen { in_progress: 2, idle: 5, ..ALL_BUSY }.wanted(&SPLITTING), (MAX_PIECES, 5));
    }

    #[test]
    fn a_single_worker_splits_for_its_own_lanes_only() {
        let alone = Splitting { max_workers: 1, ..SPLITTING };
        let busy = Seen { in_progress: 5, ..ALL_BUSY };
        assert_eq!(busy.wanted(&alone).0, 1, "nothing");
        assert_eq!(Seen { idle: 1, in_progress: 4, ..busy }.wanted(&alone).0, 2);
    }

    #[test]
    fn what_is_much_more_is_split_although_something_is_free() {
        let free = Seen { free: 3, ..ALL_BUSY };
        assert_eq!(free.wanted(&SPLITTING), (MAX_PIECES, 32));
        assert_eq!(Seen { segments: 1_000, ..free }.wanted(&SPLITTING), (MAX_PIECES, 32 * 6));
        let smallest = Splitting { min_pages: 1, ..SPLITTING };
        assert_eq!(Seen { idle: 1, ..ALL_BUSY }.wanted(&smallest), (2, 1));
    }
}
