//! What has to be true in every state.

use stateright::Property;

use crate::Life;
use crate::call::is_consecutive;
use crate::world::{MAX_ATTEMPTS, Reason, State, World};

pub const RIGHT_FILE: &str = "a COMPLETED export has a file with every row once, in order, of one plan";
pub const FILE_STAYS: &str = "the file of a COMPLETED export is never replaced";
pub const ONE_EMAIL: &str = "there are never two emails";
pub const EMAIL_IS_SENT: &str = "the email is sent, unless its sender died or SES did not answer";
pub const PARTS_STAY: &str = "a part of a saved checkpoint is never overwritten";
pub const FINAL_STATE_STAYS: &str = "a final state never changes";
pub const NO_FILE_OF_FAILED: &str = "a settled FAILED export has no file";
pub const NOTHING_LEFT: &str = "a settled export leaves nothing in the bucket but its file";
pub const NEVER_STUCK: &str = "without another fault, something goes on until the export is settled";
pub const CARRIED: &str = "as long as no message is lost, a message or a worker has the unsettled export";
pub const FAILS_FOR_A_REASON: &str =
    "an export fails only if cancelled, given up, or hit by as many faults as it has attempts";

pub fn all() -> Vec<Property<Life>> {
    vec![
        Property::always(RIGHT_FILE, |_, world: &World| {
            let file = world.bucket.file.as_deref();
            world.record.state != State::Completed
                || file.is_some_and(|file| {
                    is_consecutive(file, world.rows) && file.iter().all(|part| part.plan == file[0].plan)
                })
        }),
        Property::always(FILE_STAYS, |_, world: &World| !world.witness.file_replaced),
        Property::always(ONE_EMAIL, |_, world: &World| world.emails <= 1),
        Property::always(EMAIL_IS_SENT, |_, world: &World| {
            let is_being_sent = world.record.notified_by.is_some_and(|owner| world.is_at_work(owner));
            !world.is_settled() || world.emails > 0 || world.witness.email_forfeited || is_being_sent
        }),
        Property::always(PARTS_STAY, |_, world: &World| !world.witness.part_overwritten),
        Property::always(FINAL_STATE_STAYS, |_, world: &World| !world.witness.final_state_changed),
        Property::always(NO_FILE_OF_FAILED, |_, world: &World| {
            let has_file = world.bucket.file.is_some() && !world.witness.late_file;
            !world.is_settled() || world.record.state == State::Completed || !has_file
        }),
        // What comes after the end is left to the rules of the bucket, which delete it after some days.
        Property::always(NOTHING_LEFT, |_, world: &World| {
            !world.is_settled() || !world.bucket.has_leftovers() || world.witness.late_object
        }),
        Property::always(NEVER_STUCK, |life: &Life, world: &World| {
            world.is_settled() || !world.steps(life.defect).is_empty()
        }),
        Property::always(CARRIED, |_, world: &World| {
            let is_carried =
                world.queue > 0 || world.senders > 0 || world.workers.iter().any(Option::is_some);
            world.is_settled() || is_carried || world.witness.message_lost
        }),
        Property::always(FAILS_FOR_A_REASON, |_, world: &World| match world.record.state {
            State::Failed(Reason::TooManyAttempts) => world.faults >= MAX_ATTEMPTS,
            State::Failed(Reason::IntegrityMismatch) => false,
            _ => true,
        }),
        Property::sometimes("an export is COMPLETED and settled", |_, world: &World| {
            is_settled_as(world, State::Completed)
        }),
        Property::sometimes("an export is cancelled and settled", |_, world: &World| {
            is_settled_as(world, State::Failed(Reason::Cancelled))
        }),
    ]
}

fn is_settled_as(world: &World, state: State) -> bool {
    world.is_settled() && world.record.state == state
}
