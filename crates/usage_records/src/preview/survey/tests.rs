//! Surveys of made-up organizations, whose rows are known.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "the made-up numbers are small"
)]

use std::cell::Cell;
use std::collections::HashMap;
use std::fmt::Write as _;

use chrono::TimeDelta;
use serde_json::json;
use usage_export::timestamp;
use usage_export::usage::Month;

use super::*;
use crate::preview::millis::{DAY, HOUR};
use crate::preview::visit::MAX_RECORDS;

/// How the runs of an organization are spread over its workspaces.
#[derive(Debug, Clone, Copy)]
enum Spread {
    /// All have the same number.
    Even(usize),
    /// The number is one over the workspace's rank.
    Zipf(usize),
}

/// When the runs of a workspace start.
#[derive(Debug, Clone, Copy)]
enum Pattern {
    Any,
    /// On weekdays by day, and one in three on the hour, by a schedule.
    Office,
    /// One in three on the first day of a month.
    FirstOfMonth,
    /// In the last third of the time only.
    Recent,
    /// In the last twentieth of the time only.
    New,
}

/// The starts of the runs of each workspace, sorted.
struct Org {
    plan: Plan,
    now: DateTime<Utc>,
    runs: HashMap<String, Vec<i64>>,
    /// One in so many runs makes a row.
    one_in: usize,
    calls: Cell<usize>,
}

fn start() -> i64 {
    timestamp::from_text("2024-01-01T00:00:00.000Z").unwrap().timestamp_millis()
}

impl Org {
    fn new(spread: Spread, pattern: Pattern, runs: usize, seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        let end = start() + 366 * DAY;
        let now = DateTime::from_timestamp_millis(end).unwrap();
        let (workspaces, weight): (usize, fn(usize) -> f64) = match spread {
            Spread::Even(workspaces) => (workspaces, |_| 1.0),
            Spread::Zipf(workspaces) => (workspaces, |rank| 1.0 / rank as f64),
        };
        let all: f64 = (1..=workspaces).map(weight).sum();
        let of_workspace = |rank: usize, rng: &mut Rng| {
            let share = runs as f64 * weight(rank) / all;
            let count = share as usize + usize::from(rng.f64() < share.fract());
            let mut starts: Vec<_> = (0..count).map(|_| pattern.start(start(), end, rng)).collect();
            starts.sort_unstable();
            starts
        };
        let runs = (1..=workspaces).map(|rank| (format!("wsp_{rank:05}"), of_workspace(rank, &mut rng)));
        Self { plan: plan(workspaces, 12, now), now, runs: runs.collect(), one_in: 1, calls: Cell::new(0) }
    }

    /// Answers as DynamoDB does.
    fn ask(&self, partition: &Partition, time: &Range<i64>) -> Answer<()> {
        self.calls.set(self.calls.get() + 1);
        assert!(time.start < time.end, "{time:?}");
        let starts = self.runs.get(&partition.workspace_id).map_or(&[][..], Vec::as_slice);
        let month = partition.month.start().timestamp_millis()..=partition.month.end().timestamp_millis();
        let at = match &partition.after {
            Some(after) => 1 + after.split_once('#').unwrap().1.parse::<usize>().unwrap(),
            None => 0,
        };
        let from = starts.partition_point(|start| *start < time.start.max(*month.start())).max(at);
        let to = starts.partition_point(|start| *start < time.end && start <= month.end());
        let end = to.min(from + MAX_RECORDS as usize);
        let rows = (from..end).filter(|run| run.is_multiple_of(self.one_in)).count();
        let counts = Counts { read: end.saturating_sub(from) as u64, rows: rows as u64 };
        let ended = (end == from + MAX_RECORDS as usize).then(|| {
            let start = starts[end - 1];
            let text = timestamp::to_text(DateTime::from_timestamp_millis(start).unwrap());
            (start, format!("{text}#{}", end - 1))
        });
        Answer { counts, ended, page: () }
    }

    fn rows(&self) -> u64 {
        self.runs.values().map(|runs| runs.len().div_ceil(self.one_in) as u64).sum()
    }

    async fn survey(&self, seed: u64) -> Found<()> {
        self.calls.set(0);
        let ask = |partition: Partition, time: Range<i64>| async move { Ok(self.ask(&partition, &time)) };
        let found = survey(&self.plan, self.now, seed, ask).await.unwrap();
        assert!(self.calls.get() <= MAX_CALLS, "{} calls", self.calls.get());
        assert_eq!(self.calls.get(), found.pages.len());
        found
    }

    /// How much more or less than the truth the estimates of so many requests are: the factor that half of them, and nine in
    /// ten, keep to; and that of their mean.
    async fn factors(&self, requests: u64) -> [f64; 3] {
        let (mut factors, mut sum) = (Vec::new(), 0.0);
        let truth = self.rows() as f64;
        for seed in 0..requests {
            let rows = (self.survey(seed).await.rows as f64).max(1.0);
            factors.push((rows / truth).max(truth / rows));
            sum += rows;
        }
        factors.sort_by(f64::total_cmp);
        let at = |share: f64| factors[(factors.len() as f64 * share) as usize];
        [at(0.5), at(0.9), sum / requests as f64 / truth]
    }
}

impl Pattern {
    fn start(self, start: i64, end: i64, rng: &mut Rng) -> i64 {
        loop {
            let at = rng.i64(start..end);
            let (day, hour) = (at.div_euclid(DAY), at.rem_euclid(DAY) / HOUR);
            match self {
                Self::Any => return at,
                Self::Office if rng.u8(..3) == 0 => return at - at.rem_euclid(HOUR) + rng.i64(0..5_000),
                // 1970 began on a Thursday.
                Self::Office if (day + 3) % 7 < 5 && (8..18).contains(&hour) => return at,
                Self::FirstOfMonth if rng.u8(..3) > 0 => return at,
                Self::FirstOfMonth => {
                    let month = Month::of(DateTime::from_timestamp_millis(at).unwrap());
                    return month.start().timestamp_millis() + rng.i64(0..DAY);
                }
                Self::Recent if at > end - (end - start) / 3 => return at,
                Self::New if at > end - (end - start) / 20 => return at,
                Self::Office | Self::Recent | Self::New => {}
            }
        }
    }
}

/// The plan of all runs of these workspaces in so many months.
fn plan(workspaces: usize, months: u32, now: DateTime<Utc>) -> Plan {
    let first = Month::of(DateTime::from_timestamp_millis(start()).unwrap());
    let last = first.plus(months - 1);
    let workspaces: Vec<_> =
        (1..=workspaces).map(|rank| json!({"id": format!("wsp_{rank:05}"), "name": ""})).collect();
    let [start, end, now] = [first.start(), last.end(), now].map(timestamp::to_text);
    let plan = json!({"workspaces": workspaces, "interval": {"start": start, "end": end}, "planned_ts": now});
    serde_json::from_value(plan).unwrap()
}

#[tokio::test]
async fn what_fits_into_the_calls_is_counted_exactly() {
    for seed in 0..200 {
        let mut rng = Rng::with_seed(seed);
        let (workspaces, runs) = (rng.usize(1..=3), rng.usize(0..=900));
        let mut org = Org::new(Spread::Zipf(workspaces), Pattern::Any, runs, seed);
        org.one_in = rng.usize(1..4);
        // Many at the same millisecond.
        let coarse = DAY * rng.i64(1..40);
        for starts in org.runs.values_mut().filter(|_| seed % 2 == 0) {
            for at in starts.iter_mut() {
                *at -= *at % coarse;
            }
            starts.retain(|at| *at >= start());
        }
        let found = org.survey(seed).await;
        // Even so, a guess of how many calls are left may be wrong.
        assert!(found.is_exact || org.calls.get() == MAX_CALLS, "seed {seed}");
        assert!(found.is_exact || seed % 2 == 0, "seed {seed}");
        if found.is_exact {
            assert_eq!(found.rows, org.rows(), "seed {seed}");
        }
    }
}

#[tokio::test]
async fn calls_are_bounded_whatever_is_asked_for() {
    for (workspaces, months) in [(0, 1), (1, 1), (1, 1_200), (41, 1), (5_000, 60), (5_000, 1_200)] {
        let mut org = Org::new(Spread::Zipf(100), Pattern::Office, 30_000, 7);
        org.plan = plan(
            workspaces,
            months,
            DateTime::from_timestamp_millis(start()).unwrap() + TimeDelta::days(40_000),
        );
        let found = org.survey(1).await;
        assert_eq!(found.is_exact, workspaces < 2 && months == 1, "{workspaces} workspaces, {months} months");
    }
}

#[tokio::test]
async fn the_same_request_has_the_same_estimate() {
    let org = Org::new(Spread::Zipf(300), Pattern::Office, 30_000, 7);
    let rows = org.survey(1).await.rows;
    assert_eq!(rows, org.survey(1).await.rows);
    assert_ne!(rows, org.survey(2).await.rows);
}

#[tokio::test]
async fn what_is_to_come_has_no_rows() {
    let mut org = Org::new(Spread::Even(30), Pattern::Any, 100_000, 7);
    org.now = DateTime::from_timestamp_millis(start() + 190 * DAY).unwrap();
    org.plan = plan(30, 12, org.now);
    for starts in org.runs.values_mut() {
        starts.retain(|start| *start < org.now.timestamp_millis());
    }
    let [_, most, _] = org.factors(10).await;
    assert!(most < 1.2, "{most}");
}

/// What `docs/adr/0024-an-estimate-is-a-bounded-sample.md` says, for less data.
#[tokio::test]
async fn most_estimates_are_as_near_as_the_documentation_says() {
    use Pattern::{Any, Office, Recent};
    use Spread::{Even, Zipf};
    for (spread, patterns, factor) in [
        (Even(1), &[Any, Office, Recent][..], 1.5),
        (Zipf(5), &[Any, Office], 1.25),
        (Even(50), &[Any, Office, Recent], 1.25),
        (Zipf(50), &[Any, Office], 2.0),
        (Even(2_000), &[Any, Office, Recent], 3.0),
        (Zipf(2_000), &[Any, Office], 5.0),
    ] {
        for pattern in patterns {
            let mut org = Org::new(spread, *pattern, 40_000, 7);
            for one_in in [1, 10] {
                org.one_in = one_in;
                let [_, most, _] = org.factors(20).await;
                assert!(most < factor, "{spread:?} {pattern:?}, one in {one_in}: {most}");
            }
        }
    }
}

#[tokio::test]
#[ignore = "prints the table of docs/adr/0024, and takes minutes"]
async fn measure() {
    use Pattern::{Any, FirstOfMonth, New, Office, Recent};
    use Spread::{Even, Zipf};
    for spread in [Even(1), Even(5), Zipf(5), Even(50), Zipf(50), Even(5_000), Zipf(5_000)] {
        for pattern in [Any, Office, FirstOfMonth, Recent, New] {
            let mut line = format!("{spread:?} {pattern:?}:");
            for runs in [20_000, 1_000_000] {
                let [half, most, mean] = Org::new(spread, pattern, runs, 7).factors(20).await;
                let _ = write!(line, "   {runs}: half {half:.2} most {most:.2} mean {mean:.2}");
            }
            println!("{line}");
        }
    }
}
