//! The files of an export: the parts of its segments, and what joins them.

use super::aws::MAX_PARTS;
use super::product::{
    FIRST_PART, LARGE_PART, LARGE_PARTS_FROM, MAX_COPY, MAX_SEGMENTS, SEGMENT_PAGES, SEGMENT_PART,
};
use super::workload::Workload;

/// How an export's file comes about. All segments count as equally large.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Files {
    /// Segments, the first one included.
    pub segments: u128,
    /// Parts that are sent of the first segment.
    pub first_parts: u128,
    /// Parts that are sent of all others.
    pub other_parts: u128,
    /// Whether the whole file is one request, because it is smaller than a part.
    pub is_one_request: bool,
    /// Uploads, the export's own included: a segment that is smaller than a part has none, nor has a file that is one request.
    pub uploads: u128,
    /// Parts that are copied into the file.
    pub copies: u128,
    /// Parts that go through memory when segments are joined, because S3 takes no copies so small.
    pub sent_again: u128,
    /// Bytes that are copied.
    pub copied: u128,
}

impl Files {
    /// The files of an export that so many lanes read.
    pub fn new(work: &Workload, lanes: u128) -> Self {
        let segments = segments(work, lanes);
        let bytes = work.file / segments;
        let others = segments - 1;
        let has_files = bytes >= SEGMENT_PART;
        let is_one_request = segments == 1 && work.file < FIRST_PART;
        let copied = if has_files { bytes * others } else { 0 };
        Self {
            segments,
            is_one_request,
            first_parts: if is_one_request { 0 } else { parts(work.file - bytes * others, FIRST_PART) },
            other_parts: if has_files { parts(bytes, SEGMENT_PART) * others } else { 0 },
            uploads: if has_files && !is_one_request { segments } else { u128::from(!is_one_request) },
            copies: if has_files { bytes.div_ceil(MAX_COPY) * others } else { 0 },
            sent_again: if has_files { others } else { (bytes * others).div_ceil(SEGMENT_PART) },
            copied,
        }
    }

    /// Whether an upload has more parts than S3 takes.
    pub fn are_too_many(&self) -> bool {
        self.parts() > MAX_PARTS || self.other_parts > MAX_PARTS * (self.segments - 1)
    }

    /// Parts of the file itself.
    pub fn parts(&self) -> u128 {
        self.first_parts + self.copies + self.sent_again
    }
}

/// How many segments an export ends up with: one for each lane, and as often again as the pages of a lane can be halved. A single
/// partition is throttled by then, and not split again.
fn segments(work: &Workload, lanes: u128) -> u128 {
    if lanes == 1 || work.largest_units == work.units {
        return lanes;
    }
    let halves = (work.full_pages / (lanes * SEGMENT_PAGES)).max(1).ilog2();
    (lanes * (1 + u128::from(halves))).min(work.full_pages / SEGMENT_PAGES).min(MAX_SEGMENTS)
}

/// How many parts an upload of so many bytes has, if its parts begin with this size.
fn parts(bytes: u128, size: u128) -> u128 {
    let before_large = size * LARGE_PARTS_FROM;
    if bytes <= before_large {
        bytes.div_ceil(size).max(1)
    } else {
        LARGE_PARTS_FROM + (bytes - before_large).div_ceil(LARGE_PART)
    }
}

/// The bytes of the largest file that is not split: S3 takes no more parts.
pub const LARGEST_UNSPLIT: u128 = FIRST_PART * LARGE_PARTS_FROM + LARGE_PART * (MAX_PARTS - LARGE_PARTS_FROM);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::capacity::product::MIB;

    #[test]
    fn parts_grow_when_there_are_many() {
        assert_eq!(parts(1, FIRST_PART), 1);
        assert_eq!(parts(FIRST_PART + 1, FIRST_PART), 2);
        assert_eq!(parts(32_000 * MIB + 1, FIRST_PART), 4_001);
        assert_eq!(parts(LARGEST_UNSPLIT, FIRST_PART), MAX_PARTS);
        assert_eq!(parts(LARGEST_UNSPLIT + 1, FIRST_PART), MAX_PARTS + 1);
    }

    #[test]
    fn lanes_are_split_until_segments_are_small() {
        let segments = |pages, largest_units| {
            let (full_pages, waits_unsplit, waits_split) = (pages, pages, pages);
            let work = Workload {
                rows: 0,
                units: 9,
                largest_units,
                pages,
                full_pages,
                waits_unsplit,
                waits_split,
                received: 0,
                file: 0,
                cpu_ms: 0,
            };
            segments(&work, 8)
        };
        // 24 pages a lane can be split once, 64 three times.
        assert_eq!([segments(194, 1), segments(512, 1)], [16, 32]);
        assert_eq!(segments(512, 9), 8, "a single partition");
    }
}
