//! What can happen next: the steps of workers, senders and the reconciler, and the faults.

use crate::Defect;
use crate::call::Call;
use crate::worker::{Disposition, Step, Worker};
use crate::world::{Reason, State, WORKERS, World};

/// The number of a worker in [`World::workers`].
type Slot = usize;

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

/// What may go wrong, and what users and operators may do. Each of them uses up one of [`crate::Life::faults`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fault {
    /// A worker dies. Its message becomes visible again.
    Kill(Slot),
    /// `export_data` or `cancel_export` dies before it sends its message.
    KillSender,
    /// A call takes place, but its answer is lost. The worker repeats it.
    LoseAnswer(Slot),
    /// A call is repeated or given up while the first request is still on its way.
    Delay(Slot),
    /// A call keeps failing. The worker gives up.
    FailCall(Slot),
    /// A worker is frozen, or clocks differ: its lease seems to have run out, and its message becomes visible.
    ExpireLease,
    /// SQS delivers a message twice.
    Duplicate,
    /// The messages are lost: purged, too old, or in the dead-letter queue.
    LoseMessages,
    /// The user cancels the export.
    Cancel,
    /// The reconciler has seen no progress for six hours.
    GiveUp,
    /// The directory changes: who resolves the scope now gets another plan.
    ChangePlan,
}

/// More messages than this do not make a difference.
const MAX_MESSAGES: u8 = 2;

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

    fn at_work(&self) -> impl Iterator<Item = (Slot, &Worker)> {
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

    pub fn possible_faults(&self) -> impl Iterator<Item = Fault> {
        let unfinished = !self.record.state.is_final();
        let of_workers = self.at_work().flat_map(|(slot, worker)| {
            let calls = worker.step != Step::Write;
            let of_call = [Fault::LoseAnswer(slot), Fault::Delay(slot)].into_iter().filter(move |_| calls);
            [Fault::Kill(slot), Fault::FailCall(slot)].into_iter().chain(of_call)
        });
        let others = [
            (Fault::KillSender, self.senders > 0),
            (Fault::ExpireLease, self.is_leased()),
            (Fault::Duplicate, self.queue > 0 && self.queue < MAX_MESSAGES),
            (Fault::LoseMessages, self.queue > 0),
            (Fault::Cancel, unfinished),
            (Fault::GiveUp, unfinished && !self.is_leased()),
            (Fault::ChangePlan, unfinished && self.current_plan == 0),
        ];
        of_workers.chain(others.into_iter().filter_map(|(fault, possible)| possible.then_some(fault)))
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
                self.take_place(&call, defect);
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
        *free = Some(Worker::new(self.next_owner));
        self.next_owner += 1;
        self.queue -= 1;
    }

    fn worker_does(&mut self, slot: Slot, what: impl FnOnce(&mut Worker)) {
        if let Some(worker) = &mut self.workers[slot] {
            what(worker);
        }
    }

    fn next_call(&self, slot: Slot, defect: Option<Defect>) -> Option<Call> {
        self.workers[slot].as_ref()?.call(self.current_plan, defect)
    }

    fn call(&mut self, slot: Slot, defect: Option<Defect>) {
        let Some(call) = self.next_call(slot, defect) else { return };
        let answer = self.take_place(&call, defect);
        let Some(worker) = &mut self.workers[slot] else { return };
        if let Some(disposition) = worker.after(answer, &self.record, defect) {
            self.end(slot, disposition);
        }
    }

    fn end(&mut self, slot: Slot, disposition: Disposition) {
        let Some(worker) = self.workers[slot].take() else { return };
        self.queue += u8::from(disposition == Disposition::PutBack);
        // Whoever claimed the email can no longer send it.
        self.witness.email_forfeited |= disposition == Disposition::PutBack
            && self.record.notified_by == Some(worker.owner)
            && self.emails == 0;
    }

    fn suffer(&mut self, fault: Fault, defect: Option<Defect>) {
        match fault {
            Fault::Kill(slot) => {
                let acknowledged = defect == Some(Defect::AcknowledgesBeforeSending)
                    && self.workers[slot]
                        .as_ref()
                        .is_some_and(|worker| worker.step == Step::SendContinuation);
                self.end(slot, Disposition::PutBack);
                self.queue -= u8::from(acknowledged);
            }
            Fault::KillSender => {
                self.senders -= 1;
                self.witness.message_lost = true;
            }
            Fault::LoseAnswer(slot) => {
                if let Some(call) = self.next_call(slot, defect) {
                    self.take_place(&call, defect);
                }
                self.give_up_unanswered_email(slot, defect);
            }
            Fault::Delay(slot) => {
                self.late_calls.extend(self.next_call(slot, defect));
                self.witness.late = true;
                self.give_up_unanswered_email(slot, defect);
            }
            Fault::FailCall(slot) => {
                let disposition = self.workers[slot].as_mut().and_then(Worker::after_failure);
                if let Some(disposition) = disposition {
                    self.end(slot, disposition);
                }
            }
            Fault::ExpireLease => {
                self.record.lease.iter_mut().for_each(|lease| lease.expired = true);
                self.queue += 1;
                self.witness.late = true;
            }
            Fault::Duplicate => self.queue += 1,
            Fault::LoseMessages => {
                self.queue = 0;
                self.witness.message_lost = true;
            }
            Fault::Cancel => {
                // The lease stays: its owner learns of it at its next step, and may write to the bucket until then.
                self.set_state(State::Failed(Reason::Cancelled));
                self.senders += 1;
            }
            Fault::GiveUp => {
                self.set_state(State::Failed(Reason::GivenUp));
                self.senders += 1;
            }
            Fault::ChangePlan => self.current_plan = 1,
        }
    }

    /// An email that SES may have taken is not sent again. Every other call is repeated.
    fn give_up_unanswered_email(&mut self, slot: Slot, defect: Option<Defect>) {
        let Some(worker) = &mut self.workers[slot] else { return };
        if worker.step == Step::SendEmail && defect != Some(Defect::EmailRepeated) {
            self.witness.email_forfeited = true;
            worker.after(crate::call::Answer::Done, &self.record, defect);
        }
    }
}

const _: () = assert!(WORKERS == 2, "Duplicate and ExpireLease bring a second worker, but no third one");
