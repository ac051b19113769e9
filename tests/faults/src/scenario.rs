//! Scenarios by name, and running one.

use std::time::Instant;

use futures::FutureExt;
use futures::future::BoxFuture;

use crate::report::Row;
use crate::scenarios::reset;
use crate::world::{Outcome, World};

/// Makes exports while something fails. What does not hold is in [`Outcome::broken`].
pub type Run = fn(World) -> BoxFuture<'static, Outcome>;

/// What happens, and what must hold then.
#[derive(Clone, Copy)]
pub struct Scenario {
    /// As the report and `--only` name it.
    pub name: &'static str,
    /// Whether it waits for more than a minute, mostly for a lease to run out. Those begin first.
    pub waits: bool,
    /// The scenario itself.
    pub run: Run,
}

/// Runs a scenario while no other runs against the same system, because rules hit all calls.
pub async fn run_one(world: &World, scenario: &'static Scenario) -> Row {
    let began = Instant::now();
    reset(world).await;
    // In a task of its own, so that a panic ends this scenario only.
    let ended = tokio::spawn((scenario.run)(world.clone()).map(Box::new)).await;
    world.faults.end();
    let outcome = ended.map_or_else(
        |error| Outcome {
            broken: vec![format!("the scenario itself failed: {error}")],
            ..Outcome::default()
        },
        |outcome| *outcome,
    );
    Row { name: scenario.name, took: began.elapsed(), counts: world.faults.counts(), outcome }
}
