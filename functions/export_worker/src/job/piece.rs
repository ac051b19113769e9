//! What a worker has claimed: an export, or one of its segments. Both are made by the same code.

use usage_export::export::store::lease::Lease;
use usage_export::export::{Checkpoint, DataExport, Range, Segment};

/// An export or a segment that this worker has the lease of.
#[derive(Debug, Clone)]
pub struct Piece {
    /// By what each step on its item is recognised.
    pub lease: Lease,
    /// Claims since the last checkpoint.
    pub attempts: u32,
    /// What the keys of its file and of its side objects begin with.
    pub prefix: String,
    /// What it reads. It ends earlier after a split.
    pub range: Range,
    /// The segment that follows.
    pub next_segment: Option<String>,
    /// From where it goes on.
    pub checkpoint: Option<Checkpoint>,
    /// Whether it is the export itself, whose file begins with the header and has everything in the end.
    pub is_export: bool,
}

impl Piece {
    /// The first segment of an export, which is the export itself.
    pub fn of_export(claimed: &DataExport) -> Self {
        Self {
            lease: Lease::of(claimed),
            attempts: claimed.attempts,
            prefix: claimed.object_prefix(),
            range: Range { from: None, until: claimed.until.clone() },
            next_segment: claimed.next_segment.clone(),
            checkpoint: claimed.checkpoint.clone(),
            is_export: true,
        }
    }

    /// Another segment.
    pub fn of_segment(export: &DataExport, claimed: &Segment) -> Self {
        Self {
            lease: Lease::of_segment(claimed),
            attempts: claimed.attempts,
            prefix: claimed.object_prefix(export),
            range: claimed.range(),
            next_segment: claimed.next_segment.clone(),
            checkpoint: claimed.checkpoint.clone(),
            is_export: false,
        }
    }

    /// The key of its file.
    pub fn object_key(&self) -> String {
        format!("{}csv", self.prefix)
    }
}
