//! What a worker does with a message, call by call.

use super::{Defect, EXPORTS, Organization, Set, State, Turns};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Step {
    /// Reads the export's state.
    Look,
    /// Adds the export to those that run, if there is room.
    Start,
    /// Removes finished exports from the sets.
    ReleaseFinished,
    /// Adds the export to those that wait, if there is no room.
    AddToWaiting,
    /// Records in the export that it waits, and acknowledges the message.
    Wait,
    Claim,
    /// Makes the file, and takes the last step.
    Finish,
    /// Removes the finished export from the sets, and sees for whom there is room.
    Release,
    /// Sends their messages.
    Send(Set),
    Settle,
}

impl Organization {
    pub(super) fn step(&mut self, slot: usize, turns: &Turns) {
        let Some(worker) = self.workers[slot] else { return };
        let next = self.call(worker.export, worker.step, turns);
        match (&mut self.workers[slot], next) {
            (Some(worker), Some(step)) => worker.step = step,
            (worker, _) => *worker = None,
        }
    }

    /// Makes a call and returns the next step. `None` if the message is acknowledged, or put back.
    fn call(&mut self, export: usize, step: Step, turns: &Turns) -> Option<Step> {
        let record = self.exports[export];
        let is_final = record.state != State::Unfinished;
        let found_final = match turns.defect {
            Some(Defect::FinalIsNotPassedOn) => Step::Settle,
            _ => Step::Release,
        };
        match step {
            Step::Look if is_final => Some(found_final),
            Step::Look | Step::Claim | Step::Wait if record.is_leased => self.put_back(export),
            Step::Look => Some(Step::Start),
            Step::Start if self.start(export, turns) => Some(Step::Claim),
            Step::Start => Some(Step::ReleaseFinished),
            Step::ReleaseFinished => {
                let is_finished = |export: &usize| self.exports[*export].state != State::Unfinished;
                let finished: Vec<_> = (0..EXPORTS).filter(is_finished).collect();
                finished.into_iter().for_each(|finished| self.release(finished, turns.defect));
                // An export that is in none of the sets runs beside the others, if it is not finished.
                Some(if self.unfinished.has(export) { Step::AddToWaiting } else { Step::Claim })
            }
            Step::AddToWaiting => {
                let is_full = self.running.len() >= turns.max_running;
                let has_to_wait = is_full || turns.defect == Some(Defect::WaitsDespiteRoom);
                if !self.unfinished.has(export) || self.running.has(export) || !has_to_wait {
                    return Some(Step::Start);
                }
                self.waiting.add(export);
                Some(Step::Wait)
            }
            Step::Wait if is_final => self.put_back(export),
            Step::Wait => None,
            Step::Claim if is_final => Some(found_final),
            Step::Claim => {
                self.exports[export].is_leased = true;
                Some(Step::Finish)
            }
            Step::Finish => {
                self.exports[export].is_leased = false;
                // Unless it was cancelled meanwhile.
                if !is_final {
                    self.exports[export].state = State::Final;
                }
                Some(Step::Release)
            }
            Step::Release => {
                self.release(export, turns.defect);
                let room = turns.max_running.saturating_sub(self.running.len());
                Some(Step::Send(self.waiting.oldest(room)))
            }
            Step::Send(woken) => {
                (0..EXPORTS).filter(|export| woken.has(*export)).for_each(|export| self.queue[export] += 1);
                Some(Step::Settle)
            }
            Step::Settle => {
                self.exports[export].state = State::Settled;
                None
            }
        }
    }

    fn put_back(&mut self, export: usize) -> Option<Step> {
        self.queue[export] += 1;
        None
    }
}
