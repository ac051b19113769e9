//! The reconciler: finds exports that have something left to do and that nobody works on, and sends their message again.
//!
//! A message can be lost: its sender dies between the table and the queue, the queue is purged, a deploy is broken for longer
//! than messages are kept. A worker can die. Neither may end an export without a word, so every step of an export says in
//! its record when the next one is overdue, and this function looks at those exports: every minute by a schedule, and at
//! once at an export whose message has reached the dead-letter queue.
//!
//! It does the least that makes the export go on: it sends the message again, and the worker does the rest. Only an export
//! that makes no progress for [`GIVE_UP_AFTER`] it makes FAILED, and tells its owner.

use std::time::Duration;

use aws_lambda_events::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent, SqsMessage};
use chrono::{DateTime, TimeDelta, Utc};
use notification::Mailer;
use serde::Deserialize;
use serde_json::{Value, json};
use usage_export::directory::Directory;
use usage_export::error::AwsError;
use usage_export::export::queue::ExportQueue;
use usage_export::export::store::Exports;
use usage_export::export::{DataExport, Failure, FailureReason};
use usage_export::metrics::{self, Metric};

/// An export that makes no progress for this long becomes FAILED. It is long enough to repair a deploy.
pub const GIVE_UP_AFTER: TimeDelta = TimeDelta::hours(6);

/// What its owner is told.
const GIVEN_UP: &str =
    "The export made no progress for six hours because of a technical problem on our side.";

/// How long after its message was sent again the export is looked at again, the first time. It doubles each time, because
/// the message may wait behind others.
const RESEND_INTERVAL: TimeDelta = TimeDelta::minutes(2);

/// It doubles this often: to a bit more than an hour.
const MAX_DOUBLINGS: u32 = 5;

/// How long after the end of a lease the export is looked at again.
const CHECK_AFTER_LEASE: TimeDelta = TimeDelta::seconds(30);

/// How long a message that names no export is hidden in the dead-letter queue. It stays there for whoever is on call.
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-visibility-timeout.html>
const HIDE_GARBAGE: Duration = Duration::from_hours(12);

/// The clients and settings of every run.
pub struct Reconciler {
    /// The table of exports.
    pub exports: Exports,
    /// Where the owners of exports are looked up.
    pub directory: Directory,
    /// Sends the emails about exports that are given up.
    pub mailer: Mailer,
    /// The worker's queue.
    pub queue: ExportQueue,
    /// The URL of the dead-letter queue.
    pub dead_letter_queue_url: String,
}

/// The body of a message.
#[derive(Deserialize)]
struct Message {
    data_export_id: String,
}

/// Handles one event: a batch of the dead-letter queue, or anything else as the schedule.
///
/// # Errors
///
/// The exports that are due cannot be read. An export that cannot be reconciled is logged, and looked at again a minute later.
pub async fn handle(reconciler: &Reconciler, event: Value, now: DateTime<Utc>) -> Result<Value, AwsError> {
    if event.get("Records").is_some() {
        let batch =
            serde_json::from_value(event).map_err(|error| AwsError::internal("dead letters", &error))?;
        let response = handle_dead_letters(reconciler, batch, now).await;
        return serde_json::to_value(response).map_err(|error| AwsError::internal("dead letters", &error));
    }
    let due = reconciler.exports.due(now).await?;
    for id in &due {
        if let Err(error) = reconcile(reconciler, id, now).await {
            tracing::error!(data_export_id = id, error = %error, "export {id} is not reconciled yet: {error}");
        }
    }
    if !due.is_empty() {
        tracing::info!(exports = due.len(), "looked at {} exports that were due", due.len());
    }
    Ok(json!({"exports": due.len()}))
}

async fn handle_dead_letters(
    reconciler: &Reconciler,
    batch: SqsEvent,
    now: DateTime<Utc>,
) -> SqsBatchResponse {
    let mut response = SqsBatchResponse::default();
    for message in batch.records {
        if !is_done(reconciler, &message, now).await {
            let mut failure = BatchItemFailure::default();
            failure.item_identifier = message.message_id.unwrap_or_default();
            response.batch_item_failures.push(failure);
        }
    }
    response
}

/// Whether a dead letter can be deleted.
async fn is_done(reconciler: &Reconciler, message: &SqsMessage, now: DateTime<Utc>) -> bool {
    let body = message.body.as_deref().unwrap_or_default();
    let Ok(Message { data_export_id: id }) = serde_json::from_str(body) else {
        let message_id = message.message_id.as_deref().unwrap_or_default();
        tracing::error!(message_id, "message {message_id} in the dead-letter queue names no export");
        hide(reconciler, message).await;
        return false;
    };
    match reconcile(reconciler, &id, now).await {
        Ok(()) => true,
        Err(error) => {
            tracing::error!(data_export_id = id, error = %error, "export {id} is not reconciled yet: {error}");
            false
        }
    }
}

async fn hide(reconciler: &Reconciler, message: &SqsMessage) {
    let Some(receipt_handle) = &message.receipt_handle else { return };
    let hidden = reconciler
        .queue
        .client
        .change_message_visibility()
        .queue_url(&reconciler.dead_letter_queue_url)
        .receipt_handle(receipt_handle)
        .visibility_timeout(i32::try_from(HIDE_GARBAGE.as_secs()).unwrap_or(i32::MAX))
        .send()
        .await;
    if let Err(error) = hidden.map_err(AwsError::from_sdk("sqs:ChangeMessageVisibility")) {
        tracing::warn!(error = %error, "a dead letter comes again soon: {error}");
    }
}

/// Makes an export go on if nobody works on it.
async fn reconcile(
    reconciler: &Reconciler,
    data_export_id: &str,
    now: DateTime<Utc>,
) -> Result<(), AwsError> {
    let Some(export) = reconciler.exports.get(data_export_id).await? else {
        tracing::warn!(data_export_id, "there is no export {data_export_id}");
        return Ok(());
    };
    if export.unsettled.is_none() {
        return Ok(());
    }
    if let Some(until) = export.lease_until.filter(|until| *until > now) {
        reconciler.exports.postpone_check(&export, until + CHECK_AFTER_LEASE, export.resends).await?;
        return Ok(());
    }
    if !export.state.is_final() && now - export.last_progress_ts() > GIVE_UP_AFTER {
        return give_up(reconciler, &export, now).await;
    }
    // First the time of the next look: of two reconcilers at the same time one sends the message.
    let next = now + RESEND_INTERVAL * 2_i32.pow(export.resends.min(MAX_DOUBLINGS));
    if reconciler.exports.postpone_check(&export, next, export.resends + 1).await? {
        tracing::warn!(data_export_id, "sending the message of export {data_export_id} again");
        if !export.waits_for_turn() {
            metrics::count(Metric::ReconcilerFinds, &export, now);
        }
        reconciler.queue.send(&export).await?;
    }
    Ok(())
}

async fn give_up(reconciler: &Reconciler, export: &DataExport, now: DateTime<Utc>) -> Result<(), AwsError> {
    let Reconciler { exports, directory, mailer, .. } = reconciler;
    let Some(failed) = exports.give_up(export, &Failure::new(FailureReason::GivenUp, GIVEN_UP), now).await?
    else {
        return Ok(());
    };
    let id = &failed.data_export_id;
    tracing::error!(data_export_id = id, "export {id} made no progress for too long and is FAILED");
    // The worker would tell the owner too, but it may be what is broken.
    notification::notify_owner(mailer, directory, exports, &failed, now).await?;
    reconciler.queue.send(&failed).await
}
