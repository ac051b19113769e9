//! One worker that processes one message: which call it makes next, and what it does after the answer.

mod after;

use crate::Defect;
use crate::call::Call;
use crate::world::{Checkpoint, MAX_UNSAVED_PARTS, Owner, PART_ROWS, Reason, Rows, Tail, TailKey, Token};

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
    PutPlan,
    Save,
    DeleteFormerTail,
    CompleteUpload,
    PutFile,
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

#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Worker {
    pub owner: Owner,
    pub step: Step,
    /// How many rows the export has.
    all_rows: u8,
    epoch: u8,
    saves: u8,
    plan: u8,
    plan_is_stored: bool,
    /// The checkpoint that is to be saved next.
    draft: Checkpoint,
    saved_position: u8,
    saved_parts: usize,
    /// The tail that the last saved checkpoint names.
    saved_tail: Option<Tail>,
    tails: u8,
    has_read: bool,
    hands_over: bool,
    /// Whether the export has nothing in the bucket that is to be deleted.
    leaves_nothing: bool,
}

impl Worker {
    pub fn new(owner: Owner, all_rows: u8) -> Self {
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
            all_rows,
            epoch: 0,
            saves: 0,
            plan: 0,
            plan_is_stored: false,
            draft,
            saved_position: 0,
            saved_parts: 0,
            saved_tail: None,
            tails: 0,
            has_read: false,
            hands_over: false,
            leaves_nothing: false,
        }
    }

    /// The call that the worker makes, and makes again as long as it gets no answer.
    pub fn call(&self, current_plan: u8, defect: Option<Defect>) -> Option<Call> {
        let owner = self.owner;
        let token = Token { owner, epoch: self.epoch };
        Some(match self.step {
            Step::Write => return None,
            Step::Claim => Call::Claim { owner },
            Step::GetPlan => Call::GetPlan { plan: current_plan },
            Step::PutPlan => Call::PutPlan { plan: self.plan },
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
            Step::PutFile => Call::PutFile { rows: self.unsent() },
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
        let between_claims = match defect {
            Some(Defect::PartNumberWithoutEpoch) => 0,
            Some(Defect::TooManyUnsavedParts) => MAX_UNSAVED_PARTS - 1,
            _ => MAX_UNSAVED_PARTS,
        };
        let number = self.draft.parts.len() + 1 + usize::from(self.epoch - 1) * between_claims;
        u8::try_from(number).unwrap_or(u8::MAX)
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
        self.draft.position + 2 <= self.all_rows
    }

    /// Reads a page of so many rows, or notices that there is none.
    pub fn read(&mut self, rows: u8, defect: Option<Defect>) {
        self.has_read = true;
        if self.draft.position < self.all_rows {
            self.draft.position += rows;
            let Rows { from, to, .. } = self.unsent();
            if to - from >= PART_ROWS {
                self.step = self.before_part();
            }
            return;
        }
        self.draft.all_read = true;
        self.step = if self.is_one_request(defect) {
            Step::PutFile
        } else if self.has_unsent() {
            self.before_part()
        } else {
            self.before_save(defect)
        };
    }

    /// The upload is begun with its first part.
    fn before_part(&self) -> Step {
        if self.draft.upload == 0 { Step::BeginUpload } else { Step::SendPart }
    }

    /// Whether the file is put at once: no other worker can have begun it.
    fn is_one_request(&self, defect: Option<Defect>) -> bool {
        let is_first_claim = self.epoch == 1 || defect == Some(Defect::PutByAnyClaim);
        is_first_claim && self.draft.upload == 0 && self.saves == 0 && self.saved_tail.is_none()
    }

    pub fn can_save_part(&self) -> bool {
        self.step == Step::Write && self.draft.parts.len() > self.saved_parts && !self.has_unsent()
    }

    /// Saves a checkpoint of the part that was just sent. It need not, as long as few have none.
    pub fn save_part(&mut self, defect: Option<Defect>) {
        self.step = self.before_save(defect);
    }

    pub fn can_save_tail(&self) -> bool {
        self.step == Step::Write && self.draft.position > self.saved_position && self.has_unsent()
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
        // Whoever goes on has to read by the same plan.
        if !self.draft.all_read && !self.plan_is_stored {
            return Step::PutPlan;
        }
        let too_early = self.saved_tail.is_some() && defect == Some(Defect::FormerTailDeletedFirst);
        if too_early { Step::DeleteFormerTail } else { Step::Save }
    }
}
