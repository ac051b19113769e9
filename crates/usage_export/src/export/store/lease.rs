//! How a worker claims an export and saves its progress. Each step is one conditional update.
//!
//! A worker holds an export by a lease, which it renews by a timer and whenever it saves. Once the lease has run out, another worker may
//! claim the export; the former lease owner then learns at its next step that the lease is lost, and stops.

use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::ReturnValue;
use chrono::{DateTime, TimeDelta, Utc};

use super::{Exports, read_export};
use crate::dynamo::{Item, condition_failed, number, text};
use crate::error::AwsError;
use crate::export::{Checkpoint, DataExport, MESSAGE_TIMEOUT, Segment, Speed, State};
use crate::{metrics, timestamp};

mod progress;

pub use progress::Progress;
use progress::set_speed;

/// How long a worker counts as alive after it last renewed its lease. It renews every few seconds, so that this leaves room
/// for calls that are slow or have to be repeated.
pub const LEASE: TimeDelta = TimeDelta::seconds(60);

/// How long after the end of a lease the reconciler looks whether another worker has claimed the export.
const CHECK_AFTER_LEASE: TimeDelta = TimeDelta::seconds(30);

/// The condition of every update by the lease owner. The epoch is in it because a request to claim that was given up may still
/// arrive late: it would begin another epoch, of which its sender knows nothing.
pub(super) const IS_LEASE_OWNER: &str = "#state = :in_progress AND lease_owner = :owner AND epoch = :epoch";

/// What a worker has from its claim: by it every later step is recognised as its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// The key of the item that the lease is of: the id of an export, or the key of one of its segments.
    pub key: String,
    /// Who claimed it.
    pub owner: String,
    /// Which claim it was.
    pub epoch: u32,
}

impl Lease {
    /// The lease of an export that was just claimed.
    pub fn of(claimed: &DataExport) -> Self {
        Self {
            key: claimed.data_export_id.clone(),
            owner: claimed.lease_owner.clone().unwrap_or_default(),
            epoch: claimed.epoch,
        }
    }

    /// The lease of a segment that was just claimed.
    pub fn of_segment(claimed: &Segment) -> Self {
        Self {
            key: claimed.key.clone(),
            owner: claimed.lease_owner.clone().unwrap_or_default(),
            epoch: claimed.epoch,
        }
    }
}

/// The result of a worker's claim.
#[derive(Debug, PartialEq, Eq)]
pub enum Claim {
    /// This worker holds the lease now.
    Claimed(Box<DataExport>),
    /// Another worker holds the lease, which ends at this instant.
    Busy(DateTime<Utc>),
    /// The export is COMPLETED or FAILED already.
    Finished(Box<DataExport>),
    /// There is no export with this id.
    Unknown,
}

/// Why a worker's step on an export did not take place.
#[derive(Debug, thiserror::Error)]
pub enum LeaseError {
    /// Another worker has claimed the export since, or the export is finished.
    #[error("the lease was lost to another worker")]
    Lost,
    /// The call to the table failed.
    #[error(transparent)]
    Aws(#[from] AwsError),
}

impl Exports {
    /// Claims an export for `lease_owner`, counts the attempt and begins an epoch. An export can be claimed while it is
    /// `REQUESTED`, or `IN_PROGRESS` with a lease that has run out or was released. `lease_owner` must be another one at
    /// every call: who claims twice with the same gets the same lease.
    ///
    /// # Errors
    ///
    /// A call failed, or the record cannot be read. The claim may have taken place; its lease then runs out.
    pub async fn claim(
        &self,
        data_export_id: &str,
        lease_owner: &str,
        now: DateTime<Utc>,
    ) -> Result<Claim, AwsError> {
        let claim = match self.claim_item(data_export_id, lease_owner, now).await? {
            Some(item) => Claim::Claimed(Box::new(read_export(item)?)),
            None => self.why_not_claimed(data_export_id, lease_owner).await?,
        };
        if let Claim::Claimed(export) = &claim
            && export.epoch == 1
        {
            metrics::started(export, now);
        }
        Ok(claim)
    }

    /// Claims an export or a segment. `None` if it cannot be claimed.
    pub(super) async fn claim_item(
        &self,
        key: &str,
        lease_owner: &str,
        now: DateTime<Utc>,
    ) -> Result<Option<Item>, AwsError> {
        let claimed = self
            .update(key)
            .update_expression("SET #state = :in_progress, lease_owner = :owner, lease_until = :until, check_ts = :check, saves = :zero \
                 REMOVE rows_per_second, estimated_finish_ts ADD attempts :one, epoch :one")
            .condition_expression(
                "#state = :requested OR (#state = :in_progress AND (attribute_not_exists(lease_until) OR lease_until < :now))",
            )
            .expression_attribute_values(":requested", text(State::Requested.name()))
            .expression_attribute_values(":in_progress", text(State::InProgress.name()))
            .expression_attribute_values(":owner", text(lease_owner))
            .expression_attribute_values(":until", text(timestamp::to_text(now + LEASE)))
            .expression_attribute_values(":check", text(timestamp::to_text(now + LEASE + CHECK_AFTER_LEASE)))
            .expression_attribute_values(":now", text(timestamp::to_text(now)))
            .expression_attribute_values(":zero", number(0))
            .expression_attribute_values(":one", number(1))
            .return_values(ReturnValue::AllNew)
            .send()
            .await;
        match claimed {
            Ok(output) => Ok(Some(output.attributes.unwrap_or_default())),
            Err(error) if condition_failed(&error) => Ok(None),
            Err(error) => Err(AwsError::from_sdk("dynamodb:UpdateItem")(error)),
        }
    }

    async fn why_not_claimed(&self, data_export_id: &str, lease_owner: &str) -> Result<Claim, AwsError> {
        Ok(match self.get(data_export_id).await? {
            None => Claim::Unknown,
            Some(export) if export.state.is_final() => Claim::Finished(Box::new(export)),
            // The claim took place, its answer was lost, and the SDK made it again.
            Some(export) if export.lease_owner.as_deref() == Some(lease_owner) => {
                Claim::Claimed(Box::new(export))
            }
            Some(DataExport { lease_until: Some(until), .. }) => Claim::Busy(until),
            // The lease was released between the two calls: the message is redelivered and finds the export free.
            Some(export) => Claim::Busy(export.created_ts),
        })
    }

    /// Renews the lease and saves progress and speed.
    ///
    /// # Errors
    ///
    /// [`LeaseError::Lost`] if the lease is lost; [`LeaseError::Aws`] if the update failed.
    pub async fn renew(
        &self,
        lease: &Lease,
        progress: Progress,
        speed: Speed,
        now: DateTime<Utc>,
    ) -> Result<(), LeaseError> {
        let set = "SET lease_until = :until, check_ts = :check, progress = :percent, row_count = :rows";
        let update = set_speed(self.update_as(lease), set, speed);
        step(progress.set_in(renewed(update, now))).await.map(|_| ())
    }

    /// Saves a checkpoint and the progress, and renews the lease. The attempts are counted anew, because there was progress.
    ///
    /// `nth` is 1 for the first checkpoint after the claim, then 2, 3 …. A request that was given up and sent again may still
    /// arrive late; by its number it cannot replace a later checkpoint.
    ///
    /// # Errors
    ///
    /// As for [`Exports::renew`].
    pub async fn save_checkpoint(
        &self,
        lease: &Lease,
        nth: u32,
        checkpoint: &Checkpoint,
        progress: Progress,
        now: DateTime<Utc>,
    ) -> Result<(), LeaseError> {
        let checkpoint = serde_dynamo::aws_sdk_dynamodb_1::to_attribute_value(checkpoint)
            .map_err(|error| AwsError::internal(&lease.key, &error))?;
        let update = self
            .update_as(lease)
            .update_expression(
                "SET checkpoint = :checkpoint, saves = :nth, progress_ts = :now, attempts = :zero, resends = :zero, \
                 lease_until = :until, check_ts = :check, progress = :percent, row_count = :rows",
            )
            .expression_attribute_values(":now", text(timestamp::to_text(now)))
            .expression_attribute_values(":zero", number(0))
            .condition_expression(format!("{IS_LEASE_OWNER} AND saves <= :nth"))
            .expression_attribute_values(":nth", number(nth))
            .expression_attribute_values(":checkpoint", checkpoint);
        step(progress.set_in(renewed(update, now))).await.map(|_| ())
    }

    /// Releases the lease, so that the next attempt can begin before it runs out. Its message comes at `next`.
    ///
    /// # Errors
    ///
    /// As for [`Exports::renew`].
    pub async fn release(&self, lease: &Lease, next: DateTime<Utc>) -> Result<(), LeaseError> {
        let update = self
            .update_as(lease)
            .update_expression(
                "SET check_ts = :check REMOVE lease_owner, lease_until, rows_per_second, estimated_finish_ts",
            )
            .expression_attribute_values(":check", text(timestamp::to_text(next + MESSAGE_TIMEOUT)));
        step(update).await.map(|_| ())
    }

    pub(super) fn update(&self, data_export_id: &str) -> UpdateItemFluentBuilder {
        self.client
            .update_item()
            .table_name(&self.table)
            .key("data_export_id", text(data_export_id))
            .expression_attribute_names("#state", "state")
    }

    /// An update that takes place only while the lease is held.
    pub(super) fn update_as(&self, lease: &Lease) -> UpdateItemFluentBuilder {
        self.update(&lease.key)
            .condition_expression(IS_LEASE_OWNER)
            .expression_attribute_values(":in_progress", text(State::InProgress.name()))
            .expression_attribute_values(":owner", text(&lease.owner))
            .expression_attribute_values(":epoch", number(lease.epoch))
    }
}

/// The values `:until` and `:check` of a lease that is renewed.
fn renewed(update: UpdateItemFluentBuilder, now: DateTime<Utc>) -> UpdateItemFluentBuilder {
    update
        .expression_attribute_values(":until", text(timestamp::to_text(now + LEASE)))
        .expression_attribute_values(":check", text(timestamp::to_text(now + LEASE + CHECK_AFTER_LEASE)))
}

/// Makes an update of [`Exports::update_as`] and returns the item as it was asked for.
pub(super) async fn step(update: UpdateItemFluentBuilder) -> Result<Item, LeaseError> {
    match update.send().await {
        Ok(output) => Ok(output.attributes.unwrap_or_default()),
        Err(error) if condition_failed(&error) => Err(LeaseError::Lost),
        Err(error) => Err(AwsError::from_sdk("dynamodb:UpdateItem")(error).into()),
    }
}

#[cfg(test)]
mod tests;
