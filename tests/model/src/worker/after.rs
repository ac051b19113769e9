//! What a worker does after an answer, or after a call that failed.

use super::{Disposition, Step, Worker};
use crate::Defect;
use crate::call::Answer;
use crate::world::{Checkpoint, MAX_ATTEMPTS, MAX_UNSAVED_PARTS, Reason, Record, State};

/// The next step, or what becomes of the message.
type Next = Result<Step, Disposition>;

impl Worker {
    /// Goes on after an answer. Some if the worker is done with its message.
    pub fn after(&mut self, answer: Answer, record: &Record, defect: Option<Defect>) -> Option<Disposition> {
        let next = match self.step {
            Step::Claim | Step::Complete | Step::Fail(_) => {
                self.after_change_of_state(answer, record, defect)
            }
            Step::Release | Step::SendContinuation => self.after_release(&answer),
            Step::ClaimEmail
            | Step::SendEmail
            | Step::GiveEmailBack
            | Step::AbortUploads
            | Step::DeleteObjects
            | Step::Settle => self.after_end(&answer, defect),
            _ => self.after_writing(answer, defect),
        };
        match next {
            Ok(step) => {
                self.step = step;
                None
            }
            Err(disposition) => Some(disposition),
        }
    }

    fn after_change_of_state(&mut self, answer: Answer, record: &Record, defect: Option<Defect>) -> Next {
        match answer {
            Answer::Claimed { epoch, attempts, checkpoint } => {
                self.epoch = epoch;
                Ok(self.continue_from(checkpoint, attempts))
            }
            // The lease is lost.
            Answer::Refused => Err(Disposition::PutBack),
            _ if !record.watched => Err(Disposition::Acknowledge),
            _ => Ok(self.begin_settling(record, defect)),
        }
    }

    fn after_writing(&mut self, answer: Answer, defect: Option<Defect>) -> Next {
        Ok(match (self.step, answer) {
            (Step::GetPlan, Answer::Plan(plan)) => {
                self.plan = plan;
                self.first_step()
            }
            (Step::BeginUpload, Answer::Upload(id)) => {
                self.draft.upload = id;
                Step::SendPart
            }
            (Step::GetTail, Answer::Done) => Step::Write,
            (Step::SendPart, Answer::Done) => self.after_part(defect),
            (Step::PutPlan, Answer::Plan(plan)) if plan == self.plan => {
                self.plan_is_stored = true;
                self.before_save(defect)
            }
            // S3 does not know the upload or the tail, because another worker may be further; or a former owner has stored another
            // plan meanwhile, with which the next attempt begins.
            (Step::SendPart | Step::GetTail | Step::PutPlan, _) => Step::Release,
            (Step::PutTail, _) => {
                self.draft.tail = Some(self.next_tail(defect));
                self.tails += 1;
                self.before_save(defect)
            }
            (Step::Save, Answer::Done) => self.after_save(defect),
            (Step::DeleteFormerTail, _) if defect == Some(Defect::FormerTailDeletedFirst) => Step::Save,
            (Step::DeleteFormerTail, _) => self.after_saved(),
            (Step::CompleteUpload | Step::PutFile, Answer::Done) => Step::Complete,
            (Step::CompleteUpload | Step::PutFile, _) => Step::Fail(Reason::IntegrityMismatch),
            // The lease is lost.
            _ => return Err(Disposition::PutBack),
        })
    }

    fn after_release(&self, answer: &Answer) -> Next {
        match (self.step, answer) {
            (Step::Release, Answer::Done) if self.hands_over => Ok(Step::SendContinuation),
            (Step::SendContinuation, _) => Err(Disposition::Acknowledge),
            _ => Err(Disposition::PutBack),
        }
    }

    fn continue_from(&mut self, checkpoint: Option<Checkpoint>, attempts: u8) -> Step {
        if attempts > MAX_ATTEMPTS {
            return Step::Fail(Reason::TooManyAttempts);
        }
        if let Some(checkpoint) = checkpoint {
            self.saved_position = checkpoint.position;
            self.saved_parts = checkpoint.parts.len();
            self.saved_tail = checkpoint.tail;
            self.draft = Checkpoint { tail: None, ..checkpoint };
        }
        Step::GetPlan
    }

    fn first_step(&self) -> Step {
        match &self.draft {
            Checkpoint { all_read: true, .. } => Step::CompleteUpload,
            _ if self.saved_tail.is_some() => Step::GetTail,
            _ => Step::Write,
        }
    }

    fn after_part(&mut self, defect: Option<Defect>) -> Step {
        let number = self.part_number(defect);
        self.draft.parts.push(number);
        self.draft.rows_in_parts = self.draft.position;
        let unsaved = self.draft.parts.len() - self.saved_parts;
        match defect {
            Some(Defect::CompletesBeforeAllReadIsSaved) if self.draft.all_read => Step::CompleteUpload,
            _ if !self.draft.all_read && unsaved < MAX_UNSAVED_PARTS => Step::Write,
            _ => self.before_save(defect),
        }
    }

    fn after_save(&mut self, defect: Option<Defect>) -> Step {
        self.saves += 1;
        self.saved_position = self.draft.position;
        self.saved_parts = self.draft.parts.len();
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
        let is_completed = record.state == State::Completed;
        let leaves_nothing =
            record.is_one_request() || (is_completed && defect == Some(Defect::NothingDeletedOfCompleted));
        *self = Self { leaves_nothing, ..Self::new(self.owner, self.all_rows) };
        match (record.notified_by, defect) {
            (Some(_), _) => self.after_email(defect),
            (None, Some(Defect::EmailNotClaimed)) => Step::SendEmail,
            (None, _) => Step::ClaimEmail,
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
            | Step::PutPlan
            | Step::Save
            | Step::CompleteUpload
            | Step::PutFile => Step::Release,
            Step::SendEmail => Step::GiveEmailBack,
            _ => return Some(Disposition::PutBack),
        };
        self.hands_over = false;
        None
    }

    fn after_end(&self, answer: &Answer, defect: Option<Defect>) -> Next {
        let deletes_first = defect == Some(Defect::FileDeletedBeforeAbort);
        match (self.step, answer) {
            (Step::ClaimEmail, Answer::Done) => Ok(Step::SendEmail),
            // Another worker has the email, or it is sent.
            (Step::ClaimEmail | Step::SendEmail, _) => Ok(self.after_email(defect)),
            (Step::AbortUploads, _) => Ok(if deletes_first { Step::Settle } else { Step::DeleteObjects }),
            (Step::DeleteObjects, _) => Ok(if deletes_first { Step::AbortUploads } else { Step::Settle }),
            (Step::Settle, Answer::Done) => Err(Disposition::Acknowledge),
            _ => Err(Disposition::PutBack),
        }
    }

    fn after_email(&self, defect: Option<Defect>) -> Step {
        match defect {
            Some(Defect::NothingDeleted) => Step::Settle,
            _ if self.leaves_nothing => Step::Settle,
            Some(Defect::FileDeletedBeforeAbort) => Step::DeleteObjects,
            _ => Step::AbortUploads,
        }
    }
}
