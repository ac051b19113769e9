//! What can happen next: the steps of workers, senders and the reconciler. The faults are in [`crate::fault`].

use crate::Defect;
use crate::call::Call;
use crate::fault::Fault;
use crate::worker::{Disposition, Step, Worker};
use crate::world::{Owner, World};

/// The number of a worker in [`World::workers`].
pub type Slot = usize;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// `export_data` or `cancel_export` sends the message of what it has written.
    Send,
    /// A worker receives a message.
    Receive,
    /// A worker makes its next call and gets the answer.
    Call(Slot),
    /// A worker reads a page of one row.
    Read(Slot),
    /// A worker reads a page of two rows: where a part ends depends on where its reader began.
    ReadTwo(Slot),
    /// A worker saves a checkpoint of the part that it has just sent, because a second has passed.
    SavePart(Slot),
    /// A worker saves a tail and a checkpoint, because ten seconds have passed.
    SaveTail(Slot),
    /// A worker saves and hands over, because its deadline is near.
    HandOver(Slot),
    /// The reconciler finds an export that nobody works on, and sends its message again.
    Resend,
    /// A call takes place that nobody waits for any more.
    TakePlaceLate(usize),
    Fault(Fault),
}

impl World {
    /// The actions that happen by themselves, without a fault.
    pub fn steps(&self, defect: Option<Defect>) -> Vec<Action> {
        let mut steps = Vec::new();
        if self.senders > 0 {
            steps.push(Action::Send);
        }
        // Whoever receives the message of an export that another worker has puts it back.
        let is_busy = self.is_leased() && !self.record.state.is_final();
        if self.queue > 0 && self.workers.contains(&None) && !is_busy {
            steps.push(Action::Receive);
        }
        for (slot, worker) in self.at_work() {
            if worker.step == Step::Write {
                steps.push(Action::Read(slot));
                steps.extend(worker.can_save_part().then_some(Action::SavePart(slot)));
                if self.variations_left > 0 {
                    steps.extend(worker.can_read_two().then_some(Action::ReadTwo(slot)));
                    steps.extend(worker.can_save_tail().then_some(Action::SaveTail(slot)));
                    steps.extend(worker.can_hand_over().then_some(Action::HandOver(slot)));
                }
            } else if !self.has_to_wait(worker, defect) {
                steps.push(Action::Call(slot));
            }
        }
        let is_abandoned = self.queue == 0 && self.senders == 0 && self.at_work().next().is_none();
        let is_watched = self.record.watched && defect != Some(Defect::NoReconciler);
        if is_abandoned
            && is_watched
            && !(self.record.state.is_final() && defect == Some(Defect::OnlyUnfinishedReconciled))
        {
            steps.push(Action::Resend);
        }
        steps
    }

    pub fn at_work(&self) -> impl Iterator<Item = (Slot, &Worker)> {
        self.workers.iter().enumerate().filter_map(|(slot, worker)| Some((slot, worker.as_ref()?)))
    }

    /// Whether a worker has to put its message back until another one's lease has ended. The model lets it wait.
    fn has_to_wait(&self, worker: &Worker, defect: Option<Defect>) -> bool {
        let others_lease =
            self.record.lease.is_some_and(|lease| lease.owner != worker.owner) && self.is_leased();
        match worker.step {
            Step::Claim => others_lease && !self.record.state.is_final(),
            // The owner of a cancelled export may still write to the bucket.
            Step::AbortUploads | Step::DeleteObjects => {
                others_lease && defect != Some(Defect::CleansUpBesideTheOwner)
            }
            _ => false,
        }
    }

    pub fn arrivals(&self) -> impl Iterator<Item = Action> {
        (0..self.late_calls.len()).map(Action::TakePlaceLate)
    }

    /// Does what an action does.
    pub fn act(&mut self, action: Action, defect: Option<Defect>) {
        match action {
            Action::Send => {
                self.senders -= 1;
                self.queue += 1;
            }
            Action::Receive => self.receive(),
            Action::Call(slot) => self.call(slot, defect),
            Action::Read(slot) => self.worker_does(slot, |worker| worker.read(1, defect)),
            Action::ReadTwo(slot) => {
                self.variations_left -= 1;
                self.worker_does(slot, |worker| worker.read(2, defect));
            }
            Action::SavePart(slot) => self.worker_does(slot, |worker| worker.save_part(defect)),
            Action::SaveTail(slot) => {
                self.variations_left -= 1;
                self.worker_does(slot, Worker::save_tail);
            }
            Action::HandOver(slot) => {
                self.variations_left -= 1;
                self.worker_does(slot, |worker| worker.hand_over(defect));
            }
            Action::Resend => self.queue += 1,
            Action::TakePlaceLate(index) => {
                let call = self.late_calls.remove(index);
                let was_settled = self.is_settled();
                self.take_place(&call, None, defect);
                // An email that is given back after its worker died: only the reconciler sees it.
                self.witness.message_lost |= was_settled && !self.is_settled();
            }
            Action::Fault(fault) => {
                self.faults_left -= 1;
                self.faults += 1;
                self.suffer(fault, defect);
            }
        }
    }

    fn receive(&mut self) {
        let Some(free) = self.workers.iter_mut().find(|worker| worker.is_none()) else { return };
        *free = Some(Worker::new(self.next_owner, self.rows));
        self.next_owner += 1;
        self.queue -= 1;
    }

    fn worker_does(&mut self, slot: Slot, what: impl FnOnce(&mut Worker)) {
        if let Some(worker) = &mut self.workers[slot] {
            what(worker);
        }
    }

    pub fn owner(&self, slot: Slot) -> Option<Owner> {
        self.workers[slot].as_ref().map(|worker| worker.owner)
    }

    pub fn next_call(&self, slot: Slot, defect: Option<Defect>) -> Option<Call> {
        self.workers[slot].as_ref()?.call(self.current_plan, defect)
    }

    fn call(&mut self, slot: Slot, defect: Option<Defect>) {
        let Some(call) = self.next_call(slot, defect) else { return };
        let answer = self.take_place(&call, self.owner(slot), defect);
        let Some(worker) = &mut self.workers[slot] else { return };
        if let Some(disposition) = worker.after(answer, &self.record, defect) {
            self.end(slot, disposition);
        }
    }

    pub fn end(&mut self, slot: Slot, disposition: Disposition) {
        let Some(worker) = self.workers[slot].take() else { return };
        self.queue += u8::from(disposition == Disposition::PutBack);
        // Whoever claimed the email can no longer send it.
        self.witness.email_forfeited |= disposition == Disposition::PutBack
            && self.record.notified_by == Some(worker.owner)
            && self.emails == 0;
    }
}
