//! The design as it is: every property holds in every state.

use std::time::Instant;

use model_tests::Life;
use model_tests::graph::Graph;
use model_tests::world::ROWS;
use stateright::{Checker, Model};

fn check(rows: u8, variations: u8, faults: u8) {
    let started = Instant::now();
    let checker = Life { rows, variations, faults, defect: None }.checker().spawn_bfs().join();
    println!(
        "{rows} rows, {variations} variations, {faults} faults: {} states, {} steps, at most {} in a row, {:.1} s",
        checker.unique_state_count(),
        checker.state_count(),
        checker.max_depth(),
        started.elapsed().as_secs_f32()
    );
    checker.assert_properties();
}

#[test]
fn every_property_holds_with_three_variations_and_a_fault() {
    check(ROWS, 3, 1);
}

#[test]
fn every_property_holds_with_a_variation_and_two_faults() {
    check(ROWS, 1, 2);
}

#[test]
fn every_property_holds_with_three_faults() {
    check(ROWS, 0, 3);
}

#[test]
fn every_property_holds_of_a_small_export_with_three_faults() {
    check(1, 0, 3);
}

#[test]
#[ignore = "a minute: when the design is changed"]
fn every_property_holds_of_a_small_export_with_a_variation_and_three_faults() {
    check(1, 1, 3);
}

#[test]
#[ignore = "a minute and two gigabytes: when the design is changed"]
fn every_property_holds_with_two_variations_and_two_faults() {
    check(ROWS, 2, 2);
}

#[test]
#[ignore = "ten minutes and 13 GB: when the design is changed"]
fn every_property_holds_with_a_variation_and_three_faults() {
    check(ROWS, 1, 3);
}

/// So every run comes to its end, and because nothing is stuck before, the end is a settled export.
#[test]
fn no_run_goes_round_in_circles() {
    for (rows, variations, faults) in [(ROWS, 2, 1), (ROWS, 0, 2), (1, 1, 2)] {
        let graph = Graph::of(&Life { rows, variations, faults, defect: None });
        assert!(!graph.has_cycle(), "{rows} rows, {variations} variations, {faults} faults");
    }
}
