use super::*;

const DAY: Duration = Duration::from_hours(24);

/// A workspace: it covers so many days, and its reading takes so many seconds, in which so many records are read.
type Workspace = (u32, u32, u32);

fn start() -> DateTime<Utc> {
    DateTime::from_timestamp(1_763_900_000, 0).unwrap()
}

fn nothing() -> Reading {
    Reading::new(Progress { percent: 0, rows: 0 })
}

fn counts(records: u64) -> Counts {
    Counts { read: records, written: records, ..Counts::default() }
}

/// How far the reading of the workspaces is after so many seconds.
fn after(workspaces: &[Workspace], mut seconds: u32) -> Reading {
    let all = workspaces.iter().map(|(days, ..)| DAY * *days).sum();
    let (mut covered, mut records) = (Duration::ZERO, 0);
    for (days, takes, holds) in workspaces {
        let read = seconds.min(*takes);
        let share = if *takes == 0 { 1.0 } else { f64::from(read) / f64::from(*takes) };
        covered += (DAY * *days).mul_f64(share);
        let all = u64::from(*holds);
        records += (all * u64::from(read)).checked_div(u64::from(*takes)).unwrap_or(all);
        seconds -= read;
        if read < *takes {
            break;
        }
    }
    nothing().at(covered, all, counts(records))
}

/// The seconds that are left according to each estimate, and those that are left. A worker begins after `from` seconds.
fn estimates(workspaces: &[Workspace], from: u32) -> Vec<(i64, i64)> {
    let takes: u32 = workspaces.iter().map(|(_, takes, _)| takes).sum();
    let mut speedometer = Speedometer::default();
    let mut estimates = Vec::new();
    for second in (from..takes).step_by(2) {
        let now = start() + TimeDelta::seconds(second.into());
        let speed = speedometer.speed(after(workspaces, second), now);
        if let Some(finish_ts) = speed.estimated_finish_ts {
            estimates.push(((finish_ts - now).num_seconds(), i64::from(takes - second)));
        }
    }
    estimates
}

fn assert_within(estimates: &[(i64, i64)], factor: i64) {
    for (estimated, left) in estimates {
        let is_near = estimated * factor >= *left && *estimated <= left * factor;
        assert!(
            is_near || (estimated - left).abs() < 60,
            "{estimated} s instead of {left} s in {estimates:?}"
        );
    }
}

#[test]
fn percent_is_the_share_of_time_and_100_only_once_all_is_done() {
    let workspaces = [(31, 100, 1000)];
    let percents = [0, 42, 99, 100].map(|second| after(&workspaces, second).progress.percent);
    assert_eq!(percents, [0, 42, 99, 99]);
    // One day of one workspace, a year of another.
    assert_eq!(after(&[(1, 50, 0), (365, 50, 0)], 50).progress.percent, 0);
    assert_eq!(nothing().at(Duration::ZERO, Duration::ZERO, counts(0)).progress.percent, 0);
}

#[test]
fn progress_does_not_go_backwards_when_another_worker_goes_on() {
    let told = Progress { percent: 45, rows: 1200 };
    let mut reading = Reading::new(told);
    for (day, rows, expected) in
        [(40, 1000, told), (44, 1100, told), (50, 1300, Progress { percent: 50, rows: 1300 })]
    {
        reading = reading.at(DAY * day, DAY * 100, counts(rows));
        assert_eq!(reading.progress, expected);
    }
}

#[test]
fn even_data_gets_an_estimate_that_holds() {
    let even = [(31, 6, 50_000); 100];
    let estimates = estimates(&even, 0);
    assert_eq!(
        estimates.first().map(|(_, left)| *left),
        Some(570),
        "as soon as a worker has read for 30 seconds"
    );
    assert!(estimates.len() > 280, "{}", estimates.len());
    for (estimated, left) in estimates {
        assert!((estimated - left).abs() <= 1 + left / 5, "{estimated} s instead of {left} s");
    }
}

#[test]
fn a_worker_that_goes_on_estimates_from_what_it_reads_itself() {
    let even = [(31, 6, 50_000); 100];
    let estimates = estimates(&even, 400);
    assert_eq!(estimates.first().map(|(_, left)| *left), Some(170));
    assert_within(&estimates, 2);
}

/// Extrapolated, the first would be finished in seconds, and the second in weeks.
#[test]
fn skewed_data_gets_no_estimate_rather_than_a_false_one() {
    let mut huge_last = vec![(31, 0, 0); 2000];
    huge_last.push((31, 3600, 50_000_000));
    let mut huge_first = huge_last.clone();
    huge_first.rotate_right(1);
    let mut huge_in_the_middle = huge_last.clone();
    huge_in_the_middle.rotate_right(1000);
    for workspaces in [huge_last, huge_first, huge_in_the_middle] {
        assert_eq!(estimates(&workspaces, 0), []);
        assert_eq!(estimates(&workspaces, 1800), [], "nor by another worker");
    }
    // Empty workspaces that are read slowly, as many months are.
    let mut slow = vec![(31, 1, 0); 600];
    slow.push((31, 3600, 50_000_000));
    assert_eq!(estimates(&slow, 0), []);
}

#[test]
fn unevenly_filled_workspaces_get_estimates_of_the_right_size() {
    let sizes = [3, 9, 4, 7, 2, 8, 5, 6];
    let workspaces: Vec<_> =
        (0..160).map(|at| sizes[at % sizes.len()]).map(|size| (31, size, size * 9000)).collect();
    let estimates = estimates(&workspaces, 0);
    assert!(estimates.len() > 300, "{}", estimates.len());
    assert_within(&estimates, 2);
}

#[test]
fn an_estimate_ends_as_soon_as_reading_gets_slower() {
    let mut workspaces = vec![(31, 6, 50_000); 50];
    workspaces.push((31 * 50, 9000, 75_000_000));
    let estimates = estimates(&workspaces, 0);
    // Nobody knew before. A window later, somebody does.
    let (_, afterwards): (Vec<_>, Vec<_>) = estimates.into_iter().partition(|(_, left)| *left > 9000 - 20);
    assert!(!afterwards.is_empty());
    assert_within(&afterwards, 2);
}

#[test]
fn rows_per_second_are_those_of_late() {
    let workspaces = [(31, 60, 60_000), (31, 60, 6_000)];
    let mut speedometer = Speedometer::default();
    let mut told = Vec::new();
    for second in (0..120).step_by(2) {
        let now = start() + TimeDelta::seconds(second.into());
        told.push(speedometer.speed(after(&workspaces, second), now).rows_per_second);
    }
    assert_eq!((told[0], told[1], told[29], told[59]), (None, Some(1000), Some(1000), Some(100)));
}

#[test]
fn nothing_is_told_before_there_is_a_plan() {
    let mut speedometer = Speedometer::default();
    assert_eq!(speedometer.speed(nothing(), start()), Speed::default());
    // What a former worker has read does not count as read by this one.
    let workspaces = [(31, 100, 100_000)];
    let later = start() + TimeDelta::seconds(60);
    assert_eq!(speedometer.speed(after(&workspaces, 50), later), Speed::default());
}
