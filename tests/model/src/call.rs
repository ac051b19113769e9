//! What workers ask of AWS. Each call takes place at once and as a whole, as one conditional write or one request to S3 does.

mod bucket;

pub use bucket::is_consecutive;

use crate::Defect;
use crate::worker::{Step, Worker};
use crate::world::{Checkpoint, Lease, Owner, Reason, Rows, State, Tail, TailKey, Token, World};

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Call {
    Claim {
        owner: Owner,
    },
    /// The stored plan; if there is none, the one that the worker makes.
    GetPlan {
        plan: u8,
    },
    PutPlan {
        plan: u8,
    },
    CreateUpload,
    GetTail {
        tail: Tail,
    },
    UploadPart {
        upload: u8,
        number: u8,
        rows: Rows,
    },
    PutTail {
        tail: Tail,
    },
    SaveCheckpoint {
        token: Token,
        saves: u8,
        checkpoint: Checkpoint,
    },
    DeleteTail {
        key: TailKey,
    },
    CompleteUpload {
        upload: u8,
        parts: Vec<u8>,
        rows: u8,
    },
    /// The whole file, unless there is one.
    PutFile {
        rows: Rows,
    },
    Complete {
        token: Token,
    },
    Fail {
        token: Token,
        reason: Reason,
    },
    Release {
        token: Token,
    },
    SendMessage,
    ClaimEmail {
        owner: Owner,
    },
    SendEmail,
    GiveEmailBack {
        owner: Owner,
    },
    AbortUploads,
    DeleteObjects,
    Settle,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    Done,
    /// A condition does not hold, or S3 does not know the upload or the object.
    Refused,
    Claimed {
        epoch: u8,
        attempts: u8,
        checkpoint: Option<Checkpoint>,
    },
    Finished,
    Plan(u8),
    Upload(u8),
    /// The file is not what was written.
    Mismatch,
}

impl World {
    /// Lets a call take place. `caller` is the worker that waits for the answer, if any does.
    pub fn take_place(&mut self, call: &Call, caller: Option<Owner>, defect: Option<Defect>) -> Answer {
        let makes_object = matches!(call, Call::PutPlan { .. } | Call::CreateUpload | Call::PutTail { .. });
        let has_lease = self.record.lease.is_some_and(|lease| Some(lease.owner) == caller && !lease.expired);
        self.witness.late_object |= makes_object && self.record.state.is_final() && !has_lease;
        let makes_file = matches!(call, Call::PutFile { .. }) && self.bucket.file.is_none();
        self.witness.late_file |= makes_file && self.record.state.is_final() && !has_lease;
        match call {
            Call::Claim { owner } => self.claim(*owner),
            Call::SaveCheckpoint { token, saves, checkpoint } => {
                self.save_checkpoint(*token, *saves, checkpoint, defect)
            }
            Call::Complete { token } => self.finish(*token, State::Completed, defect),
            Call::Fail { token, reason } => self.finish(*token, State::Failed(*reason), defect),
            Call::Release { token } => {
                let holds = self.holds(*token, defect);
                if holds {
                    self.record.lease = None;
                }
                done_if(holds)
            }
            Call::ClaimEmail { owner } => self.claim_email(*owner, defect),
            Call::GiveEmailBack { owner } => {
                let holds = self.record.notified_by == Some(*owner);
                if holds {
                    self.record.notified_by = None;
                    // Another worker may have settled the export meanwhile, because it saw the email claimed.
                    self.record.watched |= defect != Some(Defect::GiveBackLeavesSettled);
                }
                done_if(holds)
            }
            Call::Settle => {
                let is_notified = self.record.notified_by.is_some()
                    || matches!(defect, Some(Defect::SettlesWithoutEmailClaim | Defect::EmailNotClaimed));
                let may = self.record.state.is_final() && is_notified;
                self.record.watched &= !may;
                done_if(may)
            }
            Call::SendMessage => {
                self.queue += 1;
                Answer::Done
            }
            Call::SendEmail => {
                self.emails += 1;
                Answer::Done
            }
            of_s3 => {
                let former = self.bucket.file.clone();
                let answer = self.take_place_in_s3(of_s3, defect);
                self.witness.file_replaced |=
                    self.record.state == State::Completed && self.bucket.file != former;
                answer
            }
        }
    }

    /// Whether the owner may write: the export is unfinished, and the lease is the owner's, even one that has run out.
    fn holds(&self, token: Token, defect: Option<Defect>) -> bool {
        self.record.state == State::InProgress && self.owns_lease(token, defect)
    }

    fn owns_lease(&self, Token { owner, epoch }: Token, defect: Option<Defect>) -> bool {
        let same_epoch = self.record.epoch == epoch || defect == Some(Defect::WritesIgnoreEpoch);
        same_epoch && self.record.lease.is_some_and(|lease| lease.owner == owner)
    }

    fn claim(&mut self, owner: Owner) -> Answer {
        if self.record.state.is_final() {
            return Answer::Finished;
        }
        if !self.is_leased() {
            self.set_state(State::InProgress);
            self.record.lease = Some(Lease { owner, expired: false });
            self.record.epoch += 1;
            self.record.attempts += 1;
            self.record.saves = 0;
        } else if self.record.lease.is_none_or(|lease| lease.owner != owner) {
            return Answer::Refused;
        }
        // Otherwise this is the claim whose answer was lost.
        let record = &self.record;
        let checkpoint = record.checkpoint.clone();
        Answer::Claimed { epoch: record.epoch, attempts: record.attempts, checkpoint }
    }

    fn save_checkpoint(
        &mut self,
        token: Token,
        saves: u8,
        checkpoint: &Checkpoint,
        defect: Option<Defect>,
    ) -> Answer {
        let is_newest = self.record.saves <= saves || defect == Some(Defect::LateSaveTurnsBack);
        let unfinished = !self.record.state.is_final();
        let holds = self.holds(token, defect) || (defect == Some(Defect::SaveWithoutLease) && unfinished);
        if !holds || !is_newest {
            return Answer::Refused;
        }
        let former = self.record.checkpoint.as_ref().map_or(0, |former| former.position);
        let has_progress = checkpoint.position > former || checkpoint.all_read;
        if has_progress && defect != Some(Defect::AttemptsNeverReset) {
            self.record.attempts = 0;
        }
        self.record.checkpoint = Some(checkpoint.clone());
        self.record.saves = saves;
        self.record.has_saved = true;
        // A checkpoint renews the lease.
        self.record.lease = self.record.lease.map(|lease| Lease { expired: false, ..lease });
        Answer::Done
    }

    fn finish(&mut self, token: Token, state: State, defect: Option<Defect>) -> Answer {
        let ignores_state = defect == Some(Defect::CompleteIgnoresState) && state == State::Completed;
        if self.holds(token, defect) || (ignores_state && self.owns_lease(token, defect)) {
            self.set_state(state);
            self.record.lease = None;
            self.record.checkpoint = None;
            return Answer::Done;
        }
        if self.record.state.is_final() { Answer::Finished } else { Answer::Refused }
    }

    fn claim_email(&mut self, owner: Owner, defect: Option<Defect>) -> Answer {
        if !self.record.state.is_final() {
            return Answer::Refused;
        }
        match self.record.notified_by {
            None => {
                self.record.notified_by = Some(owner);
                // Nobody will send the email if the worker that asked does not wait for the answer any more.
                let is_awaited = |worker: &Worker| worker.owner == owner && worker.step == Step::ClaimEmail;
                self.witness.email_forfeited |= !self.workers.iter().flatten().any(is_awaited);
                Answer::Done
            }
            // The claim whose answer was lost.
            Some(by) => done_if(by == owner && defect != Some(Defect::EmailClaimWithoutToken)),
        }
    }

    /// The only place that changes a state.
    pub fn set_state(&mut self, state: State) {
        self.witness.final_state_changed |= self.record.state.is_final() && self.record.state != state;
        self.record.state = state;
    }
}

fn done_if(condition: bool) -> Answer {
    if condition { Answer::Done } else { Answer::Refused }
}
