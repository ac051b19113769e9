//! The design as it is: every property holds in every state.

use std::time::Instant;

use model_tests::Life;
use model_tests::graph::Graph;
use stateright::{Checker, Model};

fn check(variations: u8, faults: u8) {
    let started = Instant::now();
    let checker = Life { variations, faults, defect: None }.checker().spawn_bfs().join();
    println!(
        "{variations} variations, {faults} faults: {} states, {} steps, at most {} in a row, {:.1} s",
        checker.unique_state_count(),
        checker.state_count(),
        checker.max_depth(),
        started.elapsed().as_secs_f32()
    );
    checker.assert_properties();
}

#[test]
fn every_property_holds_with_three_variations_and_a_fault() {
    check(3, 1);
}

#[test]
fn every_property_holds_with_a_variation_and_two_faults() {
    check(1, 2);
}

#[test]
fn every_property_holds_with_three_faults() {
    check(0, 3);
}

#[test]
#[ignore = "half a minute and 700 MB: when the design is changed"]
fn every_property_holds_with_two_variations_and_two_faults() {
    check(2, 2);
}

#[test]
#[ignore = "minutes and gigabytes: when the design is changed"]
fn every_property_holds_with_a_variation_and_three_faults() {
    check(1, 3);
}

/// So every run comes to its end, and because nothing is stuck before, the end is a settled export.
#[test]
fn no_run_goes_round_in_circles() {
    for (variations, faults) in [(2, 1), (0, 2)] {
        let graph = Graph::of(&Life { variations, faults, defect: None });
        assert!(!graph.has_cycle(), "{variations} variations, {faults} faults");
    }
}
