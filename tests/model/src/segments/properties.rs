//! What has to be true in every state.

use stateright::Property;

use super::item::{EXPORT, Id, Reason, State};
use super::world::World;
use super::{MAX_ATTEMPTS, ROWS, Segments};
use crate::call::is_consecutive;

pub const RIGHT_FILE: &str = "a COMPLETED export has a file with every row once, in order";
pub const RANGES_TILE: &str = "the ranges follow each other without a gap";
pub const SPLITS_STAY: &str = "a segment that was found stays found";
pub const PARTS_STAY: &str = "a saved part and the file of a completed segment are never overwritten";
pub const FINAL_STATES_STAY: &str = "a final state of the export or a segment never changes";
pub const NOTHING_LEFT: &str = "a settled export leaves nothing in the bucket but its file";
pub const NEVER_STUCK: &str = "without another fault, something goes on until the export is settled";
pub const CARRIED: &str = "as long as no message is lost, a message or a worker has the unsettled export";
pub const FAILS_FOR_A_REASON: &str =
    "it fails only if cancelled, broken, or hit by as many faults as there are attempts";

/// What has to be true, and what has to be possible with so many splits and faults.
pub fn all(segments: &Segments) -> Vec<Property<Segments>> {
    let mut all = always();
    if segments.splits > 1 {
        all.push(Property::sometimes(
            "an export of three segments is COMPLETED and settled",
            |_, world: &World| world.named().count() == 3 && is_settled_as(world, State::Completed),
        ));
    }
    if segments.splits > 0 && segments.faults > 0 {
        all.push(Property::sometimes(
            "an export fails because of a segment and is settled",
            |_, world: &World| {
                let has_failed = |id: Id| world.state(id) == Some(State::Failed(Reason::Broken));
                world.named().skip(1).any(has_failed) && is_settled_as(world, State::Failed(Reason::Broken))
            },
        ));
    }
    all
}

fn always() -> Vec<Property<Segments>> {
    vec![
        Property::always(RIGHT_FILE, |_, world: &World| {
            let file = world.objects[EXPORT].file.as_deref();
            world.state(EXPORT) != Some(State::Completed)
                || file.is_some_and(|file| is_consecutive(file, ROWS))
        }),
        Property::always(RANGES_TILE, |_, world: &World| tile(world)),
        Property::always(SPLITS_STAY, |_, world: &World| !world.witness.split_lost),
        Property::always(PARTS_STAY, |_, world: &World| !world.witness.part_overwritten),
        Property::always(FINAL_STATES_STAY, |_, world: &World| !world.witness.final_state_changed),
        // What comes after the end is left to the rules of the bucket, which delete it after some days.
        Property::always(NOTHING_LEFT, |_, world: &World| {
            !world.is_settled || world.leftovers() == 0 || world.witness.late_object
        }),
        Property::always(NEVER_STUCK, |segments: &Segments, world: &World| {
            let is_over = world.is_settled && world.at_work().next().is_none();
            is_over || !segments.steps(world).is_empty()
        }),
        Property::always(CARRIED, |_, world: &World| {
            world.is_settled || world.is_carried() || world.witness.message_lost
        }),
        // A segment of an export that is final already may fail because its upload was cleaned up.
        Property::always(FAILS_FOR_A_REASON, |_, world: &World| match world.state(EXPORT) {
            Some(State::Failed(Reason::TooManyAttempts)) => world.faults >= MAX_ATTEMPTS,
            Some(State::Failed(Reason::IntegrityMismatch)) => false,
            _ => true,
        }),
    ]
}

fn is_settled_as(world: &World, state: State) -> bool {
    world.is_settled && world.state(EXPORT) == Some(state)
}

/// Whether each range ends where the one of the next item begins, and the last one with the rows.
fn tile(world: &World) -> bool {
    world.named().filter_map(|id| world.items[id].as_ref()).all(|item| match item.next {
        None => item.until == ROWS,
        Some(next) => world.items[next].as_ref().is_some_and(|next| next.from == item.until),
    })
}
