//! Processes one message: claims its export, makes the file ([`pipeline`]) while it keeps the export
//! ([`heartbeat`]), finishes the export and notifies the export owner.
//!
//! A message may be delivered twice, at the same time, or after its worker died. Whatever happens, an export ends in one
//! state, and the export owner gets at most one email.

use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::sync::watch;
use usage_export::error::AwsError;
use usage_export::export::store::lease::{Claim, Lease, LeaseError, Progress};
use usage_export::export::{DataExport, Failure};
use uuid::Uuid;

use crate::job::attempts::{MAX_ATTEMPTS, MAX_DELAY, delay, interrupted, technical_problem};
use crate::job::board::Board;
use crate::job::error::PipelineError;
use crate::job::handover::Handover;
use crate::job::meter::Meter;
use crate::job::pipeline::Outcome;
use crate::job::progress::Reading;
use crate::job::settle::{segments_leased_until, settle};
use crate::job::setup::Setup;
use crate::job::turn::Turn;
use crate::{Delivery, Disposition, Worker};

pub mod attempts;
pub mod board;
pub mod density;
pub mod error;
pub mod handover;
pub mod heartbeat;
pub mod invited;
pub mod lanes;
pub mod manifest;
pub mod meter;
pub mod piece;
pub mod pipeline;
pub mod progress;
pub mod reader;
pub mod segment;
pub mod settle;
pub mod setup;
pub mod share;
pub mod stored_plan;
pub mod turn;
pub mod writer;

/// How long after the end of a lease the message of a busy export is delivered again.
const DELAY_AFTER_LEASE: Duration = Duration::from_secs(2);

/// Processes one message.
pub async fn process(worker: &Worker, data_export_id: &str, delivery: &Delivery<'_>) -> Disposition {
    let id = data_export_id;
    let now = (worker.clock)();
    let lease_owner = Uuid::new_v4().to_string();
    let claim = match turn::take(worker, id, now).await {
        Ok(Turn::Runs) => worker.exports.claim(id, &lease_owner, now).await,
        Ok(Turn::Known(claim)) => Ok(claim),
        Ok(Turn::Waits(disposition)) => return disposition,
        Err(error) => Err(error),
    };
    let finished = match claim {
        Ok(Claim::Claimed(export)) => match Box::pin(execute(worker, *export, delivery)).await {
            Ok(finished) => finished,
            Err(disposition) => return disposition,
        },
        Ok(Claim::Finished(export)) => *export,
        Ok(Claim::Busy(until)) => {
            tracing::info!(data_export_id = id, "another worker holds the lease of export {id}");
            let left = (until - now).to_std().unwrap_or_default();
            return Disposition::Retry((left + DELAY_AFTER_LEASE).min(MAX_DELAY));
        }
        Ok(Claim::Unknown) => {
            tracing::warn!(data_export_id = id, "there is no export {id}");
            return Disposition::Acknowledge;
        }
        Err(error) => {
            tracing::error!(data_export_id = id, error = %error, "export {id} cannot be claimed: {error}");
            return Disposition::Retry(delay(delivery.receives));
        }
    };
    if let Err(error) = turn::pass_on(worker, &finished).await {
        tracing::error!(data_export_id = id, error = %error, "export {id} is finished but still has its slot: {error}");
        return Disposition::Retry(delay(delivery.receives));
    }
    let now = (worker.clock)();
    if let Some(until) = finished.lease_until.filter(|until| *until > now) {
        // It was cancelled, and its worker has not noticed yet: what it leaves behind is deleted after that.
        return Disposition::Retry((until - now).to_std().unwrap_or_default() + DELAY_AFTER_LEASE);
    }
    match segments_leased_until(worker, &finished, now).await {
        Ok(None) => {}
        // The same with workers that read its segments.
        Ok(Some(until)) => {
            return Disposition::Retry((until - now).to_std().unwrap_or_default() + DELAY_AFTER_LEASE);
        }
        Err(error) => {
            tracing::error!(data_export_id = id, error = %error, "the segments of export {id} cannot be read: {error}");
            return Disposition::Retry(delay(delivery.receives));
        }
    }
    match settle(worker, &finished).await {
        Ok(()) => Disposition::Acknowledge,
        Err(error) => {
            tracing::error!(data_export_id = id, error = %error, "export {id} is finished but not settled yet: {error}");
            Disposition::Retry(delay(delivery.receives))
        }
    }
}

/// Runs a claimed export to its final state. The error says what becomes of its message if it does not get there.
async fn execute(
    worker: &Worker,
    export: DataExport,
    delivery: &Delivery<'_>,
) -> Result<DataExport, Disposition> {
    let (id, lease) = (&export.data_export_id, &Lease::of(&export));
    let attempts = export.attempts;
    if attempts > MAX_ATTEMPTS {
        tracing::error!(
            data_export_id = id,
            attempts,
            "export {id} was claimed {attempts} times without progress"
        );
        return fail(worker, lease, &interrupted()).await;
    }
    // On the heap, because it is large and moves through the futures around it.
    let made = Box::pin(make(worker, &export, lease, delivery.deadline));
    match heartbeat::keep_hidden(worker, delivery, made).await {
        Ok(Outcome::Completed(completed)) => {
            let completed = worker.exports.complete(lease, &completed, (worker.clock)()).await;
            finished(worker, lease, completed).await
        }
        Ok(Outcome::HandedOver) => Err(hand_over(worker, &export, lease).await),
        Err(PipelineError::LeaseLost) => give_up_cancelled(worker, lease).await,
        Err(PipelineError::Permanent { failure, cause }) => {
            tracing::error!(data_export_id = id, cause, "export {id} cannot be made: {cause}");
            fail(worker, lease, &failure).await
        }
        Err(PipelineError::Aws(error)) => retry_or_fail(worker, &export, lease, error).await,
    }
}

/// Makes the file of a claimed export, while its lease is renewed. However that ends, segments that this worker reads are given back.
async fn make(
    worker: &Worker,
    export: &DataExport,
    lease: &Lease,
    deadline: DateTime<Utc>,
) -> Result<Outcome, PipelineError> {
    let before = Progress { percent: export.progress, rows: export.row_count };
    let (told, watched) = watch::channel(Reading::new(before));
    let handover = Handover::before(deadline, worker);
    let board = Board::new(export.next_segment.clone());
    let meter = Meter::begin(&worker.bucket.requests);
    let work = async {
        let setup = Setup::of_owner(worker, export, &meter).await?;
        Box::pin(pipeline::run(&setup, &board, handover, &told)).await
    };
    let outcome = heartbeat::keep_lease(worker, lease, &watched, Box::pin(work)).await;
    segment::release_all(worker, &board).await;
    if !matches!(outcome, Ok(Outcome::Completed(_))) {
        worker.exports.add_cost(&export.data_export_id, meter.cost()).await;
    }
    outcome
}

/// Lets another worker go on from the checkpoint that was just saved. If the message cannot be sent, this one comes again.
async fn hand_over(worker: &Worker, export: &DataExport, lease: &Lease) -> Disposition {
    let id = &export.data_export_id;
    if let Err(error) = worker.exports.release(lease, (worker.clock)()).await {
        return lost(id, &error);
    }
    match worker.queue.send(export).await {
        Ok(()) => {
            tracing::info!(data_export_id = id, "export {id} goes on in another worker");
            Disposition::Acknowledge
        }
        Err(error) => {
            tracing::warn!(data_export_id = id, error = %error, "the continuation of export {id} waits: {error}");
            Disposition::Retry(Duration::from_secs(1))
        }
    }
}

/// After a call that failed: the lease is released for the next attempt, if there is one.
async fn retry_or_fail(
    worker: &Worker,
    export: &DataExport,
    lease: &Lease,
    error: AwsError,
) -> Result<DataExport, Disposition> {
    let id = &export.data_export_id;
    // This worker may have made progress, and then the attempts are counted anew.
    let attempts = match worker.exports.get(id).await {
        Ok(Some(current)) => current.attempts,
        _ => export.attempts,
    };
    if attempts >= MAX_ATTEMPTS {
        tracing::error!(data_export_id = id, attempts, error = %error, "export {id} failed for good: {error}");
        return fail(worker, lease, &technical_problem()).await;
    }
    tracing::warn!(data_export_id = id, attempts, error = %error, "export {id} will be tried again: {error}");
    let delay = delay(attempts);
    let next: DateTime<Utc> = (worker.clock)() + delay;
    if let Err(error) = worker.exports.release(lease, next).await {
        return Err(lost(id, &error));
    }
    Err(Disposition::Retry(delay))
}

async fn fail(worker: &Worker, lease: &Lease, failure: &Failure) -> Result<DataExport, Disposition> {
    let failed = worker.exports.fail(lease, failure, (worker.clock)()).await;
    finished(worker, lease, failed).await
}

/// After the last step. The export may have been cancelled just before: then its lease is given up.
async fn finished(
    worker: &Worker,
    lease: &Lease,
    step: Result<DataExport, LeaseError>,
) -> Result<DataExport, Disposition> {
    let export = step.map_err(|error| lost(&lease.key, &error))?;
    if export.lease_owner.as_ref() == Some(&lease.owner) {
        return give_up_cancelled(worker, lease).await;
    }
    Ok(export)
}

/// After the lease was lost: because the export was cancelled, or because another worker has it.
async fn give_up_cancelled(worker: &Worker, lease: &Lease) -> Result<DataExport, Disposition> {
    let id = &lease.key;
    match worker.exports.give_up_cancelled(lease).await {
        Ok(Some(cancelled)) => {
            tracing::info!(data_export_id = id, "export {id} was cancelled");
            Ok(cancelled)
        }
        Ok(None) => Err(lost(id, &LeaseError::Lost)),
        Err(error) => Err(lost(id, &error.into())),
    }
}

/// After a step that may not have taken place. The redelivered message reads the export's state.
fn lost(data_export_id: &str, error: &LeaseError) -> Disposition {
    tracing::warn!(data_export_id, error = %error, "a step of export {data_export_id} did not take place: {error}");
    Disposition::Retry(Duration::from_secs(10))
}
