//! Exports of one organization that take turns: every property holds in every state, and each defect is found.

use model_tests::graph::Graph;
use model_tests::turns::{Defect, NO_SLOT_LEAKS, ROOM, Turns, WOKEN};
use stateright::{Checker, HasDiscoveries, Model};

fn check(workers: usize, max_running: usize, faults: u8) {
    let turns = Turns { workers, max_running, faults, defect: None };
    let checker = turns.checker().spawn_bfs().join();
    let states = checker.unique_state_count();
    println!("{workers} workers, {max_running} running, {faults} faults: {states} states");
    checker.assert_properties();
}

#[test]
fn every_property_holds() {
    check(2, 1, 1);
    check(3, 2, 0);
}

#[test]
#[ignore = "longer: when the design is changed"]
fn every_property_holds_with_more_faults() {
    check(3, 2, 1);
    check(2, 1, 2);
}

/// So every run ends, also after lost messages; and it ends with settled exports, because the reconciler looks at all others.
#[test]
fn no_run_goes_round_in_circles() {
    assert!(!Graph::of(&Turns { workers: 2, max_running: 1, faults: 1, defect: None }).has_cycle());
}

#[test]
fn each_defect_is_found() {
    for (defect, faults, property) in [
        (Defect::StartsWithoutRoom, 0, ROOM),
        (Defect::StartsFinished, 1, NO_SLOT_LEAKS),
        (Defect::WaitsDespiteRoom, 0, WOKEN),
        (Defect::FinalIsNotPassedOn, 1, WOKEN),
        (Defect::KeepsRunning, 0, NO_SLOT_LEAKS),
    ] {
        let turns = Turns { workers: 2, max_running: 1, faults, defect: Some(defect) };
        let until_found = HasDiscoveries::AnyOf([property].into());
        let checker = turns.checker().finish_when(until_found).spawn_bfs().join();
        let path = checker.discovery(property);
        println!(
            "{defect:?}: {:?}",
            path.unwrap_or_else(|| panic!("{defect:?} is not found")).into_actions()
        );
    }
}
