//! One worker: what it is about to do, and its next write.

use super::call::Call;
use super::item::{Checkpoint, EXPORT, Id, Item, Part, Reason, Stage, Token, rows};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// Has the export's message: it reads, joins and settles the export.
    Exporter,
    /// Has an invitation: it reads segments and nothing else.
    Invited,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Split {
    /// The number of the new segment.
    pub id: Id,
    pub cut: u8,
}

/// What a worker has learnt on its way from segment to segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Walk {
    /// Up to which row the ranges follow each other.
    pub reached: u8,
    pub has_unfinished: bool,
}

/// What a worker is about to do. Each step is one call, but `Write`, at which it decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Step {
    Claim(Id),
    /// Reads the export's record after the claim of a segment.
    LookAtExport {
        attempts: u8,
    },
    /// Sends what it has read, reads more, splits or hands over.
    Write,
    /// Sends a part again that may have arrived.
    SendPart,
    Save,
    PutSegment(Split),
    Shorten(Split),
    /// Reads the item again, because it is not known whether the split took place.
    LookAgain(Split),
    CompleteUpload,
    Complete,
    Fail(Reason),
    /// Reads the export's record, to begin a walk.
    Begin,
    /// Reads the next segment.
    Visit(Id, Walk),
    /// Sends the file of a segment as a part.
    Join(Id),
    /// Reads an item, to see whether its lease has ended.
    CheckLease(Id),
    AbortUploads,
    DeleteObjects,
    Settle,
}

/// What a worker knows of an item that it has claimed.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Draft {
    pub token: Token,
    pub until: u8,
    pub next: Option<Id>,
    /// Up to which row it has pages in memory.
    pub read: u8,
    /// The checkpoint that is to be saved next.
    pub checkpoint: Checkpoint,
    /// The files of segments that are joined so far. No checkpoint has them before all are.
    pub joined: Vec<Part>,
    /// Up to which row.
    pub joined_to: u8,
    /// Whether its lease has once seemed to run out.
    pub was_frozen: bool,
}

impl Draft {
    pub fn of(id: Id, item: &Item) -> Self {
        let mut draft = Self {
            token: Token { id, epoch: item.epoch },
            until: item.until,
            next: item.next,
            read: 0,
            checkpoint: item.checkpoint.clone(),
            joined: Vec::new(),
            joined_to: 0,
            was_frozen: false,
        };
        draft.read_page();
        draft
    }

    /// Reads a page of a row, unless it has read its range.
    pub fn read_page(&mut self) {
        self.read = self.until.min(self.checkpoint.position + 1);
    }

    pub fn is_read(&self) -> bool {
        self.checkpoint.position >= self.until
    }

    /// The part with the rows that are in memory. Its number is its place in the file plus the epoch.
    pub fn next_part(&self) -> Part {
        Part { number: self.next_number(), rows: rows(self.checkpoint.position, self.read) }
    }

    pub fn next_number(&self) -> u8 {
        let count = |parts: &[Part]| u8::try_from(parts.len()).unwrap_or(u8::MAX);
        let joined = count(&self.joined);
        match self.checkpoint.stage {
            Stage::Joining { first } => first + joined,
            _ => count(&self.checkpoint.parts) + joined + self.token.epoch,
        }
    }

    fn shorten(&self, Split { id, cut }: Split) -> Call {
        Call::Shorten { token: self.token, known: self.next, cut, next: id }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Worker {
    pub kind: Kind,
    pub step: Step,
    /// What it has claimed: the export, if it has that, then the segment that it reads.
    pub drafts: Vec<Draft>,
    pub hands_over: bool,
}

impl Worker {
    pub fn new(kind: Kind) -> Self {
        let step = match kind {
            Kind::Exporter => Step::Claim(EXPORT),
            Kind::Invited => Step::Begin,
        };
        Self { kind, step, drafts: Vec::new(), hands_over: false }
    }

    /// What it works on.
    pub fn draft(&self) -> Option<&Draft> {
        self.drafts.last()
    }

    pub fn reads_segment(&self) -> bool {
        self.draft().is_some_and(|draft| draft.token.id != EXPORT)
    }

    /// The write that the worker makes, and makes again as long as it gets no answer. `None` if its step is to read an item.
    pub fn call(&self) -> Option<Call> {
        match self.step {
            Step::Claim(id) => return Some(Call::Claim { id }),
            Step::AbortUploads => return Some(Call::AbortUploads),
            Step::DeleteObjects => return Some(Call::DeleteObjects),
            Step::Settle => return Some(Call::Settle),
            _ => {}
        }
        let draft = self.draft()?;
        let token = draft.token;
        Some(match self.step {
            Step::Write | Step::SendPart => Call::SendPart { id: token.id, part: draft.next_part() },
            Step::Save => Call::Save { token, checkpoint: draft.checkpoint.clone() },
            Step::PutSegment(Split { id, cut }) => {
                Call::Put { id, from: cut, until: draft.until, next: draft.next }
            }
            Step::Shorten(split) => draft.shorten(split),
            Step::CompleteUpload => {
                Call::CompleteUpload { id: token.id, parts: draft.checkpoint.parts.clone() }
            }
            Step::Complete => Call::Complete { token },
            Step::Fail(reason) => Call::Fail { token, reason },
            Step::Join(segment) => Call::CopyPart { segment, number: draft.next_number() },
            _ => return None,
        })
    }
}
