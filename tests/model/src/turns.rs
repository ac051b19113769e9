//! Several exports of one organization, of which only some may run at the same time: the sets of its active exports, the messages,
//! and some workers. What a worker does between its claim and its last step is one step here; [`crate::Life`] has that.

use stateright::{Model, Property};

mod step;

pub use step::Step;

pub const EXPORTS: usize = 4;

/// The most workers at the same time.
const WORKERS: usize = 3;

pub const ROOM: &str = "no more exports run than may";
pub const NO_SLOT_LEAKS: &str = "a settled export has no slot";
pub const WOKEN: &str = "as long as no message is lost, a message or a worker goes on until all are settled";

/// A set of exports, by their numbers. Lower ones are older.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Set(u8);

impl Set {
    pub fn first(count: usize) -> Self {
        Self((1 << count) - 1)
    }

    pub fn has(self, export: usize) -> bool {
        self.0 & (1 << export) != 0
    }

    pub fn add(&mut self, export: usize) {
        self.0 |= 1 << export;
    }

    pub fn remove(&mut self, export: usize) {
        self.0 &= !(1 << export);
    }

    pub fn len(self) -> usize {
        self.0.count_ones() as usize
    }

    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub fn oldest(self, count: usize) -> Self {
        let mut oldest = Self::default();
        (0..EXPORTS).filter(|export| self.has(*export)).take(count).for_each(|export| oldest.add(export));
        oldest
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    Unfinished,
    Final,
    Settled,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Export {
    pub state: State,
    pub is_leased: bool,
}

/// A worker with a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Worker {
    pub export: usize,
    pub step: Step,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Organization {
    pub exports: [Export; EXPORTS],
    pub unfinished: Set,
    pub running: Set,
    pub waiting: Set,
    /// Messages in the queue, of each export.
    pub queue: [u8; EXPORTS],
    pub workers: [Option<Worker>; WORKERS],
    pub faults_left: u8,
    /// A message is gone, or was never sent.
    pub is_message_lost: bool,
}

/// What can be done wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Defect {
    /// The condition of a start does not ask whether there is room.
    StartsWithoutRoom,
    /// The condition of a start does not ask whether the export is unfinished.
    StartsFinished,
    /// An export is put among those that wait although there is room by now.
    WaitsDespiteRoom,
    /// Whoever finds an export finished does not pass its turn on.
    FinalIsNotPassedOn,
    /// The last step does not take the export out of `running`.
    KeepsRunning,
}

#[derive(Debug, Clone, Copy)]
pub struct Turns {
    /// How many workers there are at the same time.
    pub workers: usize,
    pub max_running: usize,
    pub faults: u8,
    pub defect: Option<Defect>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    Receive(usize),
    Step(usize),
    /// Nothing goes on: every export with something left to do is overdue.
    Reconcile,
    /// A worker dies, and its message comes back.
    Die(usize),
    /// A worker dies, and its message is lost.
    DieWithMessage(usize),
    Lose(usize),
    /// The owner cancels, and the message that follows is sent.
    Cancel(usize),
    /// The owner cancels, and the function dies before it sends the message.
    CancelWithoutMessage(usize),
    /// A request to let an export run that was given up takes place late.
    StartLate(usize),
}

impl Organization {
    fn is_quiet(&self) -> bool {
        self.queue == [0; EXPORTS] && self.workers == [None; WORKERS]
    }

    fn is_settled(&self, export: usize) -> bool {
        self.exports[export].state == State::Settled
    }

    pub fn has_slot(&self, export: usize) -> bool {
        [self.unfinished, self.running, self.waiting].iter().any(|set| set.has(export))
    }

    pub fn release(&mut self, export: usize, defect: Option<Defect>) {
        self.unfinished.remove(export);
        self.waiting.remove(export);
        if defect != Some(Defect::KeepsRunning) {
            self.running.remove(export);
        }
    }

    pub fn start(&mut self, export: usize, turns: &Turns) -> bool {
        let is_unfinished = self.unfinished.has(export) || turns.defect == Some(Defect::StartsFinished);
        let has_room = self.running.has(export)
            || self.running.len() < turns.max_running
            || turns.defect == Some(Defect::StartsWithoutRoom);
        if is_unfinished && has_room {
            self.running.add(export);
            self.waiting.remove(export);
        }
        is_unfinished && has_room
    }

    fn cancel(&mut self, export: usize) {
        // A worker that makes the file keeps its lease until it notices.
        self.exports[export].state = State::Final;
        self.release(export, None);
    }

    fn die(&mut self, slot: usize) -> usize {
        let worker = self.workers[slot].take().expect("a worker");
        if worker.step == Step::Finish {
            self.exports[worker.export].is_leased = false;
        }
        worker.export
    }
}

impl Model for Turns {
    type State = Organization;
    type Action = Action;

    fn init_states(&self) -> Vec<Organization> {
        vec![Organization {
            exports: [Export { state: State::Unfinished, is_leased: false }; EXPORTS],
            unfinished: Set::first(EXPORTS),
            running: Set::default(),
            waiting: Set::default(),
            queue: [1; EXPORTS],
            workers: [None; WORKERS],
            faults_left: self.faults,
            is_message_lost: false,
        }]
    }

    fn actions(&self, state: &Organization, actions: &mut Vec<Action>) {
        let slots = (0..WORKERS).filter(|slot| state.workers[*slot].is_some());
        actions.extend(slots.clone().map(Action::Step));
        if state.workers.iter().flatten().count() < self.workers {
            // Whoever receives the message of an export that another worker has puts it back.
            let is_free = |export: &usize| state.queue[*export] > 0 && !state.exports[*export].is_leased;
            actions.extend((0..EXPORTS).filter(is_free).map(Action::Receive));
        }
        if state.is_quiet() && (0..EXPORTS).any(|export| !state.is_settled(export)) {
            actions.push(Action::Reconcile);
        }
        if state.faults_left > 0 {
            actions.extend(slots.clone().map(Action::Die));
            actions.extend(slots.map(Action::DieWithMessage));
            for export in 0..EXPORTS {
                actions.extend((state.queue[export] > 0).then_some(Action::Lose(export)));
                actions.push(Action::StartLate(export));
                if state.exports[export].state == State::Unfinished {
                    actions.extend([Action::Cancel(export), Action::CancelWithoutMessage(export)]);
                }
            }
        }
    }

    fn next_state(&self, state: &Organization, action: Action) -> Option<Organization> {
        let mut next = state.clone();
        if !matches!(action, Action::Receive(_) | Action::Step(_) | Action::Reconcile) {
            next.faults_left -= 1;
        }
        match action {
            Action::Receive(export) => {
                next.queue[export] -= 1;
                let slot = next.workers.iter().position(Option::is_none)?;
                next.workers[slot] = Some(Worker { export, step: Step::Look });
            }
            Action::Step(slot) => next.step(slot, self),
            Action::Reconcile => (0..EXPORTS)
                .filter(|export| !state.is_settled(*export))
                .for_each(|export| next.queue[export] += 1),
            Action::Die(slot) => {
                let export = next.die(slot);
                next.queue[export] += 1;
            }
            Action::DieWithMessage(slot) => {
                next.die(slot);
                next.is_message_lost = true;
            }
            Action::Lose(export) => {
                next.queue[export] -= 1;
                next.is_message_lost = true;
            }
            Action::Cancel(export) => {
                next.cancel(export);
                next.queue[export] += 1;
            }
            Action::CancelWithoutMessage(export) => {
                next.cancel(export);
                next.is_message_lost = true;
            }
            Action::StartLate(export) => {
                // What waited may run now, and nobody sends its message for that.
                next.is_message_lost |= next.waiting.has(export);
                next.start(export, self);
            }
        }
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(ROOM, |turns: &Self, state: &Organization| {
                let at_work = state
                    .exports
                    .iter()
                    .filter(|export| export.is_leased && export.state == State::Unfinished);
                state.running.len().max(at_work.count()) <= turns.max_running
            }),
            Property::always(NO_SLOT_LEAKS, |_, state: &Organization| {
                (0..EXPORTS).all(|export| !state.is_settled(export) || !state.has_slot(export))
            }),
            Property::always(WOKEN, |_, state: &Organization| {
                let are_settled = (0..EXPORTS).all(|export| state.is_settled(export));
                are_settled || !state.is_quiet() || state.is_message_lost
            }),
            Property::sometimes("an export waits", |_, state: &Organization| !state.waiting.is_empty()),
            Property::sometimes("all are settled", |_, state: &Organization| {
                (0..EXPORTS).all(|export| state.is_settled(export))
            }),
        ]
    }
}
