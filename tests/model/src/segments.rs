//! An export that is read in segments: its record and the items of its segments, their objects, the export's worker and an
//! invited one. What is in [`crate::Life`] is simpler here: there are no tails, no email and no plan.

use stateright::{Model, Property};

mod after;
mod call;
mod defect;
mod fault;
mod item;
mod look;
mod object;
pub mod properties;
mod worker;
mod world;

pub use call::Call;
pub use defect::Defect;
pub use fault::Fault;
use item::EXPORT;
use worker::{Kind, Split, Step, Worker};
pub use world::World;

/// How many rows an export has.
pub const ROWS: u8 = 4;

/// The export and two segments.
pub const ITEMS: usize = 3;

/// How many claims without progress an item may have. A further one fails it.
pub const MAX_ATTEMPTS: u8 = 2;

/// How many workers run at the same time. Any number may run one after the other.
pub const WORKERS: usize = 2;

/// The number of a worker in [`World::workers`].
pub type Slot = usize;

/// What becomes of the message when a worker is done with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    Acknowledge,
    /// The message of the export comes again. An invitation does not.
    PutBack,
}

/// The life of one export that is read in segments.
#[derive(Debug, Clone, Copy)]
pub struct Segments {
    /// How often at most a range is split.
    pub splits: usize,
    /// How often at most a worker reads a page ahead or hands over near its deadline.
    pub variations: u8,
    pub faults: u8,
    pub defect: Option<Defect>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// A worker receives the export's message.
    Receive,
    /// A worker receives an invitation.
    ReceiveInvitation,
    /// A worker makes its next call and gets the answer.
    Call(Slot),
    /// A worker has one more page in memory before it sends a part.
    ReadAhead(Slot),
    /// A worker begins to split its range.
    Split(Slot, u8),
    /// A worker saves and hands over, because its deadline is near.
    HandOver(Slot),
    /// A worker that reads a segment sees that the export has ended.
    Stop(Slot),
    /// The reconciler finds an export that nobody works on, and sends its message again.
    Resend,
    /// A call takes place that nobody waits for any more.
    TakePlaceLate(usize),
    Fault(Fault),
}

impl Segments {
    /// The actions that happen by themselves, without a fault.
    fn steps(&self, world: &World) -> Vec<Action> {
        let mut steps = Vec::new();
        let has_room = world.workers.contains(&None);
        // Whoever receives the message of an export that another worker has puts it back.
        let is_busy = world.is_leased(EXPORT) && !world.is_final();
        steps.extend((has_room && world.queue > 0 && !is_busy).then_some(Action::Receive));
        steps.extend((has_room && world.is_invited).then_some(Action::ReceiveInvitation));
        for (slot, worker) in world.workers.iter().enumerate() {
            if let Some(worker) = worker {
                self.steps_of(slot, worker, world, &mut steps);
            }
        }
        steps.extend((!world.is_settled && !world.is_carried()).then_some(Action::Resend));
        steps
    }

    fn steps_of(&self, slot: Slot, worker: &Worker, world: &World, steps: &mut Vec<Action>) {
        steps.extend((!world.has_to_wait(worker, self.defect)).then_some(Action::Call(slot)));
        let may_vary = world.variations_left > 0;
        let waits = worker.step == Step::Begin && worker.kind == Kind::Exporter;
        steps.extend((may_vary && waits).then_some(Action::HandOver(slot)));
        let Some(draft) = worker.draft() else { return };
        let position = draft.checkpoint.position;
        let cuts_end = match worker.step {
            Step::Write => draft.until,
            Step::SendPart if self.defect == Some(Defect::CutsSentPart) => draft.read,
            _ => position,
        };
        if world.next_id <= self.splits {
            steps.extend((position + 1..cuts_end).map(|cut| Action::Split(slot, cut)));
        }
        if worker.step != Step::Write {
            return;
        }
        if may_vary {
            steps.push(Action::HandOver(slot));
            let may_read = draft.read == position + 1 && draft.read < draft.until;
            steps.extend(may_read.then_some(Action::ReadAhead(slot)));
        }
        steps.extend((worker.reads_segment() && world.is_final()).then_some(Action::Stop(slot)));
    }
}

impl World {
    fn act(&mut self, action: Action, defect: Option<Defect>) {
        match action {
            Action::Receive => {
                self.queue -= 1;
                self.start(Kind::Exporter);
            }
            Action::ReceiveInvitation => {
                self.is_invited = false;
                self.start(Kind::Invited);
            }
            Action::Call(slot) => self.call(slot, defect),
            Action::ReadAhead(slot) => {
                self.variations_left -= 1;
                self.worker_does(slot, |worker| {
                    if let Some(draft) = worker.drafts.last_mut() {
                        draft.read += 1;
                    }
                });
            }
            Action::Split(slot, cut) => {
                let split = Split { id: self.next_id, cut };
                self.next_id += 1;
                let is_short = defect == Some(Defect::SplitShortensFirst);
                let step = if is_short { Step::Shorten(split) } else { Step::PutSegment(split) };
                self.worker_does(slot, |worker| worker.step = step);
            }
            Action::HandOver(slot) => {
                self.variations_left -= 1;
                self.hand_over(slot, defect);
            }
            Action::Stop(slot) => self.end(slot, End::PutBack),
            Action::Resend => self.queue += 1,
            Action::TakePlaceLate(index) => {
                let call = self.late_calls.remove(index);
                self.take_place(&call, true, defect);
            }
            Action::Fault(fault) => {
                self.faults_left -= 1;
                self.faults += 1;
                self.suffer(fault, defect);
            }
        }
        self.workers.sort();
        self.late_calls.sort();
    }

    fn start(&mut self, kind: Kind) {
        if let Some(free) = self.workers.iter_mut().find(|worker| worker.is_none()) {
            *free = Some(Worker::new(kind));
        }
    }

    fn worker_does(&mut self, slot: Slot, what: impl FnOnce(&mut Worker)) {
        if let Some(worker) = &mut self.workers[slot] {
            what(worker);
        }
    }

    /// Lets a worker make its next call, and go on after the answer.
    fn call(&mut self, slot: Slot, defect: Option<Defect>) {
        let Some(mut worker) = self.workers[slot].clone() else { return };
        let was_splitting = matches!(worker.step, Step::Shorten(_) | Step::LookAgain(_));
        let next = match worker.call() {
            Some(call) => {
                let is_late = worker.draft().is_none_or(|draft| draft.was_frozen);
                let answer = self.take_place(&call, is_late, defect);
                worker.after(answer, self, defect)
            }
            None => worker.look(self, defect),
        };
        match next {
            Ok(step) => {
                // A split took place: there is a segment to read.
                self.is_invited |= was_splitting && step == Step::Write;
                worker.step = step;
                self.workers[slot] = Some(worker);
            }
            Err(end) => self.end(slot, end),
        }
    }

    fn hand_over(&mut self, slot: Slot, defect: Option<Defect>) {
        let waits = self.workers[slot].as_ref().is_some_and(|worker| worker.step == Step::Begin);
        if waits && defect == Some(Defect::HandsOverWithoutSaving) {
            return self.end(slot, End::PutBack);
        }
        self.worker_does(slot, |worker| {
            worker.hands_over = true;
            worker.step = Step::Save;
        });
    }

    fn end(&mut self, slot: Slot, end: End) {
        let worker = self.workers[slot].take();
        let has_message = worker.is_some_and(|worker| worker.kind == Kind::Exporter);
        self.queue += u8::from(has_message && end == End::PutBack);
    }
}

impl Model for Segments {
    type State = World;
    type Action = Action;

    fn init_states(&self) -> Vec<World> {
        vec![World::created(self)]
    }

    fn actions(&self, world: &World, actions: &mut Vec<Action>) {
        actions.extend(self.steps(world));
        actions.extend((0..world.late_calls.len()).map(Action::TakePlaceLate));
        if world.faults_left > 0 {
            actions.extend(world.possible_faults().map(Action::Fault));
        }
    }

    fn next_state(&self, world: &World, action: Action) -> Option<World> {
        let mut next = world.clone();
        next.act(action, self.defect);
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        properties::all(self)
    }
}
