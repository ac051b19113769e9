//! An export that waits for another one of its organization to finish.

use chrono::{DateTime, TimeDelta, Utc};

use super::Exports;
use crate::dynamo::{condition_failed, number, text};
use crate::error::AwsError;
use crate::export::{DataExport, State};
use crate::timestamp;

/// How long an export waits before the reconciler sends its message again, should whoever finished another one have died before
/// it could.
const CHECK_WAITING: TimeDelta = TimeDelta::minutes(2);

impl Exports {
    /// Records that an unfinished export waits, so that its time in line does not count as time without progress. False if it
    /// cannot wait: it is finished by now, or a worker has its lease.
    ///
    /// # Errors
    ///
    /// The update failed; it may have taken place.
    pub async fn wait(&self, export: &DataExport, now: DateTime<Utc>) -> Result<bool, AwsError> {
        let waits = self
            .update(&export.data_export_id)
            .update_expression("SET progress_ts = :now, check_ts = :check, resends = :zero")
            .condition_expression(
                "#state IN (:requested, :in_progress) AND (attribute_not_exists(lease_until) OR lease_until < :now)",
            )
            .expression_attribute_values(":requested", text(State::Requested.name()))
            .expression_attribute_values(":in_progress", text(State::InProgress.name()))
            .expression_attribute_values(":now", text(timestamp::to_text(now)))
            .expression_attribute_values(":check", text(timestamp::to_text(now + CHECK_WAITING)))
            .expression_attribute_values(":zero", number(0))
            .send()
            .await;
        match waits {
            Ok(_) => Ok(true),
            Err(error) if condition_failed(&error) => Ok(false),
            Err(error) => Err(AwsError::from_sdk("dynamodb:UpdateItem")(error)),
        }
    }
}
