//! What the model knows of the world: the record in DynamoDB, the bucket, the queue, and who is at work.

use std::collections::BTreeMap;

use crate::call::Call;
use crate::worker::Worker;
use crate::{Defect, Life};

/// How many rows an export has that has several parts.
pub const ROWS: u8 = 5;

/// From how many rows on a part is sent; only the last part may have fewer.
pub const PART_ROWS: u8 = 2;

/// How many parts a worker may send that no checkpoint has.
pub const MAX_UNSAVED_PARTS: usize = 2;

/// How many claims without progress an export may have. A further one fails it.
pub const MAX_ATTEMPTS: u8 = 3;

/// How many workers run at the same time. Any number may run one after the other.
pub const WORKERS: usize = 2;

/// Who holds a lease or a notification: another one for each delivered message.
pub type Owner = u8;

/// What the writes of a lease owner are conditional on: its lease, and the epoch that its claim began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Token {
    pub owner: Owner,
    pub epoch: u8,
}

/// The rows `from..to`, as a worker wrote them that knew this plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Rows {
    pub from: u8,
    pub to: u8,
    pub plan: u8,
}

/// The name of a tail: the epoch of the worker and how many tails it had written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TailKey {
    pub epoch: u8,
    pub number: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Tail {
    pub key: TailKey,
    /// Stands for length and checksum, by which a worker knows the right tail.
    pub rows: Rows,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Checkpoint {
    pub upload: u8,
    /// The numbers of the parts that have arrived, in the order of the file.
    pub parts: Vec<u8>,
    /// How many rows are in those parts.
    pub rows_in_parts: u8,
    pub tail: Option<Tail>,
    /// How many rows are in the parts and the tail.
    pub position: u8,
    pub all_read: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    Requested,
    InProgress,
    Completed,
    Failed(Reason),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    Cancelled,
    /// By the reconciler, after six hours without progress.
    GivenUp,
    TooManyAttempts,
    /// S3 does not have the file that was written.
    IntegrityMismatch,
}

impl State {
    pub fn is_final(self) -> bool {
        matches!(self, Self::Completed | Self::Failed(_))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Lease {
    pub owner: Owner,
    /// Whether others see it as run out, although its owner may still be at work.
    pub expired: bool,
}

/// The item of the export in the table Exports.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Record {
    pub state: State,
    pub lease: Option<Lease>,
    pub epoch: u8,
    pub attempts: u8,
    pub checkpoint: Option<Checkpoint>,
    /// How many checkpoints were saved since the claim.
    pub saves: u8,
    pub notified_by: Option<Owner>,
    /// Whether a checkpoint was ever saved.
    pub has_saved: bool,
    /// Whether something is left to do, so that the reconciler looks at it.
    pub watched: bool,
}

impl Record {
    /// Whether the file was put by one request of the only worker that has ever had the export.
    pub fn is_one_request(&self) -> bool {
        self.state == State::Completed && self.epoch == 1 && !self.has_saved
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Bucket {
    pub plan: Option<u8>,
    /// By upload id: part numbers and what was uploaded last under each.
    pub uploads: BTreeMap<u8, BTreeMap<u8, Rows>>,
    pub uploads_begun: u8,
    pub tails: BTreeMap<TailKey, Rows>,
    pub file: Option<Vec<Rows>>,
}

impl Bucket {
    pub fn has_leftovers(&self) -> bool {
        self.plan.is_some() || !self.uploads.is_empty() || !self.tails.is_empty()
    }
}

/// What happened that the properties ask for, and that nothing in the real system records.
#[expect(clippy::struct_excessive_bools, reason = "each is an event of its own")]
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Witness {
    /// A part of the saved checkpoint was replaced by other rows.
    pub part_overwritten: bool,
    /// The file of a COMPLETED export was replaced by another one.
    pub file_replaced: bool,
    /// A final state was replaced by another one.
    pub final_state_changed: bool,
    /// A worker ended, or did not get SES's answer, after it had claimed the email.
    pub email_forfeited: bool,
    /// Something was put into the bucket after the final state, by a worker that did not have the lease any more.
    pub late_object: bool,
    /// The same of a file that is put by one request.
    pub late_file: bool,
    /// A message was lost, or what it was to bring about came after its sender had died.
    pub message_lost: bool,
}

/// A state of the model.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct World {
    /// How many rows the export has.
    pub rows: u8,
    pub record: Record,
    pub bucket: Bucket,
    /// Messages that can be received.
    pub queue: u8,
    /// Calls of `export_data` and `cancel_export` that have written and have yet to send their message.
    pub senders: u8,
    pub emails: u8,
    pub workers: [Option<Worker>; WORKERS],
    /// The owner that the next delivered message makes.
    pub next_owner: Owner,
    /// The plan that a worker gets who resolves the scope now.
    pub current_plan: u8,
    /// Calls that nobody waits for any more, and that may still take place.
    pub late_calls: Vec<Call>,
    /// How often workers may still save by time, hand over or read a larger page.
    pub variations_left: u8,
    pub faults_left: u8,
    pub faults: u8,
    pub witness: Witness,
}

impl World {
    /// An export that was just created: its message is not sent yet.
    pub fn created(life: Life) -> Self {
        Self {
            rows: life.rows,
            record: Record {
                state: State::Requested,
                lease: None,
                epoch: 0,
                attempts: 0,
                checkpoint: None,
                saves: 0,
                notified_by: None,
                has_saved: false,
                watched: true,
            },
            bucket: Bucket::default(),
            queue: 0,
            senders: u8::from(life.defect != Some(Defect::NoMessageAfterCreate)),
            emails: 0,
            workers: [const { None }; WORKERS],
            next_owner: 1,
            current_plan: 0,
            late_calls: Vec::new(),
            variations_left: life.variations,
            faults_left: life.faults,
            faults: 0,
            witness: Witness::default(),
        }
    }

    /// Whether a worker holds a lease that others respect.
    pub fn is_leased(&self) -> bool {
        self.record.lease.is_some_and(|lease| !lease.expired && self.is_at_work(lease.owner))
    }

    pub fn is_at_work(&self, owner: Owner) -> bool {
        self.workers.iter().flatten().any(|worker| worker.owner == owner)
    }

    /// Nothing is left to do.
    pub fn is_settled(&self) -> bool {
        self.record.state.is_final() && !self.record.watched
    }
}
