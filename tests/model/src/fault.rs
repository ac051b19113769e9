//! The faults.

use crate::Defect;
use crate::action::Slot;
use crate::call::Answer;
use crate::worker::{Disposition, Step, Worker};
use crate::world::{Reason, State, World};

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
    /// The faults that could happen now.
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

    pub fn suffer(&mut self, fault: Fault, defect: Option<Defect>) {
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
                    self.take_place(&call, self.owner(slot), defect);
                }
                self.give_up_unanswered_email(slot, defect);
            }
            Fault::Delay(slot) => {
                self.late_calls.extend(self.next_call(slot, defect));
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
                self.record.lease = None;
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
            worker.after(Answer::Done, &self.record, defect);
        }
    }
}
