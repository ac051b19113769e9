//! The claim of the email that tells an export's outcome, so that it is sent at most once.

use chrono::{DateTime, Utc};

use super::Exports;
use crate::dynamo::{condition_failed, text};
use crate::error::AwsError;
use crate::export::State;
use crate::timestamp;

impl Exports {
    /// Claims the email of an export's outcome. True for exactly one caller; false if another caller has claimed it, or if
    /// the export is not finished.
    ///
    /// # Errors
    ///
    /// The update failed; it may have taken place.
    pub async fn claim_notification(
        &self,
        data_export_id: &str,
        now: DateTime<Utc>,
    ) -> Result<bool, AwsError> {
        let claimed = self
            .update(data_export_id)
            .update_expression("SET notified_ts = :now")
            .condition_expression("attribute_not_exists(notified_ts) AND #state IN (:completed, :failed)")
            .expression_attribute_values(":now", text(timestamp::to_text(now)))
            .expression_attribute_values(":completed", text(State::Completed.name()))
            .expression_attribute_values(":failed", text(State::Failed.name()))
            .send()
            .await;
        match claimed {
            Ok(_) => Ok(true),
            Err(error) if condition_failed(&error) => Ok(false),
            Err(error) => Err(AwsError::from_sdk("dynamodb:UpdateItem")(error)),
        }
    }

    /// Gives a claim back that was made at `claimed`, after an email that was certainly not sent: the next delivery of the
    /// message tries again.
    ///
    /// # Errors
    ///
    /// The update failed, or the claim is another worker's.
    pub async fn release_notification(
        &self,
        data_export_id: &str,
        claimed: DateTime<Utc>,
    ) -> Result<(), AwsError> {
        let released = self
            .update(data_export_id)
            .update_expression("REMOVE notified_ts")
            .condition_expression("notified_ts = :claimed AND attribute_exists(#state)")
            .expression_attribute_values(":claimed", text(timestamp::to_text(claimed)))
            .send()
            .await;
        released.map_err(AwsError::from_sdk("dynamodb:UpdateItem"))?;
        Ok(())
    }
}
