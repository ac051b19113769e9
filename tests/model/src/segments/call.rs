//! The writes of workers. Each takes place at once and as a whole, as one conditional write or one request to S3 does.

use super::Defect;
use super::item::{Checkpoint, EXPORT, Id, Item, Part, Reason, State, Token};
use super::worker::Draft;
use super::world::World;

#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Call {
    Claim {
        id: Id,
    },
    /// Puts a new segment, if there is none with its number.
    Put {
        id: Id,
        from: u8,
        until: u8,
        next: Option<Id>,
    },
    /// Ends a range at the cut and names the new segment, if the item named `known` before.
    Shorten {
        token: Token,
        known: Option<Id>,
        cut: u8,
        next: Id,
    },
    SendPart {
        id: Id,
        part: Part,
    },
    /// `UploadPartCopy` from the file of a segment.
    CopyPart {
        segment: Id,
        number: u8,
    },
    Save {
        token: Token,
        checkpoint: Checkpoint,
    },
    CompleteUpload {
        id: Id,
        parts: Vec<Part>,
    },
    Complete {
        token: Token,
    },
    Fail {
        token: Token,
        reason: Reason,
    },
    AbortUploads,
    DeleteObjects,
    Settle,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    Done,
    /// A condition does not hold, or S3 does not know the upload or the file.
    Refused,
    Claimed {
        draft: Draft,
        attempts: u8,
    },
    /// What is to be claimed is COMPLETED or FAILED.
    Final,
    /// The file is not what was written.
    Mismatch,
}

impl World {
    /// Lets a call take place. `is_late` if nobody waits for it, or its sender's lease seemed to run out.
    pub(super) fn take_place(&mut self, call: &Call, is_late: bool, defect: Option<Defect>) -> Answer {
        let before = self.leftovers();
        let answer = self.answer(call, defect);
        self.witness.late_object |= is_late && self.is_final() && self.leftovers() > before;
        answer
    }

    fn answer(&mut self, call: &Call, defect: Option<Defect>) -> Answer {
        match call {
            Call::Claim { id } => self.claim(*id),
            Call::Put { id, from, until, next } => {
                let item = &mut self.items[*id];
                if item.is_none() || defect == Some(Defect::PutOverwrites) {
                    let was_completed = item.as_ref().is_some_and(|item| item.state == State::Completed);
                    self.witness.final_state_changed |= was_completed;
                    *item = Some(Item::requested(*from, *until, *next));
                }
                Answer::Done
            }
            Call::Shorten { token, known, cut, next } => self.shorten(*token, *known, *cut, *next, defect),
            Call::SendPart { id, part } => self.upload_part(*id, *part),
            Call::CopyPart { segment, number } => self.copy_part(*segment, *number),
            Call::Save { token, checkpoint } => self.save(*token, checkpoint),
            Call::CompleteUpload { id, parts } => self.complete_upload(*id, parts),
            Call::Complete { token } => self.finish(*token, State::Completed),
            Call::Fail { token, reason } => self.finish(*token, State::Failed(*reason)),
            Call::AbortUploads => {
                self.abort_uploads();
                Answer::Done
            }
            Call::DeleteObjects => {
                self.delete_objects();
                Answer::Done
            }
            Call::Settle => {
                self.is_settled = true;
                Answer::Done
            }
        }
    }

    fn claim(&mut self, id: Id) -> Answer {
        let is_leased = self.is_leased(id);
        let Some(item) = &mut self.items[id] else { return Answer::Refused };
        if item.state.is_final() {
            return Answer::Final;
        }
        if is_leased {
            return Answer::Refused;
        }
        item.state = State::InProgress;
        item.epoch += 1;
        item.attempts += 1;
        item.is_expired = false;
        Answer::Claimed { draft: Draft::of(id, item), attempts: item.attempts }
    }

    /// The item, if the owner may write to it: it is unfinished and the epoch is the owner's, even if the lease has run out.
    fn held(&mut self, token: Token) -> Option<&mut Item> {
        let item = self.items[token.id].as_mut()?;
        (item.state == State::InProgress && item.epoch == token.epoch).then_some(item)
    }

    fn shorten(
        &mut self,
        token: Token,
        known: Option<Id>,
        cut: u8,
        next: Id,
        defect: Option<Defect>,
    ) -> Answer {
        let before: Vec<Id> = self.named().collect();
        let Some(item) = self.held(token) else { return Answer::Refused };
        if item.next != known && defect != Some(Defect::SplitIgnoresNext) {
            return Answer::Refused;
        }
        item.until = cut;
        item.next = Some(next);
        let is_kept = before.iter().all(|id| self.named().any(|named| named == *id));
        self.witness.split_lost |= !is_kept && self.items[next].is_some();
        Answer::Done
    }

    fn save(&mut self, token: Token, checkpoint: &Checkpoint) -> Answer {
        let Some(item) = self.held(token) else { return Answer::Refused };
        if checkpoint.is_behind(&item.checkpoint) {
            return Answer::Refused;
        }
        item.checkpoint = checkpoint.clone();
        item.attempts = 0;
        // A checkpoint renews the lease.
        item.is_expired = false;
        Answer::Done
    }

    fn finish(&mut self, token: Token, state: State) -> Answer {
        let Some(item) = self.held(token) else { return Answer::Refused };
        item.attempts = 0;
        item.is_expired = false;
        self.set_state(token.id, state);
        Answer::Done
    }

    /// The only place that makes a state final.
    pub(super) fn set_state(&mut self, id: Id, state: State) {
        let Some(item) = &mut self.items[id] else { return };
        self.witness.final_state_changed |= item.state.is_final() && item.state != state;
        item.state = state;
        if id == EXPORT {
            // Nothing of it matters any more: states that differ only in it are one.
            item.checkpoint = Checkpoint::default();
            item.attempts = 0;
        }
    }
}
