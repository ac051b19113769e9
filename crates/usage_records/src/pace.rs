//! How fast an export reads: as fast as it can, within what the product leaves it.
//!
//! - All workers together keep to a [`ReadBudget`].
//! - A partition of the current month is the one that the product writes and reads itself, so exports take at most half of what
//!   DynamoDB gives a partition.
//! - What DynamoDB throttles is asked for again, more slowly.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_dynamodb::Client;
use usage_export::export::store::read_units::ReadAllowance;
use usage_export::usage::Month;

use crate::budget::{ReadBudget, Reservation, Units};
use crate::page::{Page, PageRequest, ReadError};
use crate::partition::Partition;
use crate::selection::Selection;
use crate::throttling::{Limit, Throttling, UNITS_OF_PAGE};

/// How many units a worker reads for an export before it asks the budget, so that a small export makes no call for it.
const FREE_UNITS: u32 = 4_096;

/// How many units a second exports read of a partition of the current month: half of the 3,000 that a partition has. The first
/// so many of a worker's work on an export are not paced.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html>
const UNITS_OF_CURRENT_PARTITION: u32 = 1_500;

/// How many records a unit reads at least, as far as is known: they have some 200 bytes.
const RECORDS_OF_UNIT: u32 = 10;

/// How fast the pages of an export are read. Clones share what was read and how long pauses are.
///
/// The default has no limits but those of DynamoDB.
#[derive(Debug, Clone, Default)]
pub struct Pace {
    budget: Option<ReadBudget>,
    state: Arc<State>,
}

#[derive(Debug, Default)]
struct State {
    throttling: Throttling,
    /// What is left of the budget; `None` until something is read.
    deployment: Mutex<Option<Arc<Units>>>,
    /// What is left of each partition of the current month, by partition key.
    partitions: Mutex<HashMap<String, Arc<Units>>>,
}

impl Pace {
    /// Reads keep to this budget.
    pub fn new(budget: ReadBudget) -> Self {
        Self { budget: Some(budget), state: Arc::default() }
    }

    /// The same budget for another export, of which nothing was read yet.
    #[must_use]
    pub fn for_export(&self) -> Self {
        Self { budget: self.budget.clone(), state: Arc::default() }
    }

    /// Reads a page of an export, as soon as it may be read. It is asked for until DynamoDB does not throttle it.
    pub(crate) async fn read(
        &self,
        request: PageRequest,
        client: &Client,
        table: &str,
        selection: &Arc<Selection>,
    ) -> Result<Page, ReadError> {
        let partition_key = request.partition.partition_key.clone();
        let was_throttled = self.state.throttling.turn(&partition_key, cost_at_most(request.limit)).await;
        let (reserved, has_waited) = self.reserve(&request).await;
        let (mut throttled, mut refusals) = (was_throttled || has_waited, 0);
        loop {
            match request.clone().send(client, table, selection).await {
                Ok(page) => {
                    let units = u32::try_from(page.read_units).unwrap_or(UNITS_OF_PAGE);
                    self.state.throttling.succeeded(&partition_key, units);
                    for reservation in reserved {
                        reservation.spent(page.read_units);
                    }
                    return Ok(Page { throttled, ..page });
                }
                Err(ReadError::Throttled { limit, error }) => {
                    throttled |= limit == Limit::Partition;
                    self.state.throttling.pause(limit, &partition_key, refusals, &error).await;
                    refusals += 1;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Reserves what the page may cost, and says whether its partition had no more to give in this second.
    async fn reserve(&self, request: &PageRequest) -> (Vec<Reservation>, bool) {
        let Some(budget) = &self.budget else { return (Vec::new(), false) };
        let cost = cost_at_most(request.limit);
        let (mut reserved, mut has_waited) = (Vec::new(), false);
        // First what is scarcer: units of the whole budget are not held while others could use them.
        if Month::of((budget.clock)()) <= request.partition.month {
            let of_partition = self.units_of(&request.partition).reserve(cost, budget).await;
            has_waited = of_partition.1;
            reserved.push(of_partition.0);
        }
        if budget.units_per_second > 0 {
            reserved.push(self.units_of_all(budget).reserve(cost, budget).await.0);
        }
        (reserved, has_waited)
    }

    fn units_of(&self, partition: &Partition) -> Arc<Units> {
        let mut partitions = self.state.partitions.lock().unwrap_or_else(PoisonError::into_inner);
        let units = partitions.entry(partition.partition_key.clone()).or_insert_with(|| {
            let partition_key = Some(partition.partition_key.clone());
            let allowance = ReadAllowance { partition_key, units_per_second: UNITS_OF_CURRENT_PARTITION };
            Arc::new(Units::new(allowance, UNITS_OF_CURRENT_PARTITION))
        });
        Arc::clone(units)
    }

    fn units_of_all(&self, budget: &ReadBudget) -> Arc<Units> {
        let mut deployment = self.state.deployment.lock().unwrap_or_else(PoisonError::into_inner);
        let units = deployment.get_or_insert_with(|| {
            let allowance = ReadAllowance { partition_key: None, units_per_second: budget.units_per_second };
            Arc::new(Units::new(allowance, FREE_UNITS))
        });
        Arc::clone(units)
    }
}

/// What is reserved for a page that has at most so many records.
fn cost_at_most(limit: Option<i32>) -> u32 {
    let records = limit.and_then(|limit| u32::try_from(limit).ok());
    records.map_or(UNITS_OF_PAGE, |records| records.div_ceil(RECORDS_OF_UNIT).clamp(1, UNITS_OF_PAGE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_without_a_limit_may_cost_the_most() {
        assert_eq!(cost_at_most(None), 256);
        assert_eq!([1, 100, i32::MAX].map(|limit| cost_at_most(Some(limit))), [1, 10, 256]);
    }
}
