//! Lanes run scenarios beside each other: each has a system of its own and takes the next scenario when it is free, because
//! most of the time scenarios wait.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use integration_tests::system::{system, use_on_this_thread};
use serde::Deserialize;
use tokio::runtime::Builder;

use crate::killer::Killer;
use crate::proxy::{Faults, Proxy};
use crate::report::Row;
use crate::scenario::{Scenario, run_one};
use crate::scenarios::SCENARIOS;
use crate::world::{Limits, World};

/// A system that `cargo xtask faults` has brought up.
#[derive(Deserialize)]
pub struct SystemUnderTest {
    /// Where its `outputs.json` is.
    pub outputs: PathBuf,
    /// Where its functions call AWS.
    pub proxy_port: u16,
    /// The process whose children its functions are.
    pub emulator_pid: i32,
}

/// What all scenarios have in common.
#[derive(Clone, Copy)]
pub struct Settings {
    /// How long they wait.
    pub limits: Limits,
    /// Fewer and smaller exports.
    pub quick: bool,
    /// Decides, with the place of a scenario among all, its random numbers.
    pub seed: u64,
}

/// The scenarios that no lane has taken yet, by their place in [`SCENARIOS`].
struct Queue(Mutex<VecDeque<usize>>);

impl Queue {
    /// Those whose names contain one of the texts, or all. Those that wait come first, so that none is left to wait for at
    /// the end.
    fn new(only: &[String]) -> Self {
        let is_chosen = |scenario: &Scenario| {
            only.is_empty() || only.iter().any(|text| scenario.name.contains(text.as_str()))
        };
        let mut chosen: Vec<_> =
            (0..SCENARIOS.len()).filter(|number| is_chosen(&SCENARIOS[*number])).collect();
        chosen.sort_by_key(|number| !SCENARIOS[*number].waits);
        Self(Mutex::new(chosen.into()))
    }

    fn next(&self) -> Option<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }
}

/// Runs the scenarios whose names contain one of the texts, or all, and prints each when it ends. Returns them in the order of
/// [`SCENARIOS`].
pub fn run_all(systems: &[SystemUnderTest], settings: Settings, only: &[String]) -> Vec<Row> {
    let queue = &Queue::new(only);
    let mut rows = std::thread::scope(|scope| {
        let lane = |system| scope.spawn(move || run_lane(system, settings, queue));
        let lanes: Vec<_> = systems.iter().map(lane).collect();
        lanes.into_iter().flat_map(|lane| lane.join().unwrap()).collect::<Vec<_>>()
    });
    rows.sort_by_key(|(number, _)| *number);
    rows.into_iter().map(|(_, row)| row).collect()
}

fn run_lane(of: &SystemUnderTest, settings: Settings, queue: &Queue) -> Vec<(usize, Row)> {
    use_on_this_thread(&of.outputs);
    // On this thread only, because the system is the thread's.
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let faults = Faults::new(settings.seed);
        let killer = Killer::new(of.emulator_pid);
        let emulator = &system().outputs.endpoint_url;
        let _proxy = Proxy::start(of.proxy_port, emulator, faults.clone(), killer).await.unwrap();
        let world = World::new(faults, settings.limits, settings.quick);
        let mut rows = Vec::new();
        while let Some(number) = queue.next() {
            world.seed(settings.seed.wrapping_add(number as u64));
            let row = run_one(&world, &SCENARIOS[number]).await;
            row.print_findings();
            rows.push((number, row));
        }
        let several = world.several_emails().await;
        if let Some((_, row)) = rows.last_mut().filter(|_| !several.is_empty()) {
            row.outcome.broken.push(format!("at the end of the lane, several emails of {several:?}"));
        }
        rows
    })
}
