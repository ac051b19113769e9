use usage_export::export::interval::{parse_end, parse_start};

use super::*;

const ALL: Range = Range { from: None, until: None };

fn plan() -> Plan {
    let interval =
        Interval::new(parse_start("2024-12-05").unwrap(), parse_end("2025-02-01").unwrap()).unwrap();
    let workspaces = ["wsp_a", "wsp_a2", "wsp_b"].map(planned).to_vec();
    Plan { workspaces, interval, planned_ts: parse_start("2025-06-01").unwrap() }
}

/// Whole months of 2025, of workspaces `wsp_0`, `wsp_1` and so on.
pub(super) fn plan_of(workspaces: usize, months: u32) -> Plan {
    let start = parse_start("2025-01-01").unwrap();
    let last = Month::of(start).plus(months - 1);
    let interval = Interval::new(start, last.end()).unwrap();
    let workspaces = (0..workspaces).map(|nth| planned(&format!("wsp_{nth}"))).collect();
    Plan { workspaces, interval, planned_ts: parse_start("2026-06-01").unwrap() }
}

fn planned(id: &str) -> PlannedWorkspace {
    PlannedWorkspace { id: id.to_owned(), name: String::new(), created_ts: None }
}

fn keys(plan: &Plan) -> Vec<String> {
    plan.partitions(&ALL, None).map(|partition| partition.partition_key).collect()
}

#[test]
fn months_that_cannot_have_runs_are_not_read() {
    let mut plan = plan();
    plan.workspaces.truncate(1);
    plan.workspaces[0].created_ts = Some(parse_start("2025-01-31").unwrap());
    assert_eq!(keys(&plan), ["wsp_a#2025-01", "wsp_a#2025-02"], "before the workspace was created");
    // A clock that records runs may be a day ahead.
    plan.planned_ts = parse_start("2025-01-30T12:00:00").unwrap();
    assert_eq!(keys(&plan), ["wsp_a#2025-01"], "after the export began");
    plan.planned_ts = parse_start("2025-01-31T12:00:00").unwrap();
    assert_eq!(keys(&plan).len(), 2);
}

#[test]
fn partitions_cover_the_time_in_which_runs_can_have_started() {
    let days = |days: u64| Duration::from_hours(24 * days);
    let mut plan = plan();
    assert_eq!(plan.covers(&ALL), days(3 * (27 + 31 + 1)));
    // A clock that records runs may be a day ahead.
    plan.planned_ts = parse_start("2025-01-30").unwrap();
    plan.workspaces[0].created_ts = Some(parse_start("2025-01-11").unwrap());
    let millis = Duration::from_millis(1) * 3;
    assert_eq!(plan.covers(&ALL), days(20 + 2 * (27 + 30)) + millis);
    let all: Vec<_> = plan.partitions(&ALL, None).collect();
    let mut covered = Duration::ZERO;
    for partition in &all {
        assert_eq!(partition.covered_before, covered);
        covered = partition.covered_up_to(LAST_SORT_KEY);
    }
    assert_eq!(covered, plan.covers(&ALL));
}

#[test]
fn a_plan_is_read_as_it_was_written() {
    let mut plan = plan();
    plan.workspaces[1].created_ts = Some(parse_start("2025-01-31").unwrap());
    let json = serde_json::to_vec(&plan).unwrap();
    assert_eq!(serde_json::from_slice::<Plan>(&json).unwrap(), plan);
}

#[test]
fn partitions_come_by_workspace_then_month() {
    let keys = keys(&plan());
    assert_eq!(
        keys,
        [
            "wsp_a#2024-12",
            "wsp_a#2025-01",
            "wsp_a#2025-02",
            "wsp_a2#2024-12",
            "wsp_a2#2025-01",
            "wsp_a2#2025-02",
            "wsp_b#2024-12",
            "wsp_b#2025-01",
            "wsp_b#2025-02",
        ]
    );
}

#[test]
fn continues_at_a_position_without_a_gap_or_a_repetition() {
    let all: Vec<_> = plan().partitions(&ALL, None).collect();
    for at in &all {
        let position =
            Position { partition_key: at.partition_key.clone(), sort_key: "2025-01-01#run".to_owned() };
        let rest: Vec<_> = plan().partitions(&ALL, Some(&position)).collect();
        assert_eq!(rest[0].after.as_deref(), Some("2025-01-01#run"));
        assert_eq!(rest[0].index, at.index);
        assert_eq!(rest[1..], all[at.index + 1..]);
        let end = Position { sort_key: LAST_SORT_KEY.to_owned(), ..position };
        let rest: Vec<_> = plan().partitions(&ALL, Some(&end)).collect();
        assert_eq!(rest, all[at.index + 1..]);
    }
}
