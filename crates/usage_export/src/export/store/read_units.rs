//! Read units that workers have taken: an item for each second, from which all workers of a deployment take.
//! `docs/adr/0029-reads-keep-to-a-budget.md` says why.

use chrono::{DateTime, TimeDelta, Utc};

use super::Exports;
use crate::dynamo::{condition_failed, number, text};
use crate::error::AwsError;

/// How long after its second an item can be deleted: long after every worker's clock has left the second.
const KEPT: TimeDelta = TimeDelta::hours(1);

/// What read units are taken of: so many may be taken in a second.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadAllowance {
    /// The one partition of usage records that they are read from. `None`: all of the table.
    pub partition_key: Option<String>,
    /// How many units may be taken in a second, by all workers together.
    pub units_per_second: u32,
}

impl Exports {
    /// Takes so many units of the second in which `now` is. False if the second does not have them any more. The first to ask in a
    /// second gets them in any case.
    ///
    /// # Errors
    ///
    /// The update failed; the units may have been taken.
    pub async fn take_read_units(
        &self,
        allowance: &ReadAllowance,
        units: u32,
        now: DateTime<Utc>,
    ) -> Result<bool, AwsError> {
        let most_before = allowance.units_per_second.saturating_sub(units);
        let taken = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("data_export_id", text(read_units_key(allowance, now)))
            .update_expression("SET #ttl = :ttl ADD #units :units")
            .condition_expression("attribute_not_exists(#units) OR #units <= :most_before")
            .expression_attribute_names("#ttl", "ttl")
            .expression_attribute_names("#units", "units")
            .expression_attribute_values(":ttl", number((now + KEPT).timestamp()))
            .expression_attribute_values(":units", number(units))
            .expression_attribute_values(":most_before", number(most_before))
            .send()
            .await;
        match taken {
            Ok(_) => Ok(true),
            Err(error) if condition_failed(&error) => Ok(false),
            Err(error) => Err(AwsError::from_sdk("dynamodb:UpdateItem")(error)),
        }
    }
}

fn read_units_key(allowance: &ReadAllowance, now: DateTime<Utc>) -> String {
    let second = now.timestamp();
    match &allowance.partition_key {
        None => format!("READ_UNITS#{second}"),
        Some(partition_key) => format!("READ_UNITS#{second}#{partition_key}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_second_and_each_partition_has_an_item_of_its_own() {
        let now = DateTime::from_timestamp_millis(1_763_900_000_999).unwrap();
        let mut allowance = ReadAllowance { partition_key: None, units_per_second: 20_000 };
        assert_eq!(read_units_key(&allowance, now), "READ_UNITS#1763900000");
        allowance.partition_key = Some("wsp_1#2025-11".to_owned());
        assert_eq!(read_units_key(&allowance, now), "READ_UNITS#1763900000#wsp_1#2025-11");
    }
}
