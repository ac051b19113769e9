//! Scenarios by name, and running them one after the other.

use std::time::Instant;

use futures::FutureExt;
use futures::future::BoxFuture;

use crate::report::Row;
use crate::scenarios::{SCENARIOS, reset};
use crate::world::{Outcome, World};

/// What happens, and what must hold then.
#[derive(Clone, Copy)]
pub struct Scenario {
    /// As the report and `--only` name it.
    pub name: &'static str,
    /// Makes exports while something fails. What does not hold is in [`Outcome::broken`].
    pub run: fn(World) -> BoxFuture<'static, Outcome>,
}

/// Runs the scenarios whose names contain one of the texts, or all, and prints each when it ends. Scenarios do not run at
/// the same time, because rules hit the calls of all.
pub async fn run_all(world: &World, only: &[String]) -> Vec<Row> {
    let mut rows = Vec::new();
    for scenario in &SCENARIOS {
        if !only.is_empty() && !only.iter().any(|text| scenario.name.contains(text.as_str())) {
            continue;
        }
        println!("── {}", scenario.name);
        let row = run_one(world, scenario).await;
        row.print_findings();
        rows.push(row);
    }
    rows
}

async fn run_one(world: &World, scenario: &Scenario) -> Row {
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
