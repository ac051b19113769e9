//! What the model knows of the world: the items, the bucket, the messages, and who is at work.

use super::call::Call;
use super::item::{EXPORT, Id, Item, State, Token};
use super::object::Object;
use super::worker::{Kind, Worker};
use super::{ITEMS, ROWS, Segments, WORKERS};

/// What happened that the properties ask for, and that nothing in the real system records.
#[expect(clippy::struct_excessive_bools, reason = "each is an event of its own")]
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Witness {
    /// A part of a saved checkpoint was replaced by other rows, or a completed segment's file.
    pub part_overwritten: bool,
    /// A final state of the export or a segment was replaced by another one.
    pub final_state_changed: bool,
    /// A segment that was found by following the items is not found any more.
    pub split_lost: bool,
    /// Something was put into the bucket after the final state, by a worker that did not have its lease all the time.
    pub late_object: bool,
    pub message_lost: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct World {
    pub items: [Option<Item>; ITEMS],
    pub objects: [Object; ITEMS],
    /// Nothing is left to do.
    pub is_settled: bool,
    /// Messages of the export that can be received.
    pub queue: u8,
    pub is_invited: bool,
    /// Sorted, because it makes no difference which of them is which.
    pub workers: [Option<Worker>; WORKERS],
    /// The number that the next split gives to its segment.
    pub next_id: Id,
    /// Calls that nobody waits for any more, and that may still take place.
    pub late_calls: Vec<Call>,
    pub variations_left: u8,
    pub faults_left: u8,
    pub faults: u8,
    pub witness: Witness,
}

impl World {
    /// An export that was just created, and its message.
    pub fn created(segments: &Segments) -> Self {
        let mut items = [const { None }; ITEMS];
        items[EXPORT] = Some(Item::requested(0, ROWS, None));
        Self {
            items,
            objects: Default::default(),
            is_settled: false,
            queue: 1,
            is_invited: false,
            workers: [const { None }; WORKERS],
            next_id: EXPORT + 1,
            late_calls: Vec::new(),
            variations_left: segments.variations,
            faults_left: segments.faults,
            faults: 0,
            witness: Witness::default(),
        }
    }

    pub fn state(&self, id: Id) -> Option<State> {
        self.items[id].as_ref().map(|item| item.state)
    }

    pub fn is_final(&self) -> bool {
        self.state(EXPORT).is_some_and(State::is_final)
    }

    /// The item, if its epoch is still this one.
    pub fn item(&self, token: Token) -> Option<&Item> {
        self.items[token.id].as_ref().filter(|item| item.epoch == token.epoch)
    }

    /// What is found by following the items from the export's on: the export and its segments.
    pub fn named(&self) -> impl Iterator<Item = Id> {
        let next = |id: &Id| self.items[*id].as_ref()?.next.filter(|next| self.items[*next].is_some());
        std::iter::successors(Some(EXPORT), next).take(ITEMS)
    }

    /// Whether a worker holds a lease that others respect. That of a worker that is gone has run out.
    pub fn is_leased(&self, id: Id) -> bool {
        let Some(item) = &self.items[id] else { return false };
        let token = Token { id, epoch: item.epoch };
        let is_held = self.at_work().any(|worker| worker.drafts.iter().any(|draft| draft.token == token));
        is_held && !item.is_expired
    }

    /// Whether an item can be claimed.
    pub fn is_free(&self, id: Id) -> bool {
        self.state(id).is_some_and(|state| !state.is_final()) && !self.is_leased(id)
    }

    /// All segments that can be claimed, also those that no item names.
    pub fn free(&self) -> impl Iterator<Item = Id> {
        (EXPORT + 1..ITEMS).filter(|id| self.is_free(*id))
    }

    pub fn at_work(&self) -> impl Iterator<Item = &Worker> {
        self.workers.iter().flatten()
    }

    /// Whether a message or a worker has the export.
    pub fn is_carried(&self) -> bool {
        self.queue > 0 || self.at_work().any(|worker| worker.kind == Kind::Exporter)
    }
}
