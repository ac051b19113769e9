//! An export that is read in segments: every property holds in every state, and each defect is found.

use std::time::Instant;

use model_tests::graph::Graph;
use model_tests::segments::properties::*;
use model_tests::segments::{Defect, Segments};
use stateright::{Checker, HasDiscoveries, Model};

fn check(splits: usize, variations: u8, faults: u8) {
    let started = Instant::now();
    let checker = Segments { splits, variations, faults, defect: None }.checker().spawn_bfs().join();
    println!(
        "{splits} splits, {variations} variations, {faults} faults: {} states, {} steps, at most {} in a row, {:.1} s",
        checker.unique_state_count(),
        checker.state_count(),
        checker.max_depth(),
        started.elapsed().as_secs_f32()
    );
    checker.assert_properties();
}

#[test]
fn every_property_holds_with_two_splits_and_a_fault() {
    check(2, 0, 1);
}

#[test]
fn every_property_holds_with_two_splits_and_variations() {
    check(2, 3, 0);
}

#[test]
fn every_property_holds_with_a_split_and_two_faults() {
    check(1, 0, 2);
}

#[test]
fn every_property_holds_with_a_split_two_variations_and_a_fault() {
    check(1, 2, 1);
}

#[test]
#[ignore = "half a minute and a gigabyte: when the design is changed"]
fn every_property_holds_with_two_splits_a_variation_and_a_fault() {
    check(2, 1, 1);
}

#[test]
#[ignore = "a minute and a gigabyte: when the design is changed"]
fn every_property_holds_with_a_split_a_variation_and_two_faults() {
    check(1, 1, 2);
}

#[test]
#[ignore = "minutes and two gigabytes: when the design is changed"]
fn every_property_holds_with_two_splits_and_two_faults() {
    check(2, 0, 2);
}

/// So every run comes to its end, and because nothing is stuck before, the end is a settled export.
#[test]
fn no_run_goes_round_in_circles() {
    for (splits, variations, faults) in [(2, 0, 1), (2, 2, 0), (1, 1, 1), (1, 0, 2)] {
        let graph = Graph::of(&Segments { splits, variations, faults, defect: None });
        assert!(!graph.has_cycle(), "{splits} splits, {variations} variations, {faults} faults");
    }
}

/// Each defect with how many splits, variations and faults it takes, and the property that does not hold.
const DEFECTS: [(Defect, usize, u8, u8, &str); 14] = [
    (Defect::SplitShortensFirst, 1, 0, 0, RANGES_TILE),
    (Defect::SplitIgnoresNext, 2, 0, 1, SPLITS_STAY),
    (Defect::SplitGivenUp, 2, 0, 1, RIGHT_FILE),
    (Defect::PutOverwrites, 1, 0, 1, FINAL_STATES_STAY),
    (Defect::CutsSentPart, 1, 1, 1, PARTS_STAY),
    (Defect::ReadsBeyondCut, 1, 1, 0, RIGHT_FILE),
    (Defect::TakesUnnamedSegments, 2, 0, 1, NOTHING_LEFT),
    (Defect::ClaimIgnoresExport, 1, 0, 1, NOTHING_LEFT),
    (Defect::ExporterOnlyWaits, 1, 0, 1, NEVER_STUCK),
    (Defect::HandsOverWithoutSaving, 1, 3, 0, FAILS_FOR_A_REASON),
    (Defect::FailedSegmentIsIgnored, 1, 0, 1, NEVER_STUCK),
    (Defect::JoinBeforeAllCompleted, 1, 0, 0, FAILS_FOR_A_REASON),
    (Defect::JoinNumbersByEpoch, 2, 0, 1, FAILS_FOR_A_REASON),
    (Defect::CleansUpBesideSegments, 1, 0, 1, NOTHING_LEFT),
];

#[test]
fn each_defect_is_found() {
    for (defect, splits, variations, faults, property) in DEFECTS {
        let segments = Segments { splits, variations, faults, defect: Some(defect) };
        let until_found = HasDiscoveries::AnyOf([property].into());
        let checker = segments.checker().finish_when(until_found).spawn_bfs().join();
        let path = checker.discovery(property);
        println!(
            "{defect:?}: {:?}",
            path.unwrap_or_else(|| panic!("{defect:?} is not found")).into_actions()
        );
    }
}

#[test]
fn the_readme_has_every_defect_and_the_property_that_finds_it() {
    let readme = include_str!("../README.md");
    for (defect, .., property) in DEFECTS {
        let row = readme.lines().find(|line| line.contains(&format!("`{defect:?}`")));
        assert!(row.is_some_and(|row| row.contains(property)), "{defect:?}: {property}");
    }
}
