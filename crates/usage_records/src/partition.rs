//! A partition of the table of usage records, and how much time it covers.

use std::cmp::Ordering;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use usage_export::export::Range;
use usage_export::timestamp;
use usage_export::usage::{Month, split_partition_key};

/// How long a time is as text, at the beginning of a sort key.
const TIMESTAMP_BYTES: usize = 24;

/// One workspace and UTC month of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Partition {
    /// Its position among all partitions of the export.
    pub index: usize,
    /// The id of the workspace whose runs it holds.
    pub workspace_id: String,
    /// The workspace's last known name; empty if the directory does not know it.
    pub workspace_name: String,
    /// The month in which those runs started.
    pub month: Month,
    /// The partition key, `<workspace id>#<month>`.
    pub partition_key: String,
    /// The sort key after which to start, if a checkpoint lies in this partition.
    pub after: Option<String>,
    /// The time in which those of its runs can have started that the export wants.
    pub time: PartOfMonth,
    /// The least and the greatest sort key that is read; absent where the partition is read from its beginning or to its end.
    pub sort_keys: (Option<String>, Option<String>),
    /// How much time the partitions before cover.
    pub covered_before: Duration,
}

/// From the first millisecond to the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartOfMonth {
    first: DateTime<Utc>,
    last: DateTime<Utc>,
}

impl PartOfMonth {
    /// The part of the month between the two. If that is nothing, it is a millisecond.
    pub fn new(month: Month, from: DateTime<Utc>, to: DateTime<Utc>) -> Self {
        let first = from.clamp(month.start(), month.end());
        Self { first, last: to.clamp(first, month.end()) }
    }

    /// How long it is.
    pub fn length(self) -> Duration {
        self.until(self.last + TimeDelta::milliseconds(1))
    }

    /// Its first millisecond.
    pub fn first(self) -> DateTime<Utc> {
        self.first
    }

    /// Its last millisecond.
    pub fn last(self) -> DateTime<Utc> {
        self.last
    }

    fn until(self, instant: DateTime<Utc>) -> Duration {
        (instant - self.first).to_std().unwrap_or_default()
    }
}

/// When the run with this sort key, or the beginning of one, started. `None` if it does not begin with a time.
pub(crate) fn start_of(sort_key: &str) -> Option<DateTime<Utc>> {
    sort_key.get(..TIMESTAMP_BYTES).and_then(timestamp::from_text)
}

impl Partition {
    /// What of it lies in a range; `None` if nothing does.
    ///
    /// What is cut in two is read whole: a sort key that begins with the time of the cut is greater than it, every other one is in
    /// one of the pieces, also one that begins with no time at all.
    pub fn within(mut self, range: &Range) -> Option<Self> {
        let own = split_partition_key(&self.partition_key);
        let (mut first, mut last) = (self.time.first, self.time.last);
        if let Some(from) = &range.from {
            match (own.cmp(&split_partition_key(&from.partition_key)), from.start_ts) {
                (Ordering::Less, _) => return None,
                (Ordering::Equal, Some(start_ts)) => {
                    first = first.max(start_ts);
                    self.sort_keys.0 = self.sort_keys.0.max(Some(timestamp::to_text(start_ts)));
                }
                _ => {}
            }
        }
        if let Some(until) = &range.until {
            match (own.cmp(&split_partition_key(&until.partition_key)), until.start_ts) {
                (Ordering::Greater, _) | (Ordering::Equal, None) => return None,
                (Ordering::Equal, Some(start_ts)) => {
                    last = last.min(start_ts - TimeDelta::milliseconds(1));
                    let cut = timestamp::to_text(start_ts);
                    self.sort_keys.1 = Some(self.sort_keys.1.map_or(cut.clone(), |last| last.min(cut)));
                }
                _ => {}
            }
        }
        self.time = PartOfMonth::new(self.month, first, last);
        Some(self)
    }

    /// How much time is covered, over all partitions, once this one is read up to a sort key.
    pub fn covered_up_to(&self, sort_key: &str) -> Duration {
        let within = start_of(sort_key)
            .map_or(self.time.length(), |start| self.time.until(start).min(self.time.length()));
        self.covered_before + within
    }

    /// How much time is covered before it is read on.
    pub fn covered_so_far(&self) -> Duration {
        self.after.as_deref().map_or(self.covered_before, |after| self.covered_up_to(after))
    }
}

#[cfg(test)]
mod tests {
    use usage_export::usage::LAST_SORT_KEY;

    use super::*;

    fn time(text: &str) -> DateTime<Utc> {
        timestamp::from_text(text).unwrap()
    }

    #[test]
    fn a_partition_covers_the_part_of_its_month_that_is_wanted() {
        let hours = |hours| Duration::from_hours(hours);
        let month: Month = "2025-02".parse().unwrap();
        let whole =
            PartOfMonth::new(month, time("1970-01-01T00:00:00.000Z"), time("2031-01-01T00:00:00.000Z"));
        assert_eq!(whole.length(), hours(28 * 24));
        let day = PartOfMonth::new(month, time("2025-02-02T00:00:00.000Z"), time("2025-02-02T23:59:59.999Z"));
        assert_eq!(day.length(), hours(24));
        for nothing in ["2025-01-01T00:00:00.000Z", "2025-03-01T00:00:00.000Z"] {
            assert_eq!(
                PartOfMonth::new(month, time(nothing), time(nothing)).length(),
                Duration::from_millis(1)
            );
        }
        let mut partition = Partition {
            index: 3,
            workspace_id: "wsp_1".to_owned(),
            workspace_name: String::new(),
            month,
            partition_key: "wsp_1#2025-02".to_owned(),
            after: None,
            time: day,
            sort_keys: (None, None),
            covered_before: hours(100),
        };
        assert_eq!(partition.covered_so_far(), hours(100));
        assert_eq!(partition.covered_up_to("2025-02-02T06:00:00.000Z#run_1"), hours(106));
        assert_eq!(partition.covered_up_to("2025-01-02T06:00:00.000Z#run_1"), hours(100));
        assert_eq!(partition.covered_up_to("2025-02-12T06:00:00.000Z#run_1"), hours(124));
        assert_eq!(partition.covered_up_to(LAST_SORT_KEY), hours(124));
        partition.after = Some("2025-02-02T12:00:00.000Z#run_1".to_owned());
        assert_eq!(partition.covered_so_far(), hours(112));
    }
}
