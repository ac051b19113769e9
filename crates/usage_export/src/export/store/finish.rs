//! How a worker finishes an export.

use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::ReturnValue;
use chrono::{DateTime, TimeDelta, Utc};

use super::lease::{Lease, LeaseError, step};
use super::{Exports, read_export};
use crate::dynamo::{number, text};
use crate::error::AwsError;
use crate::export::{
    Cost, Counts, DataExport, Failure, FailureReason, MESSAGE_TIMEOUT, RECORD_DAYS_AFTER_FILE, SideObject,
    State,
};
use crate::{metrics, timestamp};

/// What is known of a finished file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Completed {
    /// What became of the usage records. The counts agree.
    pub counts: Counts,
    /// CRC-32 of the file, such as `crc32:0a1b2c3d`.
    pub checksum: String,
    /// By what S3 tells the file from any other under its key.
    pub etag: String,
    /// The manifest of the file.
    pub manifest: SideObject,
    /// The exact sum of `credit_cost`, as decimal text; absent if the file has no such column.
    pub credit_cost: Option<String>,
    /// When the file expires.
    pub expires_ts: DateTime<Utc>,
    /// What this worker has used.
    pub cost: Cost,
}

/// The end of an update expression that adds what a worker has used.
const ADD_COST: &str = " ADD s3_requests :requests, worker_ms :ms";

/// The values of [`ADD_COST`].
fn add_cost(update: UpdateItemFluentBuilder, cost: Cost) -> UpdateItemFluentBuilder {
    update
        .expression_attribute_values(":requests", number(cost.s3_requests))
        .expression_attribute_values(":ms", number(cost.worker_ms))
}

impl Exports {
    /// Adds what a worker has used that stops before the export is complete. If that fails, it is missing from the figures.
    pub async fn add_cost(&self, data_export_id: &str, cost: Cost) {
        let update = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("data_export_id", text(data_export_id))
            .update_expression(ADD_COST)
            .condition_expression("attribute_exists(data_export_id)");
        if let Err(error) = add_cost(update, cost).send().await {
            let error = AwsError::from_sdk("dynamodb:UpdateItem")(error);
            tracing::info!(data_export_id, error = %error, "the cost of export {data_export_id} lacks {cost:?}: {error}");
        }
    }

    /// Changes `IN_PROGRESS` to `COMPLETED` and returns the export as it is now. That is FAILED if it was cancelled
    /// meanwhile. It has its slot until [`Exports::release_slot`].
    ///
    /// # Errors
    ///
    /// As for [`Exports::renew`].
    pub async fn complete(
        &self,
        lease: &Lease,
        completed: &Completed,
        now: DateTime<Utc>,
    ) -> Result<DataExport, LeaseError> {
        let manifest = serde_dynamo::aws_sdk_dynamodb_1::to_attribute_value(&completed.manifest)
            .map_err(|error| AwsError::internal(&lease.key, &error))?;
        let record_ends = completed.expires_ts + TimeDelta::days(RECORD_DAYS_AFTER_FILE);
        let set_cost = completed.credit_cost.as_ref().map(|_| ", credit_cost = :cost").unwrap_or_default();
        let update = self
            .update_as(lease)
            .update_expression(format!(
                "SET #state = :completed, finished_ts = :now, check_ts = :check, progress = :all, rows_read = :read, read_units = :units, row_count = :rows, \
                 size_bytes = :bytes, checksum = :checksum, etag = :etag, manifest = :manifest, expires_ts = :expires, #ttl = :ttl\
                 {set_cost} REMOVE lease_owner, lease_until, checkpoint, #error{ADD_COST}",
            ))
            .expression_attribute_names("#ttl", "ttl")
            .expression_attribute_names("#error", "error")
            .expression_attribute_values(":completed", text(State::Completed.name()))
            .expression_attribute_values(":now", text(timestamp::to_text(now)))
            .expression_attribute_values(":check", text(timestamp::to_text(now + MESSAGE_TIMEOUT)))
            .expression_attribute_values(":all", number(100))
            .expression_attribute_values(":read", number(completed.counts.read))
            .expression_attribute_values(":units", number(completed.counts.read_units))
            .expression_attribute_values(":rows", number(completed.counts.written))
            .expression_attribute_values(":bytes", number(completed.counts.bytes))
            .expression_attribute_values(":checksum", text(&completed.checksum))
            .expression_attribute_values(":etag", text(&completed.etag))
            .expression_attribute_values(":manifest", manifest)
            .expression_attribute_values(":expires", text(timestamp::to_text(completed.expires_ts)))
            .expression_attribute_values(":ttl", number(record_ends.timestamp()));
        let update = add_cost(update, completed.cost);
        let update = match &completed.credit_cost {
            Some(cost) => update.expression_attribute_values(":cost", text(cost)),
            None => update,
        };
        let (finished, is_own) = self.finish(&lease.key, update, (State::Completed, None, now)).await?;
        if is_own {
            metrics::completed(&finished, completed.counts.read_units, now);
        }
        self.keep_named_ids(&finished).await;
        Ok(finished)
    }

    /// Changes `IN_PROGRESS` to `FAILED` and returns the export as it is now.
    ///
    /// # Errors
    ///
    /// As for [`Exports::complete`].
    pub async fn fail(
        &self,
        lease: &Lease,
        failure: &Failure,
        now: DateTime<Utc>,
    ) -> Result<DataExport, LeaseError> {
        let update = self
            .update_as(lease)
            .update_expression(
                "SET #state = :failed, finished_ts = :now, check_ts = :check, #error = :told, failure = :reason \
                 REMOVE lease_owner, lease_until, checkpoint",
            )
            .expression_attribute_names("#error", "error")
            .expression_attribute_values(":failed", text(State::Failed.name()))
            .expression_attribute_values(":now", text(timestamp::to_text(now)))
            .expression_attribute_values(":check", text(timestamp::to_text(now + MESSAGE_TIMEOUT)))
            .expression_attribute_values(":told", text(&failure.told))
            .expression_attribute_values(":reason", text(failure.reason.name()));
        let end = (State::Failed, Some(failure.reason), now);
        let (finished, is_own) = self.finish(&lease.key, update, end).await?;
        if is_own {
            metrics::failed(&finished, failure.reason, now);
        }
        Ok(finished)
    }

    /// Makes the last step, and says whether it is the one that ended the export. A step that took place although its answer was lost, and
    /// one that came after another final step, return the export as it is: the first of them is known by its end, `end`.
    pub(super) async fn finish(
        &self,
        data_export_id: &str,
        update: UpdateItemFluentBuilder,
        end: (State, Option<FailureReason>, DateTime<Utc>),
    ) -> Result<(DataExport, bool), LeaseError> {
        let (state, failure, now) = end;
        match step(update.return_values(ReturnValue::AllNew)).await {
            Ok(item) => Ok((read_export(item)?, true)),
            Err(LeaseError::Lost) => match self.get(data_export_id).await? {
                Some(export) if export.state.is_final() => {
                    let at = export.finished_ts.map(timestamp::to_text);
                    let is_own = (export.state, export.failure) == (state, failure)
                        && at == Some(timestamp::to_text(now));
                    Ok((export, is_own))
                }
                _ => Err(LeaseError::Lost),
            },
            Err(error) => Err(error),
        }
    }

    /// Releases the slot of a finished export. If that fails, the worker that settles the export releases it.
    pub(super) async fn try_release_slot(&self, export: &DataExport) {
        let id = &export.data_export_id;
        if let Err(error) = self.release_slot(export).await {
            tracing::warn!(data_export_id = id, error = %error, "export {id} still holds its slot: {error}");
        }
    }
}
