//! A read budget: how many units a second all workers together read. `docs/adr/0029-reads-keep-to-a-budget.md` says why.
//!
//! A worker takes units in chunks from an item of the table of exports, of which each second has its own. What pages cost is
//! known only afterwards: units are reserved before a page is asked for, and what was not spent is given back.

use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore};
use usage_export::error::AwsError;
use usage_export::export::store::Exports;
use usage_export::export::store::read_units::ReadAllowance;

use crate::throttling::Seldom;

/// How many units a worker takes at once, at least and at most: from one page to ten.
const CHUNK: RangeInclusive<u32> = 256..=2_560;

/// A chunk is at most this part of what a second has, so that ten workers have their share.
const CHUNKS_PER_SECOND: u32 = 10;

/// How long taking a chunk may take.
const TIMEOUT: Duration = Duration::from_secs(2);

/// The pause after a chunk that could not be taken. The worker then goes on without.
const PAUSE_AFTER_FAILURE: Duration = Duration::from_secs(1);

/// A worker that found nothing left asks again at the beginning of the next second, or up to so many milliseconds later: not all
/// at the same time, and not always the same one first.
const MAX_DELAY_MILLIS: u64 = 100;

/// Where units are taken, how many there are, and which second it is.
#[derive(Debug, Clone)]
pub struct ReadBudget {
    /// The table of exports, which has what was taken in a second.
    pub exports: Exports,
    /// How many units a second all workers together may read. 0: as many as DynamoDB gives. The smallest other budget is 256.
    pub units_per_second: u32,
    /// Reads the clock.
    pub clock: fn() -> DateTime<Utc>,
}

/// Units that a worker may still read of an allowance.
#[derive(Debug)]
pub(crate) struct Units {
    allowance: ReadAllowance,
    left: Arc<Semaphore>,
    /// One page at a time takes a chunk, for all that wait.
    taking: Mutex<()>,
    log: Seldom,
}

/// Units that are reserved for a page. They are given back if the page is given up.
#[derive(Debug)]
pub(crate) struct Reservation(OwnedSemaphorePermit);

impl Units {
    /// So many are free: no call is made for them.
    pub(crate) fn new(allowance: ReadAllowance, free: u32) -> Self {
        let left = Arc::new(Semaphore::new(usize::try_from(free).unwrap_or_default()));
        Self { allowance, left, taking: Mutex::default(), log: Seldom::default() }
    }

    /// Reserves units, of which there must be at most 256, and says whether it had to wait for the next second.
    pub(crate) async fn reserve(&self, units: u32, budget: &ReadBudget) -> (Reservation, bool) {
        let reserved = || Arc::clone(&self.left).try_acquire_many_owned(units).map(Reservation);
        if let Ok(reserved) = reserved() {
            return (reserved, false);
        }
        let _taking = self.taking.lock().await;
        let mut has_waited = false;
        loop {
            if let Ok(reserved) = reserved() {
                return (reserved, has_waited);
            }
            match self.take_chunk(budget).await {
                Ok(true) => self.add(self.chunk()),
                Ok(false) => {
                    has_waited = true;
                    tokio::time::sleep(until_next_second((budget.clock)())).await;
                }
                Err(error) => {
                    if self.log.may_tell() {
                        tracing::warn!(error = %error, "an export reads on without read units: {error}");
                    }
                    tokio::time::sleep(PAUSE_AFTER_FAILURE).await;
                    self.add(self.chunk());
                }
            }
        }
    }

    async fn take_chunk(&self, budget: &ReadBudget) -> Result<bool, AwsError> {
        let taking = budget.exports.take_read_units(&self.allowance, self.chunk(), (budget.clock)());
        let timed_out = |_| AwsError::unexpected("read units", "the call took too long");
        tokio::time::timeout(TIMEOUT, taking).await.map_err(timed_out)?
    }

    fn chunk(&self) -> u32 {
        (self.allowance.units_per_second / CHUNKS_PER_SECOND).clamp(*CHUNK.start(), *CHUNK.end())
    }

    fn add(&self, units: u32) {
        self.left.add_permits(usize::try_from(units).unwrap_or_default());
    }
}

impl Reservation {
    /// The page cost so many units: the rest is given back. What it cost beyond the reservation is taken of what is left.
    pub(crate) fn spent(mut self, units: u64) {
        let units = usize::try_from(units).unwrap_or(usize::MAX);
        let within = units.min(self.0.num_permits());
        self.0.semaphore().forget_permits(units - within);
        if let Some(spent) = self.0.split(within) {
            spent.forget();
        }
    }
}

/// How long it takes until the next second has begun.
fn until_next_second(now: DateTime<Utc>) -> Duration {
    let millis = u64::from(now.timestamp_subsec_millis()).min(999);
    Duration::from_millis(1_000 - millis + fastrand::u64(0..=MAX_DELAY_MILLIS))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn units(units_per_second: u32, free: u32) -> Units {
        Units::new(ReadAllowance { partition_key: None, units_per_second }, free)
    }

    fn reserve(of: &Units, units: u32) -> Reservation {
        Reservation(Arc::clone(&of.left).try_acquire_many_owned(units).expect("so many are left"))
    }

    #[test]
    fn a_chunk_is_a_tenth_of_a_second_within_bounds() {
        for (per_second, chunk) in [(1, 256), (1_500, 256), (20_000, 2_000), (1_000_000, 2_560)] {
            assert_eq!(units(per_second, 0).chunk(), chunk, "{per_second}");
        }
    }

    #[test]
    fn what_a_page_did_not_cost_is_given_back() {
        let units = units(20_000, 1_000);
        for (cost, left) in [(0, 1_000), (129, 871), (256, 615), (300, 315)] {
            let page = reserve(&units, 256);
            page.spent(cost);
            assert_eq!(units.left.available_permits(), left, "{cost}");
        }
        reserve(&units, 256).spent(u64::MAX);
        assert_eq!(units.left.available_permits(), 0);
    }

    #[test]
    fn a_page_that_is_given_up_gives_its_units_back() {
        let units = units(20_000, 1_000);
        drop(reserve(&units, 256));
        assert_eq!(units.left.available_permits(), 1_000);
    }

    #[test]
    fn the_next_second_has_begun_after_the_wait() {
        for millis in [0, 1, 999] {
            let now = DateTime::from_timestamp_millis(1_763_900_000_000 + millis).unwrap();
            let then = now + until_next_second(now);
            assert_eq!(then.timestamp(), now.timestamp() + 1, "{millis}");
        }
    }
}
