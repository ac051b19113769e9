//! The faults.

use super::item::{EXPORT, Id, Reason, State};
use super::worker::{Kind, Step, Worker};
use super::world::World;
use super::{Defect, End, ITEMS, Slot};

/// What may go wrong, and what users may do. Each uses up one of [`super::Segments::faults`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fault {
    /// A worker dies, or a call of it keeps failing. Its message becomes visible again.
    Kill(Slot),
    /// A call takes place, but its answer is lost. The worker repeats it.
    LoseAnswer(Slot),
    /// A call is repeated or given up while the first request is still on its way.
    Delay(Slot),
    /// A worker finds an error that no repetition repairs.
    Break(Slot),
    /// A worker is frozen, or clocks differ: the lease of what it works on seems to have run out.
    ExpireLease(Id),
    LoseMessages,
    LoseInvitation,
    /// The user cancels the export.
    Cancel,
}

/// What the first model has in every order: here it makes no difference.
fn is_of_settling(step: Step) -> bool {
    matches!(step, Step::AbortUploads | Step::DeleteObjects | Step::Settle)
}

impl World {
    /// The faults that could happen now.
    pub(super) fn possible_faults(&self) -> impl Iterator<Item = Fault> {
        let of_workers = self.workers.iter().enumerate().flat_map(|(slot, worker)| {
            let worker = worker.as_ref();
            let calls = worker.is_some_and(|worker| worker.call().is_some() && !is_of_settling(worker.step));
            let writes = worker.is_some_and(|worker| worker.step == Step::Write);
            [
                (Fault::Kill(slot), worker.is_some()),
                (Fault::LoseAnswer(slot), calls),
                (Fault::Delay(slot), calls),
                (Fault::Break(slot), writes),
            ]
        });
        let leases = (0..ITEMS).map(|id| (Fault::ExpireLease(id), self.is_leased(id)));
        let others = [
            (Fault::LoseMessages, self.queue > 0),
            (Fault::LoseInvitation, self.is_invited),
            (Fault::Cancel, !self.is_final()),
        ];
        of_workers.chain(leases).chain(others).filter_map(|(fault, is_possible)| is_possible.then_some(fault))
    }

    pub(super) fn suffer(&mut self, fault: Fault, defect: Option<Defect>) {
        match fault {
            Fault::Kill(slot) => {
                let is_invited =
                    self.workers[slot].as_ref().is_some_and(|worker| worker.kind == Kind::Invited);
                self.is_invited |= is_invited;
                self.end(slot, End::PutBack);
            }
            Fault::LoseAnswer(slot) => {
                let worker = self.workers[slot].as_ref();
                if let Some(call) = worker.and_then(Worker::call) {
                    let is_late = worker.and_then(Worker::draft).is_none_or(|draft| draft.was_frozen);
                    self.take_place(&call, is_late, defect);
                }
                self.after_no_answer(slot);
            }
            Fault::Delay(slot) => {
                self.late_calls.extend(self.workers[slot].as_ref().and_then(Worker::call));
                self.after_no_answer(slot);
            }
            Fault::Break(slot) => {
                if let Some(worker) = &mut self.workers[slot] {
                    worker.step = Step::Fail(Reason::Broken);
                }
            }
            Fault::ExpireLease(id) => self.expire(id),
            Fault::LoseMessages => {
                self.queue = 0;
                self.witness.message_lost = true;
            }
            Fault::LoseInvitation => self.is_invited = false,
            Fault::Cancel => {
                // The lease stays: its owner may write to the bucket until it learns of it.
                self.set_state(EXPORT, State::Failed(Reason::Cancelled));
                self.queue += 1;
            }
        }
    }

    /// Without an answer to a split, its item says whether it took place. Every other call is repeated, and a part with the
    /// same rows.
    fn after_no_answer(&mut self, slot: Slot) {
        let Some(worker) = &mut self.workers[slot] else { return };
        worker.step = match worker.step {
            Step::Shorten(split) => Step::LookAgain(split),
            Step::Write => Step::SendPart,
            step => step,
        };
    }

    fn expire(&mut self, id: Id) {
        let Some(item) = &mut self.items[id] else { return };
        item.is_expired = true;
        let epoch = item.epoch;
        let drafts = self.workers.iter_mut().flatten().flat_map(|worker| &mut worker.drafts);
        for draft in drafts.filter(|draft| draft.token.id == id && draft.token.epoch == epoch) {
            draft.was_frozen = true;
        }
        // The message of a worker that does not renew its lease becomes visible as well.
        self.queue += u8::from(id == EXPORT);
    }
}
