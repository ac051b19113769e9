//! One worker that processes one message: which call it makes next, and what it does after the answer.

use crate::Defect;
use crate::call::{Answer, Call};
use crate::world::{
    Checkpoint, MAX_ATTEMPTS, Owner, PART_ROWS, ROWS, Reason, Record, Rows, Tail, TailKey, Token,
};

/// What a worker is about to do. Each step is one call, but `Write`, which reads a row or decides to save.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Step {
    Claim,
    GetPlan,
    BeginUpload,
    GetTail,
    Write,
    SendPart,
    PutTail,
    Save,
    DeleteFormerTail,
    CompleteUpload,
    Complete,
    Fail(Reason),
    Release,
    SendContinuation,
    ClaimEmail,
    SendEmail,
    GiveEmailBack,
    AbortUploads,
    DeleteObjects,
    Settle,
}

/// What becomes of the message when a worker is done with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disposition {
    Acknowledge,
    PutBack,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Worker {
    pub owner: Owner,
    pub step: Step,
    epoch: u8,
    saves: u8,
    plan: u8,
    /// The checkpoint that is to be saved next.
    draft: Checkpoint,
    saved_position: u8,
    /// The tail that the last saved checkpoint names.
    saved_tail: Option<Tail>,
    tails: u8,
    has_read: bool,
    hands_over: bool,
}

impl Worker {
    pub fn new(owner: Owner) -> Self {
        let draft = Checkpoint {
            upload: 0,
            parts: Vec::new(),
            rows_in_parts: 0,
            tail: None,
            position: 0,
            all_read: false,
        };
        Self {
            owner,
            step: Step::Claim,
            epoch: 0,
            saves: 0,
            plan: 0,
            draft,
            saved_position: 0,
            saved_tail: None,
            tails: 0,
            has_read: false,
            hands_over: false,
        }
    }

    /// The call that the worker makes, and makes again as long as it gets no answer.
    pub fn call(&self, current_plan: u8, defect: Option<Defect>) -> Option<Call> {
        let owner = self.owner;
        let token = Token { owner, epoch: self.epoch };
        Some(match self.step {
            Step::Write => return None,
            Step::Claim => Call::Claim { owner },
            Step::GetPlan => Call::PutPlan { plan: current_plan },
            Step::BeginUpload => Call::CreateUpload,
            Step::GetTail => Call::GetTail { tail: self.saved_tail? },
            Step::SendPart => {
                let number = self.part_number(defect);
                Call::UploadPart { upload: self.draft.upload, number, rows: self.unsent() }
            }
            Step::PutTail => Call::PutTail { tail: self.next_tail(defect) },
            Step::Save => {
                Call::SaveCheckpoint { token, saves: self.saves + 1, checkpoint: self.draft.clone() }
            }
            Step::DeleteFormerTail => Call::DeleteTail { key: self.saved_tail?.key },
            Step::CompleteUpload => {
                let parts = self.draft.parts.clone();
                Call::CompleteUpload { upload: self.draft.upload, parts, rows: self.draft.position }
            }
            Step::Complete => Call::Complete { token },
            Step::Fail(reason) => Call::Fail { token, reason },
            Step::Release => Call::Release { token },
            Step::SendContinuation => Call::SendMessage,
            Step::ClaimEmail => Call::ClaimEmail { owner },
            Step::SendEmail => Call::SendEmail,
            Step::GiveEmailBack => Call::GiveEmailBack { owner },
            Step::AbortUploads => Call::AbortUploads,
            Step::DeleteObjects => Call::DeleteObjects,
            Step::Settle => Call::Settle,
        })
    }

    fn part_number(&self, defect: Option<Defect>) -> u8 {
        let epoch = if defect == Some(Defect::PartNumberWithoutEpoch) { 1 } else { self.epoch };
        u8::try_from(self.draft.parts.len()).map_or(u8::MAX, |parts| parts + epoch)
    }

    /// The rows that are in no part.
    fn unsent(&self) -> Rows {
        Rows { from: self.draft.rows_in_parts, to: self.draft.position, plan: self.plan }
    }

    fn has_unsent(&self) -> bool {
        let Rows { from, to, .. } = self.unsent();
        to > from
    }

    fn next_tail(&self, defect: Option<Defect>) -> Tail {
        let epoch = if defect == Some(Defect::TailKeyWithoutEpoch) { 0 } else { self.epoch };
        Tail { key: TailKey { epoch, number: self.tails + 1 }, rows: self.unsent() }
    }

    /// Whether two rows are left.
    pub fn can_read_two(&self) -> bool {
        self.draft.position + 2 <= ROWS
    }

    /// Reads a page of so many rows, or notices that there is none.
    pub fn read(&mut self, rows: u8, defect: Option<Defect>) {
        self.has_read = true;
        if self.draft.position < ROWS {
            self.draft.position += rows;
            let Rows { from, to, .. } = self.unsent();
            if to - from >= PART_ROWS {
                self.step = Step::SendPart;
            }
            return;
        }
        self.draft.all_read = true;
        self.step = if self.has_unsent() { Step::SendPart } else { self.before_save(defect) };
    }

    pub fn can_save_tail(&self) -> bool {
        self.step == Step::Write && self.draft.position > self.saved_position
    }

    /// Saves by time.
    pub fn save_tail(&mut self) {
        self.step = Step::PutTail;
    }

    pub fn can_hand_over(&self) -> bool {
        self.step == Step::Write && self.has_read
    }

    /// Saves because the deadline is near.
    pub fn hand_over(&mut self, defect: Option<Defect>) {
        self.hands_over = true;
        self.step = if self.has_unsent() { Step::PutTail } else { self.before_save(defect) };
    }

    fn before_save(&self, defect: Option<Defect>) -> Step {
        let too_early = self.saved_tail.is_some() && defect == Some(Defect::FormerTailDeletedFirst);
        if too_early { Step::DeleteFormerTail } else { Step::Save }
    }

    /// What the worker does after an answer. Some if it is done with its message.
    pub fn after(&mut self, answer: Answer, record: &Record, defect: Option<Defect>) -> Option<Disposition> {
        use Disposition::{Acknowledge, PutBack};
        self.step = match (self.step, answer) {
            (Step::Claim | Step::Complete | Step::Fail(_), Answer::Finished)
            | (Step::Complete | Step::Fail(_), Answer::Done) => {
                if !record.watched {
                    return Some(Acknowledge);
                }
                self.begin_settling(record, defect)
            }
            (Step::Claim, Answer::Claimed { epoch, attempts, saves, checkpoint }) => {
                (self.epoch, self.saves) = (epoch, saves);
                self.continue_from(checkpoint, attempts)
            }
            (Step::GetPlan, Answer::Plan(plan)) => {
                self.plan = plan;
                self.first_step()
            }
            (Step::BeginUpload, Answer::Upload(id)) => {
                self.draft.upload = id;
                Step::Write
            }
            (Step::GetTail, Answer::Done) => Step::Write,
            (Step::SendPart, Answer::Done) => self.after_part(defect),
            (Step::PutTail, Answer::Done) => {
                self.draft.tail = Some(self.next_tail(defect));
                self.tails += 1;
                self.before_save(defect)
            }
            (Step::Save, Answer::Done) => self.after_save(defect),
            (Step::DeleteFormerTail, _) if defect == Some(Defect::FormerTailDeletedFirst) => Step::Save,
            (Step::DeleteFormerTail, _) => self.after_saved(),
            (Step::CompleteUpload, Answer::Done) => Step::Complete,
            (Step::CompleteUpload, _) => Step::Fail(Reason::IntegrityMismatch),
            // S3 does not know the upload or the tail: another worker may be further.
            (Step::SendPart | Step::GetTail, _) => Step::Release,
            (Step::Release, Answer::Done) if self.hands_over => Step::SendContinuation,
            (Step::SendContinuation, _) => return Some(Acknowledge),
            (Step::ClaimEmail, Answer::Done) => Step::SendEmail,
            (Step::ClaimEmail | Step::SendEmail, _) => self.after_email(defect),
            (Step::AbortUploads, _) if defect == Some(Defect::FileDeletedBeforeAbort) => Step::Settle,
            (Step::AbortUploads, _) => Step::DeleteObjects,
            (Step::DeleteObjects, _) if defect == Some(Defect::FileDeletedBeforeAbort) => Step::AbortUploads,
            (Step::DeleteObjects, _) => Step::Settle,
            (Step::Settle, Answer::Done) => return Some(Acknowledge),
            // The lease is lost, or the worker gave something back.
            _ => return Some(PutBack),
        };
        None
    }

    fn continue_from(&mut self, checkpoint: Option<Checkpoint>, attempts: u8) -> Step {
        if attempts > MAX_ATTEMPTS {
            return Step::Fail(Reason::TooManyAttempts);
        }
        if let Some(checkpoint) = checkpoint {
            self.saved_position = checkpoint.position;
            self.saved_tail = checkpoint.tail;
            self.draft = Checkpoint { tail: None, ..checkpoint };
        }
        Step::GetPlan
    }

    fn first_step(&self) -> Step {
        match &self.draft {
            Checkpoint { upload: 0, .. } => Step::BeginUpload,
            Checkpoint { all_read: true, .. } => Step::CompleteUpload,
            _ if self.saved_tail.is_some() => Step::GetTail,
            _ => Step::Write,
        }
    }

    fn after_part(&mut self, defect: Option<Defect>) -> Step {
        let number = self.part_number(defect);
        self.draft.parts.push(number);
        self.draft.rows_in_parts = self.draft.position;
        match defect {
            Some(Defect::NextPartBeforeSave) if !self.draft.all_read => Step::Write,
            Some(Defect::CompletesBeforeAllReadIsSaved) if self.draft.all_read => Step::CompleteUpload,
            _ => self.before_save(defect),
        }
    }

    fn after_save(&mut self, defect: Option<Defect>) -> Step {
        self.saves += 1;
        self.saved_position = self.draft.position;
        let is_left = self.saved_tail.is_some() && defect != Some(Defect::FormerTailDeletedFirst);
        if is_left { Step::DeleteFormerTail } else { self.after_saved() }
    }

    fn after_saved(&mut self) -> Step {
        self.saved_tail = self.draft.tail.take();
        if self.draft.all_read {
            return Step::CompleteUpload;
        }
        if self.hands_over { Step::Release } else { Step::Write }
    }

    fn begin_settling(&mut self, record: &Record, defect: Option<Defect>) -> Step {
        // Nothing of the file matters any more: states that differ only in it are one.
        *self = Self::new(self.owner);
        match (record.notified_by, defect) {
            (Some(_), _) => self.after_email(defect),
            (None, Some(Defect::EmailNotClaimed)) => Step::SendEmail,
            (None, _) => Step::ClaimEmail,
        }
    }

    fn after_email(&self, defect: Option<Defect>) -> Step {
        match defect {
            Some(Defect::NothingDeleted) => Step::Settle,
            Some(Defect::FileDeletedBeforeAbort) => Step::DeleteObjects,
            _ => Step::AbortUploads,
        }
    }

    /// After a call that keeps failing, and certainly did not take place the last time.
    pub fn after_failure(&mut self) -> Option<Disposition> {
        self.step = match self.step {
            Step::GetPlan
            | Step::BeginUpload
            | Step::GetTail
            | Step::Write
            | Step::SendPart
            | Step::PutTail
            | Step::Save
            | Step::CompleteUpload => Step::Release,
            Step::SendEmail => Step::GiveEmailBack,
            _ => return Some(Disposition::PutBack),
        };
        self.hands_over = false;
        None
    }
}
