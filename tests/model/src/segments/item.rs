//! The items of the table: the export's record, which is the first segment, and the further segments.

use crate::world::Rows;

/// The number of an item. The export is [`EXPORT`]; others are numbered as their splits began.
pub type Id = usize;

pub const EXPORT: Id = 0;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum State {
    Requested,
    InProgress,
    Completed,
    Failed(Reason),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reason {
    Cancelled,
    /// An error that no repetition repairs.
    Broken,
    TooManyAttempts,
    /// S3 does not have what was written, or the ranges do not follow each other.
    IntegrityMismatch,
}

impl State {
    pub fn is_final(self) -> bool {
        matches!(self, Self::Completed | Self::Failed(_))
    }
}

/// A part of an upload, as who sent it knows it: the rows stand for length and checksum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Part {
    pub number: u8,
    pub rows: Rows,
}

/// How far the export is. A segment is always `Reading`: it has no other files to add.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Stage {
    #[default]
    Reading,
    /// The segments' files are sent as parts, the first one under this number.
    Joining { first: u8 },
    /// Every row of the export is in a part.
    AllRead,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Checkpoint {
    pub stage: Stage,
    /// Up to which row the item's own range is in parts.
    pub position: u8,
    pub parts: Vec<Part>,
}

impl Checkpoint {
    /// Whether another one is further. Stands for the number that each save has.
    pub fn is_behind(&self, other: &Self) -> bool {
        (self.stage, self.position) < (other.stage, other.position)
    }
}

/// What a write of a lease owner is conditional on. The claim of another owner begins another epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Token {
    pub id: Id,
    pub epoch: u8,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Item {
    /// The first row of its range.
    pub from: u8,
    /// The row after its range.
    pub until: u8,
    /// The item whose range follows.
    pub next: Option<Id>,
    pub state: State,
    pub epoch: u8,
    /// Whether others see the lease as run out, although its owner may still be at work.
    pub is_expired: bool,
    /// Claims since the last checkpoint.
    pub attempts: u8,
    pub checkpoint: Checkpoint,
}

impl Item {
    pub fn requested(from: u8, until: u8, next: Option<Id>) -> Self {
        Self {
            from,
            until,
            next,
            state: State::Requested,
            epoch: 0,
            is_expired: false,
            attempts: 0,
            checkpoint: Checkpoint { position: from, ..Checkpoint::default() },
        }
    }
}

/// The rows `from..to`. There is one plan only.
pub fn rows(from: u8, to: u8) -> Rows {
    Rows { from, to, plan: 0 }
}
