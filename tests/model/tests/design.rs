//! The design as it is: every property holds in every state.

use std::time::Instant;

use model_tests::Life;
use stateright::{Checker, Model};

fn check(variations: u8, faults: u8) {
    let started = Instant::now();
    let checker = Life { variations, faults, defect: None }.checker().spawn_bfs().join();
    println!(
        "{variations} variations, {faults} faults: {} states, {} steps, at most {} deep, {:?}",
        checker.unique_state_count(),
        checker.state_count(),
        checker.max_depth(),
        started.elapsed()
    );
    for (name, path) in checker.discoveries() {
        if !name.starts_with("an export is") {
            println!("XX {name}");
            for (w, a) in path.into_vec() {
                let Some(a) = a else { continue };
                let st: Vec<_> = w.workers.iter().map(|x| x.as_ref().map(|x| (x.owner, x.step))).collect();
                println!(
                    "   {a:?} {st:?} by {:?} watched {} q {}",
                    w.record.notified_by, w.record.watched, w.queue
                );
            }
        }
    }
}

#[test]
fn every_property_holds() {
    for (p, f) in [(0, 0), (1, 0), (2, 0), (3, 0), (0, 1), (1, 1), (2, 1), (3, 1), (0, 2), (1, 2), (0, 3)] {
        check(p, f);
    }
}
