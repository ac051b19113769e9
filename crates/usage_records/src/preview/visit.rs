//! What is read of one partition in a survey, and what is not: excerpts of its time, and the gaps between them.

use std::ops::Range;

use chrono::{DateTime, Utc};

use crate::partition::Partition;
use crate::preview::millis::{DAY, HOUR, aligned, length, millis};

/// The records that a `Query` of a survey reads at most.
pub const MAX_RECORDS: u32 = 100;

/// The shortest time that an excerpt is asked for, if the gap is that long: night and day are not taken for one another.
const MIN_EXCERPT: i64 = 6 * HOUR;

/// A partition of which something is read. Times are milliseconds since 1970.
#[derive(Debug)]
pub struct Visit {
    /// Which of the survey's workspaces it belongs to.
    pub workspace: usize,
    /// The partition.
    pub partition: Partition,
    /// How much it counts for the other months of its workspace, compared with other visits.
    pub weight: f64,
    /// The time in which its runs can have started, with a day to come, because clocks differ.
    span: Range<i64>,
    /// The end of the time in which they probably have.
    until: i64,
    /// What is read or asked for, in order of time.
    excerpts: Vec<Excerpt>,
}

/// A time whose rows are known, or asked for.
#[derive(Debug)]
struct Excerpt {
    id: usize,
    time: Range<i64>,
    /// `None` until the answer arrives.
    counts: Option<Counts>,
    /// The sort key after which the rest is read, if the answer ended within the time that was asked for.
    after: Option<String>,
    /// Whether it begins where the partition or another excerpt ends, and not at a random time.
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
    /// The excerpt before it.
    behind: Option<usize>,
}

/// A time that is asked for.
#[derive(Debug, Clone)]
pub struct Ask {
    /// By which the answer is known to the visit.
    pub excerpt: usize,
    /// From its first millisecond to the one behind its last.
    pub time: Range<i64>,
    /// As [`Gap::after`].
    pub after: Option<String>,
}

impl Visit {
    /// A partition of which nothing is read yet.
    pub fn new(workspace: usize, partition: Partition, weight: f64, now: DateTime<Utc>) -> Self {
        let [first, last] = [partition.time.first(), partition.time.last()].map(|ts| ts.timestamp_millis());
        let until = now.timestamp_millis().clamp(first, last) + 1;
        Self { workspace, partition, weight, span: first..last + 1, until, excerpts: Vec::new() }
    }

    /// How much of its time is over, in milliseconds.
    pub fn time(&self) -> f64 {
        length(&(self.span.start..self.until))
    }

    /// Whether no answer has arrived yet.
    pub fn is_unknown(&self) -> bool {
        self.excerpts.iter().all(|excerpt| excerpt.counts.is_none())
    }

    /// Whether something that is over is neither read nor asked for.
    pub fn has_gaps_before_now(&self) -> bool {
        self.gaps().iter().any(|gap| !self.over(&gap.time).is_empty())
    }

    /// Whether only its beginning is known, and there is more: it may be a busy hour or quiet weeks.
    pub fn is_hardly_known(&self) -> bool {
        matches!(self.excerpts.as_slice(), [beginning] if beginning.after.is_some())
    }

    /// What is neither read nor asked for, in order of time.
    pub fn gaps(&self) -> Vec<Gap> {
        let (mut gaps, mut gap) = (Vec::new(), Gap { time: self.span.clone(), after: None, behind: None });
        for excerpt in &self.excerpts {
            gap.time.end = excerpt.time.start;
            gaps.push(gap);
            gap = Gap {
                time: excerpt.time.end..self.span.end,
                after: excerpt.after.clone(),
                behind: Some(excerpt.id),
            };
        }
        gaps.push(gap);
        gaps.retain(|gap| gap.time.start < gap.time.end);
        gaps
    }

    /// Asks for all of a gap.
    pub fn ask_for(&mut self, gap: Gap) -> Ask {
        let excerpt = self.reserve(gap.behind, gap.time.clone(), true);
        Ask { excerpt, time: gap.time, after: gap.after }
    }

    /// Asks for a part of the largest gap, if there is one before now: for one that begins at a random time at this phase (0 to 1) of the week, if the gap has
    /// a whole week, else of the day. `random` is from 0 to 1.
    pub fn ask_at(&mut self, phase: f64, random: f64) -> Option<Ask> {
        let gaps = self.gaps().into_iter().map(|gap| Gap { time: self.over(&gap.time), ..gap });
        let Gap { time, after, behind } = gaps.max_by_key(|gap| gap.time.end - gap.time.start)?;
        if time.is_empty() {
            return None;
        }
        let start = aligned(&time, phase, random);
        // About half of the records that one answer may have.
        let wanted = f64::from(MAX_RECORDS) / 2.0 / self.read_rate().max(f64::MIN_POSITIVE);
        let end = millis(wanted).max(MIN_EXCERPT).saturating_add(start).min(time.end);
        let excerpt = self.reserve(behind, start..end, false);
        Some(Ask { excerpt, after: after.filter(|_| start == time.start), time: start..end })
    }

    fn reserve(&mut self, behind: Option<usize>, time: Range<i64>, is_next: bool) -> usize {
        let id = self.excerpts.len();
        let before = self.excerpts.iter().position(|excerpt| Some(excerpt.id) == behind);
        let at = before.map_or(0, |before| before + 1);
        self.excerpts.insert(at, Excerpt { id, time, counts: None, after: None, is_next });
        id
    }

    /// Takes the answer for an excerpt that was asked for. If there are more records than one answer may have, it has ended early:
    /// with the run that started at this time and has this sort key.
    pub fn answered(&mut self, excerpt: usize, counts: Counts, ended: Option<(i64, String)>) {
        let Some(excerpt) = self.excerpts.iter_mut().find(|known| known.id == excerpt) else { return };
        excerpt.counts = Some(counts);
        if let Some((end, sort_key)) = ended {
            excerpt.time.end = end.clamp(excerpt.time.start, excerpt.time.end - 1);
            excerpt.after = Some(sort_key);
        }
    }

    /// Rows that are read.
    pub fn known_rows(&self) -> u64 {
        self.excerpts.iter().filter_map(|excerpt| excerpt.counts).map(|counts| counts.rows).sum()
    }

    /// Rows that are read, and those that the gaps probably have.
    pub fn rows(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "a few thousand")]
        let known = self.known_rows() as f64;
        known + self.unknown_rows()
    }

    /// Rows that the gaps and the excerpts without an answer probably have.
    pub fn unknown_rows(&self) -> f64 {
        self.rate(|counts| counts.rows) * self.unknown_time()
    }

    /// How many more calls read it to its end, probably.
    pub fn calls_left(&self) -> f64 {
        let full = f64::from(MAX_RECORDS);
        let calls = |gap: Gap| (self.read_rate() * length(&self.over(&gap.time)) * 1.25 / full).max(1.0);
        self.gaps().into_iter().map(calls).sum()
    }

    /// How uncertain the rate of its rows is, from 0 to 1, by how much time the excerpts see. Times of the day and days of the week
    /// differ.
    pub fn uncertainty(&self) -> f64 {
        let seen: f64 = self.excerpts.iter().map(|excerpt| length(&excerpt.time)).sum();
        let days = seen / length(&(0..DAY));
        #[expect(clippy::cast_precision_loss, reason = "a few dozen")]
        let places = self.excerpts.len().max(1) as f64;
        let of_one = match days {
            ..1.0 => 1.0,
            ..7.0 => 0.5,
            _ => 0.25,
        };
        of_one / places
    }

    fn unknown_time(&self) -> f64 {
        let known = self.excerpts.iter().filter(|excerpt| excerpt.counts.is_some());
        (self.time() - known.map(|excerpt| length(&self.over(&excerpt.time))).sum::<f64>()).max(0.0)
    }

    /// The part of a time that is over.
    fn over(&self, time: &Range<i64>) -> Range<i64> {
        time.start.min(self.until)..time.end.min(self.until)
    }

    fn read_rate(&self) -> f64 {
        self.rate(|counts| counts.read)
    }

    /// Records per millisecond: the mean of the excerpts that begin at a random time, because a busy hour and a quiet night fill
    /// excerpts of very different length.
    fn rate(&self, count: impl Fn(&Counts) -> u64) -> f64 {
        let rates = |is_next: bool| {
            let excerpts = self.excerpts.iter().filter(move |excerpt| excerpt.is_next == is_next);
            excerpts.filter_map(|excerpt| excerpt.counts.as_ref().map(|counts| (excerpt, counts)))
        };
        #[expect(clippy::cast_precision_loss, reason = "a hundred records")]
        let mean = |is_next| {
            let (sum, excerpts) = rates(is_next).fold((0.0, 0.0), |(sum, excerpts), (excerpt, counts)| {
                (sum + count(counts) as f64 / length(&excerpt.time).max(1.0), excerpts + 1.0)
            });
            (excerpts > 0.0).then(|| sum / excerpts)
        };
        mean(false).or_else(|| mean(true)).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests;
