//! What follows the final state: the claim of the email that tells the outcome, so that it is sent at most once, and the
//! mark that nothing is left to do.

use chrono::{DateTime, Utc};

use super::Exports;
use crate::dynamo::{condition_failed, text};
use crate::error::AwsError;
use crate::export::{MESSAGE_TIMEOUT, State, UNSETTLED};
use crate::timestamp;

impl Exports {
    /// Claims the email of an export's outcome for `claimant`, who is another one at every attempt. True for exactly one
    /// claimant; false if another one has claimed it, or if the export is not finished.
    ///
    /// # Errors
    ///
    /// The update failed; it may have taken place. Give the claim back, or nobody sends the email.
    pub async fn claim_notification(
        &self,
        data_export_id: &str,
        claimant: &str,
        now: DateTime<Utc>,
    ) -> Result<bool, AwsError> {
        let claimed = self
            .update(data_export_id)
            .update_expression("SET notified_ts = :now, notified_by = :claimant")
            .condition_expression("attribute_not_exists(notified_ts) AND #state IN (:completed, :failed)")
            .expression_attribute_values(":now", text(timestamp::to_text(now)))
            .expression_attribute_values(":claimant", text(claimant))
            .expression_attribute_values(":completed", text(State::Completed.name()))
            .expression_attribute_values(":failed", text(State::Failed.name()))
            .send()
            .await;
        match claimed {
            Ok(_) => Ok(true),
            // Also after a claim that took place, whose answer was lost, and that the SDK then made again.
            Err(error) if condition_failed(&error) => {
                let export = self.get(data_export_id).await?;
                Ok(export.is_some_and(|export| export.notified_by.as_deref() == Some(claimant)))
            }
            Err(error) => Err(AwsError::from_sdk("dynamodb:UpdateItem")(error)),
        }
    }

    /// Gives a claim back after an email that was certainly not sent: the next delivery of the message tries again. Another
    /// delivery may have settled the export meanwhile, so it is unsettled again.
    ///
    /// # Errors
    ///
    /// The update failed, or the claim is another worker's.
    pub async fn release_notification(
        &self,
        data_export_id: &str,
        claimant: &str,
        now: DateTime<Utc>,
    ) -> Result<(), AwsError> {
        let released = self
            .update(data_export_id)
            .update_expression(
                "SET unsettled = :unsettled, check_ts = :check REMOVE notified_ts, notified_by",
            )
            .expression_attribute_values(":unsettled", text(UNSETTLED))
            .expression_attribute_values(":check", text(timestamp::to_text(now + MESSAGE_TIMEOUT)))
            .condition_expression("notified_by = :claimant AND attribute_exists(#state)")
            .expression_attribute_values(":claimant", text(claimant))
            .send()
            .await;
        released.map_err(AwsError::from_sdk("dynamodb:UpdateItem"))?;
        Ok(())
    }

    /// Settles a finished export: nothing is left to do, so the reconciler looks at it no more. Repeating it changes nothing.
    ///
    /// False if the email is not claimed, because another worker has just given its claim back: something is left to do.
    ///
    /// # Errors
    ///
    /// The update failed; the reconciler then sends the export's message again, and it is settled after that.
    pub async fn settle(&self, data_export_id: &str) -> Result<bool, AwsError> {
        let settled = self
            .update(data_export_id)
            .update_expression("REMOVE unsettled, check_ts, resends")
            .condition_expression("#state IN (:completed, :failed) AND attribute_exists(notified_ts)")
            .expression_attribute_values(":completed", text(State::Completed.name()))
            .expression_attribute_values(":failed", text(State::Failed.name()))
            .send()
            .await;
        match settled {
            Ok(_) => Ok(true),
            Err(error) if condition_failed(&error) => Ok(false),
            Err(error) => Err(AwsError::from_sdk("dynamodb:UpdateItem")(error)),
        }
    }
}
