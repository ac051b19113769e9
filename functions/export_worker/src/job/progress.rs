//! How far an export is and, where that can be told, when it will be finished.
//!
//! Progress is the share of time that is read: each partition counts with the part of its month that is in the interval, and
//! within a partition the start of the last run that was read says how far it is. Counting partitions would jump from 0 to 100
//! for a month of one workspace.
//!
//! Workspaces differ: 2,000 empty ones are read in seconds and a huge one in hours. So an estimate is made only where what was
//! read lately took as long and held as many records, for its share of time, as what this worker read before. Where data of another kind lies ahead,
//! nobody can know it.

use std::collections::VecDeque;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use usage_export::export::store::lease::Progress;
use usage_export::export::{Counts, Speed};

/// What is lately: long enough for some pages of a slow table, short enough to notice that the next workspace is another one.
const RECENT: TimeDelta = TimeDelta::seconds(15);

/// No estimate is made in the first seconds of a worker, when lately would be all there is.
const MIN_ELAPSED: TimeDelta = TimeDelta::seconds(30);

/// Of which part of the export a worker has to have read itself, at least, before it makes an estimate: one in so many.
const MIN_SHARE: u32 = 20;

/// How much more or less than before it may be lately.
const MAX_RATIO: f64 = 2.0;

/// How much of an export is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// How much of [`Reading::all`] is read.
    pub covered: Duration,
    /// The time in which runs of the export can have started, over all workspaces. Zero until the plan is made.
    pub all: Duration,
    /// Usage records that were read, also those that were left out.
    pub records: u64,
    /// Rows that were written.
    pub rows: u64,
    /// What is told of it.
    pub progress: Progress,
}

impl Reading {
    /// A worker begins. `told` is what was told before: neither percent nor rows go backwards when a worker begins at a
    /// checkpoint that is older than what a former worker told.
    pub fn new(told: Progress) -> Self {
        Self { covered: Duration::ZERO, all: Duration::ZERO, records: 0, rows: 0, progress: told }
    }

    /// So much is read. It is never 100%: that is told once the file is complete.
    #[must_use]
    pub fn at(self, covered: Duration, all: Duration, counts: Counts) -> Self {
        let percent = (covered.as_millis() * 100).checked_div(all.as_millis()).unwrap_or_default().min(99);
        let percent = u8::try_from(percent).unwrap_or(99).max(self.progress.percent);
        let (records, rows) = (counts.read, counts.written);
        let progress = Progress { percent, rows: rows.max(self.progress.rows) };
        Self { covered, all, records, rows, progress }
    }
}

/// Measures how fast a worker reads.
#[derive(Debug, Default)]
pub struct Speedometer {
    /// How far the export was when the worker began to read.
    first: Option<Sample>,
    /// The samples since [`RECENT`] ago, and the last one before.
    recent: VecDeque<Sample>,
}

#[derive(Debug, Clone, Copy)]
struct Sample {
    ts: DateTime<Utc>,
    reading: Reading,
}

/// What was read between two samples.
struct Stretch {
    elapsed: Duration,
    covered: Duration,
    records: u64,
    rows: u64,
}

impl Speedometer {
    /// Takes a sample and tells the speed. Call it every few seconds.
    pub fn speed(&mut self, reading: Reading, now: DateTime<Utc>) -> Speed {
        if reading.all.is_zero() {
            return Speed::default();
        }
        let sample = Sample { ts: now, reading };
        let first = *self.first.get_or_insert(sample);
        self.recent.push_back(sample);
        while self.recent.get(1).is_some_and(|next| now - next.ts >= RECENT) {
            self.recent.pop_front();
        }
        let lately = sample.since(self.recent.front().unwrap_or(&first));
        let left = time_left(&sample.since(&first), &lately, &reading);
        let left = left.and_then(|left| TimeDelta::from_std(left).ok());
        Speed {
            rows_per_second: lately.rows_per_second(),
            estimated_finish_ts: left.and_then(|left| now.checked_add_signed(left)),
        }
    }
}

impl Sample {
    fn since(&self, earlier: &Self) -> Stretch {
        Stretch {
            elapsed: (self.ts - earlier.ts).to_std().unwrap_or_default(),
            covered: self.reading.covered.saturating_sub(earlier.reading.covered),
            records: self.reading.records.saturating_sub(earlier.reading.records),
            rows: self.reading.rows.saturating_sub(earlier.reading.rows),
        }
    }
}

impl Stretch {
    fn rows_per_second(&self) -> Option<u64> {
        let rows = (u128::from(self.rows) * 1000).checked_div(self.elapsed.as_millis())?;
        u64::try_from(rows).ok()
    }

    /// Records for each second of the time that was covered, not of the time that it took.
    fn records_a_second(&self) -> Option<f64> {
        let records = u32::try_from(self.records).ok()?;
        (!self.covered.is_zero()).then(|| f64::from(records) / self.covered.as_secs_f64())
    }

    /// How long so much more takes at the speed of this stretch.
    fn time_for(&self, more: Duration) -> Option<Duration> {
        let times = more.div_duration_f64(self.covered);
        Duration::try_from_secs_f64(self.elapsed.as_secs_f64() * times).ok()
    }
}

/// How long the rest will take, if that can be told from all that this worker has read and from what it has read lately.
fn time_left(all: &Stretch, lately: &Stretch, reading: &Reading) -> Option<Duration> {
    let is_enough = all.elapsed >= MIN_ELAPSED.to_std().ok()? && all.covered * MIN_SHARE >= reading.all;
    // Months without records say nothing of how long those with records take, and where there are suddenly more, reading is
    // about to get slower.
    if !is_enough || !is_alike(all.records_a_second()?, lately.records_a_second()?) {
        return None;
    }
    let rest = reading.all.saturating_sub(reading.covered);
    let (at_all, at_lately) = (all.time_for(rest)?, lately.time_for(rest)?);
    // The longer one: better early than late.
    is_alike(at_all.as_secs_f64(), at_lately.as_secs_f64()).then(|| at_all.max(at_lately))
}

/// Whether neither is more than [`MAX_RATIO`] times the other. Two zeros are not alike.
fn is_alike(one: f64, other: f64) -> bool {
    (1.0 / MAX_RATIO..=MAX_RATIO).contains(&(one / other))
}

#[cfg(test)]
mod tests;
