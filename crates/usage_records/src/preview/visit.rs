//! What is read of one partition in a survey, and what is not: windows of its time, and the gaps between them.

use std::ops::Range;

use chrono::{DateTime, Utc};

use crate::partition::Partition;

/// The records that a `Query` of a survey reads at most.
pub const MAX_RECORDS: u32 = 100;

/// The shortest time that a window is asked for, if the gap is that long: night and day are not taken for one another.
const MIN_WINDOW: i64 = 6 * HOUR;

/// Milliseconds.
const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;
const WEEK: i64 = 7 * DAY;

/// A partition of which something is read. Times are milliseconds since 1970.
#[derive(Debug)]
pub struct Visit {
    /// Which of the survey's workspaces it belongs to.
    pub workspace: usize,
    /// The partition.
    pub partition: Partition,
    /// The time that is asked for. It ends before `now`, unless it is read whole.
    span: Range<i64>,
    /// What is read or asked for, in order of time.
    windows: Vec<Window>,
}

/// A time whose rows are known, or asked for.
#[derive(Debug)]
struct Window {
    id: usize,
    time: Range<i64>,
    /// `None` until the answer arrives.
    counts: Option<Counts>,
    /// The sort key after which the rest is read, if the answer ended within the time that was asked for.
    after: Option<String>,
    /// Whether it begins where the partition or another window ends, and not at a random time.
    is_next: bool,
}

/// What an answer of `Query` had.
#[derive(Debug, Clone, Copy, Default)]
pub struct Counts {
    /// Records that were read, those that are left out included.
    pub read: u64,
    /// Records that make a row.
    pub rows: u64,
}

/// A time of which nothing is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// From its first millisecond to the one behind its last.
    pub time: Range<i64>,
    /// The sort key after which it begins, because others of its first millisecond are read.
    pub after: Option<String>,
    /// The window before it.
    behind: Option<usize>,
}

/// A time that is asked for.
#[derive(Debug, Clone)]
pub struct Ask {
    /// By which the answer is known to the visit.
    pub window: usize,
    /// From its first millisecond to the one behind its last.
    pub time: Range<i64>,
    /// As [`Gap::after`].
    pub after: Option<String>,
}

impl Visit {
    /// A partition of which nothing is read yet.
    pub fn new(workspace: usize, partition: Partition) -> Self {
        let [first, last] = [partition.time.first(), partition.time.last()].map(|ts| ts.timestamp_millis());
        Self { workspace, partition, span: first..last + 1, windows: Vec::new() }
    }

    /// How much of its time is before `now`, in milliseconds. No run has started later.
    pub fn time_until(&self, now: DateTime<Utc>) -> f64 {
        length(&(self.span.start..self.span.end.min(now.timestamp_millis()).max(self.span.start + 1)))
    }

    /// Whether no answer has arrived yet.
    pub fn is_unknown(&self) -> bool {
        self.windows.iter().all(|window| window.counts.is_none())
    }

    /// Whether only its beginning is known, and that is less than a day: it may be a busy hour or a quiet night.
    pub fn is_hardly_known(&self) -> bool {
        matches!(self.windows.as_slice(), [beginning] if length(&beginning.time) < length(&(0..DAY)))
    }

    /// What is neither read nor asked for, in order of time.
    pub fn gaps(&self) -> Vec<Gap> {
        let (mut gaps, mut gap) = (Vec::new(), Gap { time: self.span.clone(), after: None, behind: None });
        for window in &self.windows {
            gap.time.end = window.time.start;
            gaps.push(gap);
            gap = Gap {
                time: window.time.end..self.span.end,
                after: window.after.clone(),
                behind: Some(window.id),
            };
        }
        gaps.push(gap);
        gaps.retain(|gap| gap.time.start < gap.time.end);
        gaps
    }

    /// Asks for all of a gap.
    pub fn ask_for(&mut self, gap: Gap) -> Ask {
        let window = self.reserve(gap.behind, gap.time.clone(), true);
        Ask { window, time: gap.time, after: gap.after }
    }

    /// Asks for a part of the largest gap: one that begins at a random time at this phase (0 to 1) of the week, if the gap has
    /// a whole week, else of the day. `random` is from 0 to 1.
    pub fn ask_at(&mut self, phase: f64, random: f64) -> Option<Ask> {
        let Gap { time, after, behind } =
            self.gaps().into_iter().max_by_key(|gap| gap.time.end - gap.time.start)?;
        let start = aligned(&time, phase, random);
        // About half of the records that one answer may have.
        let wanted = f64::from(MAX_RECORDS) / 2.0 / self.read_rate().max(f64::MIN_POSITIVE);
        let end = millis(wanted).max(MIN_WINDOW).saturating_add(start).min(time.end);
        let window = self.reserve(behind, start..end, false);
        Some(Ask { window, after: after.filter(|_| start == time.start), time: start..end })
    }

    fn reserve(&mut self, behind: Option<usize>, time: Range<i64>, is_next: bool) -> usize {
        let id = self.windows.len();
        let before = self.windows.iter().position(|window| Some(window.id) == behind);
        let at = before.map_or(0, |before| before + 1);
        self.windows.insert(at, Window { id, time, counts: None, after: None, is_next });
        id
    }

    /// Takes the answer for a window that was asked for. If there are more records than one answer may have, it has ended early:
    /// with the run that started at this time and has this sort key.
    pub fn answered(&mut self, window: usize, counts: Counts, ended: Option<(i64, String)>) {
        let Some(window) = self.windows.iter_mut().find(|known| known.id == window) else { return };
        window.counts = Some(counts);
        if let Some((end, sort_key)) = ended {
            window.time.end = end.clamp(window.time.start, window.time.end - 1);
            window.after = Some(sort_key);
        }
    }

    /// Rows that are read.
    pub fn known_rows(&self) -> u64 {
        self.windows.iter().filter_map(|window| window.counts).map(|counts| counts.rows).sum()
    }

    /// Rows that are read, and those that the gaps probably have.
    pub fn rows(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "a few thousand")]
        let known = self.known_rows() as f64;
        known + self.unknown_rows()
    }

    /// Rows that the gaps and the windows without an answer probably have.
    pub fn unknown_rows(&self) -> f64 {
        self.rate(|counts| counts.rows) * self.unknown_time()
    }

    /// How many more calls read it to its end, probably.
    pub fn calls_left(&self) -> f64 {
        let full = f64::from(MAX_RECORDS);
        let calls = |gap: Gap| (self.read_rate() * length(&gap.time) * 1.25 / full).max(1.0);
        self.gaps().into_iter().map(calls).sum()
    }

    /// How uncertain the rate of its rows is, from 0 to 1, by how much time the windows see. Times of the day and days of the week
    /// differ.
    pub fn uncertainty(&self) -> f64 {
        let seen: f64 = self.windows.iter().map(|window| length(&window.time)).sum();
        let days = seen / length(&(0..DAY));
        #[expect(clippy::cast_precision_loss, reason = "a few dozen")]
        let places = self.windows.len().max(1) as f64;
        (if days < 1.0 {
            1.0
        } else if days < 7.0 {
            0.5
        } else {
            0.25
        }) / places
    }

    fn unknown_time(&self) -> f64 {
        let known = self.windows.iter().filter(|window| window.counts.is_some());
        (length(&self.span) - known.map(|window| length(&window.time)).sum::<f64>()).max(0.0)
    }

    fn read_rate(&self) -> f64 {
        self.rate(|counts| counts.read)
    }

    /// Records per millisecond: the mean of the windows that begin at a random time, because a busy hour and a quiet night fill
    /// windows of very different length.
    fn rate(&self, count: impl Fn(&Counts) -> u64) -> f64 {
        let rates = |is_next: bool| {
            let windows = self.windows.iter().filter(move |window| window.is_next == is_next);
            windows.filter_map(|window| window.counts.as_ref().map(|counts| (window, counts)))
        };
        #[expect(clippy::cast_precision_loss, reason = "a hundred records")]
        let mean = |is_next| {
            let (sum, windows) = rates(is_next).fold((0.0, 0.0), |(sum, windows), (window, counts)| {
                (sum + count(counts) as f64 / length(&window.time).max(1.0), windows + 1.0)
            });
            (windows > 0.0).then(|| sum / windows)
        };
        mean(false).or_else(|| mean(true)).unwrap_or_default()
    }
}

/// A time in the range at this phase of the week or the day, near the one that `random` chooses.
fn aligned(time: &Range<i64>, phase: f64, random: f64) -> i64 {
    let all = time.end - time.start;
    let at = time.start + millis(length(time) * random).clamp(0, all - 1);
    let period = if all >= WEEK { WEEK } else { DAY };
    if all < period {
        return at;
    }
    let before = (at - millis(length(&(0..period)) * phase)).rem_euclid(period);
    let aligned = at - before;
    if aligned < time.start { (aligned + period).min(time.end - 1) } else { aligned }
}

#[expect(clippy::cast_precision_loss, reason = "a hundred years in milliseconds are below 2^42")]
pub fn length(time: &Range<i64>) -> f64 {
    (time.end - time.start) as f64
}

#[expect(clippy::cast_possible_truncation, reason = "it saturates")]
fn millis(millis: f64) -> i64 {
    millis as i64
}

#[cfg(test)]
mod tests;
