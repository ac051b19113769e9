//! How an export is cancelled, by its owner.

use aws_sdk_dynamodb::types::ReturnValue;
use chrono::{DateTime, Utc};

use super::lease::Lease;
use super::{Exports, read_export};
use crate::dynamo::{condition_failed, text};
use crate::error::AwsError;
use crate::export::{CANCELLED, DataExport, FailureReason, MESSAGE_TIMEOUT, State};
use crate::{metrics, timestamp};

impl Exports {
    /// Changes `REQUESTED` or `IN_PROGRESS` to `FAILED` with the reason [`CANCELLED`], releases the slot and returns the export
    /// as it is now. An export that is finished already is returned as it is. `None` if there is no such export.
    ///
    /// A worker that makes the file keeps its lease until it notices: nobody deletes what it leaves behind before that.
    ///
    /// # Errors
    ///
    /// A call failed; the export may be cancelled.
    pub async fn cancel(
        &self,
        data_export_id: &str,
        now: DateTime<Utc>,
    ) -> Result<Option<DataExport>, AwsError> {
        let cancelled = self
            .update(data_export_id)
            .update_expression(
                "SET #state = :failed, finished_ts = :now, check_ts = :check, #error = :told, failure = :reason \
                 REMOVE checkpoint",
            )
            .condition_expression("#state IN (:requested, :in_progress)")
            .expression_attribute_names("#error", "error")
            .expression_attribute_values(":failed", text(State::Failed.name()))
            .expression_attribute_values(":requested", text(State::Requested.name()))
            .expression_attribute_values(":in_progress", text(State::InProgress.name()))
            .expression_attribute_values(":now", text(timestamp::to_text(now)))
            .expression_attribute_values(":check", text(timestamp::to_text(now + MESSAGE_TIMEOUT)))
            .expression_attribute_values(":told", text(CANCELLED))
            .expression_attribute_values(":reason", text(FailureReason::Cancelled.name()))
            .return_values(ReturnValue::AllNew)
            .send()
            .await;
        let export = match cancelled {
            Ok(output) => {
                let cancelled = read_export(output.attributes.unwrap_or_default())?;
                metrics::failed(&cancelled, FailureReason::Cancelled, now);
                cancelled
            }
            Err(error) if condition_failed(&error) => match self.get(data_export_id).await? {
                Some(export) => export,
                None => return Ok(None),
            },
            Err(error) => return Err(AwsError::from_sdk("dynamodb:UpdateItem")(error)),
        };
        self.try_release_slot(&export).await;
        Ok(Some(export))
    }

    /// Removes the lease that a worker still holds of an export which was cancelled meanwhile, and returns the export.
    ///
    /// # Errors
    ///
    /// A call failed.
    pub async fn give_up_cancelled(&self, lease: &Lease) -> Result<Option<DataExport>, AwsError> {
        let given_up = self
            .update(&lease.key)
            .update_expression("REMOVE lease_owner, lease_until")
            .condition_expression("#state = :failed AND lease_owner = :owner")
            .expression_attribute_values(":failed", text(State::Failed.name()))
            .expression_attribute_values(":owner", text(&lease.owner))
            .return_values(ReturnValue::AllNew)
            .send()
            .await;
        match given_up {
            Ok(output) => Ok(Some(read_export(output.attributes.unwrap_or_default())?)),
            Err(error) if condition_failed(&error) => Ok(None),
            Err(error) => Err(AwsError::from_sdk("dynamodb:UpdateItem")(error)),
        }
    }
}
