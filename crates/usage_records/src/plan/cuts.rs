//! Where a range is cut when it is split.

use std::time::Duration;

use chrono::TimeDelta;
use usage_export::export::{Cut, Range};

use super::Plan;
use crate::partition::Partition;

impl Plan {
    /// Where to cut what is left of a range into `pieces` that cover about as much time, once so much of it is `covered`. There are fewer
    /// cuts if there are not so many places.
    ///
    /// A cut lies between two partitions if it can. A partition that would be cut more than once, and the one that is being
    /// read, are cut in time; the latter only if `is_divisible`.
    pub fn cuts(&self, range: &Range, covered: Duration, pieces: u32, is_divisible: bool) -> Vec<Cut> {
        let left = self.covers(range).saturating_sub(covered);
        let mut targets = (1..pieces).map(|nth| whole_millis(covered + left * nth / pieces)).peekable();
        let mut cuts = Vec::new();
        // Nothing is cut before this place: it is read, or in a piece already.
        let mut taken = covered;
        let mut is_owed = false;
        for partition in self.partitions(range, None) {
            let (start, end) = (partition.covered_before, partition.covered_before + partition.time.length());
            let is_being_read = start <= covered;
            if std::mem::take(&mut is_owed) && start > taken {
                cuts.extend(cut_at(&partition, Duration::ZERO));
                taken = start;
            }
            while let Some(target) = targets.next_if(|target| *target < end) {
                if is_being_read && !is_divisible {
                    is_owed = true;
                    continue;
                }
                let place = if start > taken { start } else { target };
                if place > taken {
                    cuts.extend(cut_at(&partition, place.saturating_sub(start)));
                    taken = place;
                }
            }
        }
        cuts
    }
}

fn whole_millis(duration: Duration) -> Duration {
    Duration::from_millis(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX))
}

/// The cut so much time after the beginning of a partition. `None` if that is not within it.
fn cut_at(partition: &Partition, after: Duration) -> Option<Cut> {
    let partition_key = partition.partition_key.clone();
    if after.is_zero() {
        return Some(Cut { partition_key, start_ts: None });
    }
    let start_ts = partition.time.first() + TimeDelta::from_std(after).ok()?;
    (start_ts <= partition.time.last()).then_some(Cut { partition_key, start_ts: Some(start_ts) })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use usage_export::export::Position;
    use usage_export::timestamp;

    use super::*;
    use crate::plan::tests::plan_of;

    const ALL: Range = Range { from: None, until: None };

    /// The ranges between cuts.
    fn ranges(range: &Range, cuts: &[Cut]) -> Vec<Range> {
        let from = std::iter::once(range.from.clone()).chain(cuts.iter().cloned().map(Some));
        let until = cuts.iter().cloned().map(Some).chain([range.until.clone()]);
        from.zip(until).map(|(from, until)| Range { from, until }).collect()
    }

    /// Whether a partition is read at this sort key.
    fn reads(partition: &Partition, sort_key: &str) -> bool {
        let (first, last) = &partition.sort_keys;
        first.as_deref().is_none_or(|first| first <= sort_key)
            && last.as_deref().is_none_or(|last| sort_key <= last)
    }

    /// How often the pieces read a sort key of a partition.
    fn count(plan: &Plan, pieces: &[Range], partition_key: &str, sort_key: &str) -> usize {
        let all = pieces.iter().flat_map(|range| plan.partitions(range, None));
        all.filter(|partition| partition.partition_key == partition_key && reads(partition, sort_key)).count()
    }

    proptest! {
        #[test]
        fn pieces_read_everything_once(
            workspaces in 1_usize..5,
            months in 1_u32..5,
            pieces in 2_u32..12,
            again in 2_u32..5,
            covered in 0.0_f64..1.0,
            is_divisible: bool,
            starts in proptest::collection::vec((0_usize..5, 0_u32..5, 0_i64..31 * 86_400_000), 20),
        ) {
            let plan = plan_of(workspaces, months);
            let covered = whole_millis(plan.covers(&ALL).mul_f64(covered));
            let cuts = plan.cuts(&ALL, covered, pieces, is_divisible);
            prop_assert!(cuts.len() < pieces as usize);
            let first = ranges(&ALL, &cuts);
            // Each piece is split again.
            let all: Vec<_> = first
                .iter()
                .flat_map(|range| ranges(range, &plan.cuts(range, Duration::ZERO, again, true)))
                .collect();
            for (workspace, month, millis) in starts {
                let Some(partition) = plan.partitions(&ALL, None).nth(workspace * months as usize + month as usize) else { continue };
                let start = partition.month.start() + TimeDelta::milliseconds(millis);
                for sort_key in [format!("{}#run", timestamp::to_text(start)), "no time".to_owned()] {
                    let whole = usize::from(reads(&partition, &sort_key));
                    prop_assert_eq!(count(&plan, &first, &partition.partition_key, &sort_key), whole);
                    prop_assert_eq!(count(&plan, &all, &partition.partition_key, &sort_key), whole);
                }
            }
            let sum: Duration = first.iter().map(|range| plan.covers(range)).sum();
            prop_assert_eq!(sum, plan.covers(&ALL));
        }

        #[test]
        fn what_is_read_already_stays_in_the_first_piece(
            months in 1_u32..5,
            pieces in 2_u32..12,
            nth in 0_usize..5,
            millis in 0_i64..27 * 86_400_000,
            is_divisible: bool,
        ) {
            let plan = plan_of(1, months);
            let Some(partition) = plan.partitions(&ALL, None).nth(nth) else { return Ok(()) };
            let start = partition.time.first() + TimeDelta::milliseconds(millis);
            let sort_key = format!("{}#run", timestamp::to_text(start));
            let covered = partition.covered_up_to(&sort_key);
            let cuts = plan.cuts(&ALL, covered, pieces, is_divisible);
            // Also a run of the same millisecond that is not read yet.
            let later = format!("{}#run2", timestamp::to_text(start));
            let first = &ranges(&ALL, &cuts)[0];
            prop_assert_eq!(count(&plan, std::slice::from_ref(first), &partition.partition_key, &later), 1);
            let position = Position { partition_key: partition.partition_key, sort_key };
            prop_assert!(plan.partitions(first, Some(&position)).next().is_some());
        }
    }

    #[test]
    fn cuts_lie_between_partitions_where_they_can() {
        let plan = plan_of(2, 3);
        let keys = |cuts: &[Cut]| -> Vec<_> {
            cuts.iter().map(|cut| (cut.partition_key.clone(), cut.start_ts.map(timestamp::to_text))).collect()
        };
        let of = |key: &str| (key.to_owned(), None);
        assert_eq!(keys(&plan.cuts(&ALL, Duration::ZERO, 2, true)), [of("wsp_1#2025-01")]);
        let within = Duration::from_hours(24);
        assert_eq!(keys(&plan.cuts(&ALL, within, 2, true)), [of("wsp_1#2025-01")]);
        // One partition is left, and it is being read.
        let last = plan.covers(&ALL).saturating_sub(Duration::from_hours(48));
        assert_eq!(keys(&plan.cuts(&ALL, last, 2, false)), []);
        let half = [("wsp_1#2025-03".to_owned(), Some("2025-03-31T00:00:00.000Z".to_owned()))];
        assert_eq!(keys(&plan.cuts(&ALL, last, 2, true)), half);
        // What may not be cut leaves the cut to the next partition.
        assert_eq!(
            keys(&plan.cuts(
                &Range {
                    from: None,
                    until: Some(Cut { partition_key: "wsp_0#2025-03".to_owned(), start_ts: None })
                },
                Duration::from_hours(1),
                2,
                false
            )),
            [of("wsp_0#2025-02")]
        );
    }
}
