//! What the reconciler reads and changes: exports with something left to do that nobody seems to do.
//!
//! Every step of an export sets when the reconciler is to look at it, some time after the next step is expected. The index
//! `by_check_ts` has the exports that are unsettled, by that time.

use aws_sdk_dynamodb::types::ReturnValue;
use chrono::{DateTime, Utc};

use super::{Exports, attribute_s, read_export};
use crate::dynamo::{condition_failed, number, text};
use crate::error::AwsError;
use crate::export::{DataExport, Failure, MESSAGE_TIMEOUT, State, UNSETTLED};
use crate::{metrics, timestamp};

/// How many exports the reconciler looks at in one run. The others are due a minute later still.
const MAX_DUE: i32 = 500;

impl Exports {
    /// The ids of exports that the reconciler has to look at by `now`, those that wait longest first; 500 at most.
    ///
    /// # Errors
    ///
    /// The read failed.
    pub async fn due(&self, now: DateTime<Utc>) -> Result<Vec<String>, AwsError> {
        let output = self
            .client
            .query()
            .table_name(&self.table)
            .index_name("by_check_ts")
            .key_condition_expression("unsettled = :unsettled AND check_ts < :now")
            .expression_attribute_values(":unsettled", text(UNSETTLED))
            .expression_attribute_values(":now", text(timestamp::to_text(now)))
            .limit(MAX_DUE)
            .send()
            .await
            .map_err(AwsError::from_sdk("dynamodb:Query"))?;
        let ids = output.items().iter().filter_map(|item| attribute_s(item, "data_export_id"));
        Ok(ids.map(str::to_owned).collect())
    }

    /// Sets when the reconciler looks at the export again, and counts that its message is sent again. False if the export
    /// was changed since it was read: then somebody works on it.
    ///
    /// # Errors
    ///
    /// The update failed; it may have taken place.
    pub async fn postpone_check(
        &self,
        export: &DataExport,
        next: DateTime<Utc>,
        resends: u32,
    ) -> Result<bool, AwsError> {
        let postponed = self
            .update(&export.data_export_id)
            .update_expression("SET check_ts = :next, resends = :resends")
            .condition_expression("check_ts = :seen AND #state = :state")
            .expression_attribute_values(":next", text(timestamp::to_text(next)))
            .expression_attribute_values(":resends", number(resends))
            .expression_attribute_values(
                ":seen",
                text(export.check_ts.map(timestamp::to_text).unwrap_or_default()),
            )
            .expression_attribute_values(":state", text(export.state.name()))
            .send()
            .await;
        match postponed {
            Ok(_) => Ok(true),
            Err(error) if condition_failed(&error) => Ok(false),
            Err(error) => Err(AwsError::from_sdk("dynamodb:UpdateItem")(error)),
        }
    }

    /// Changes an unfinished export to `FAILED` that no worker has a lease of, releases its slot and returns it as it is now.
    /// `None` if the export was changed since it was read.
    ///
    /// # Errors
    ///
    /// A call failed; the export may be FAILED.
    pub async fn give_up(
        &self,
        export: &DataExport,
        failure: &Failure,
        now: DateTime<Utc>,
    ) -> Result<Option<DataExport>, AwsError> {
        let given_up = self
            .update(&export.data_export_id)
            .update_expression(
                "SET #state = :failed, finished_ts = :now, check_ts = :check, #error = :told, failure = :reason \
                 REMOVE lease_owner, lease_until, checkpoint",
            )
            .condition_expression(
                "check_ts = :seen AND #state = :state AND (attribute_not_exists(lease_until) OR lease_until < :now)",
            )
            .expression_attribute_names("#error", "error")
            .expression_attribute_values(":failed", text(State::Failed.name()))
            .expression_attribute_values(":state", text(export.state.name()))
            .expression_attribute_values(":seen", text(export.check_ts.map(timestamp::to_text).unwrap_or_default()))
            .expression_attribute_values(":now", text(timestamp::to_text(now)))
            .expression_attribute_values(":check", text(timestamp::to_text(now + MESSAGE_TIMEOUT)))
            .expression_attribute_values(":told", text(&failure.told))
            .expression_attribute_values(":reason", text(failure.reason.name()))
            .return_values(ReturnValue::AllNew)
            .send()
            .await;
        match given_up {
            Ok(output) => {
                let failed = read_export(output.attributes.unwrap_or_default())?;
                metrics::failed(&failed, failure.reason, now);
                self.try_release_slot(&failed).await;
                Ok(Some(failed))
            }
            Err(error) if condition_failed(&error) => Ok(None),
            Err(error) => Err(AwsError::from_sdk("dynamodb:UpdateItem")(error)),
        }
    }
}
