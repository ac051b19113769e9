//! Processes one message: claims its export, makes the file ([`pipeline`]), finishes the export and notifies the export owner.
//!
//! A message may be delivered twice, at the same time, or after its worker died. Whatever happens, an export ends in one
//! state, and the export owner gets at most one email.

use std::time::Duration;

use usage_export::export::store::lease::{Claim, LeaseError};
use usage_export::export::{DataExport, created_ts_of_id};

use crate::job::pipeline::PipelineError;
use crate::{Disposition, Worker, notify};

pub mod pipeline;
pub mod plan;

/// How many workers may claim an export before it becomes FAILED. A worker that was killed counts.
pub const MAX_ATTEMPTS: u32 = 5;

/// The longest delay of a redelivery.
const MAX_DELAY: Duration = Duration::from_mins(15);

/// How long after the end of a lease the message of a busy export is delivered again.
const DELAY_AFTER_LEASE: Duration = Duration::from_secs(2);

/// Processes one message for the worker `lease_owner`. `receives` is how many times the message was delivered, this time
/// included.
pub async fn process(worker: &Worker, data_export_id: &str, lease_owner: &str, receives: u32) -> Disposition {
    let id = data_export_id;
    let now = (worker.clock)();
    let claim = match created_ts_of_id(id) {
        Some(_) => worker.exports.claim(id, lease_owner, now).await,
        // Other items share the table, and DynamoDB refuses an empty key: only the id of an export may reach it.
        None => Ok(Claim::Unknown),
    };
    let finished = match claim {
        Ok(Claim::Claimed(export)) => match execute(worker, *export, lease_owner).await {
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
            return Disposition::Retry(delay(receives));
        }
    };
    match notify::notify_owner(worker, &finished).await {
        Ok(()) => Disposition::Acknowledge,
        Err(error) => {
            tracing::error!(data_export_id = id, error = %error, "no email for export {id} yet: {error}");
            Disposition::Retry(delay(receives))
        }
    }
}

/// Runs a claimed export to its final state. The error says when its message is to be delivered again.
async fn execute(worker: &Worker, export: DataExport, lease_owner: &str) -> Result<DataExport, Disposition> {
    let id = &export.data_export_id;
    let attempts = export.attempts;
    if attempts > MAX_ATTEMPTS {
        tracing::error!(data_export_id = id, attempts, "export {id} was claimed {attempts} times");
        return fail(worker, &export, lease_owner, "The export was interrupted too often.").await;
    }
    let error = match pipeline::run(worker, &export, lease_owner).await {
        Ok(completed) => {
            let now = (worker.clock)();
            return worker
                .exports
                .complete(id, lease_owner, &completed, now)
                .await
                .map_err(|error| lost(id, &error));
        }
        Err(error) => error,
    };
    match error {
        PipelineError::Lease(error) => Err(lost(id, &error)),
        PipelineError::Permanent { reason, cause } => {
            tracing::error!(data_export_id = id, cause, "export {id} cannot be made: {cause}");
            fail(worker, &export, lease_owner, reason).await
        }
        PipelineError::Aws(error) if attempts >= MAX_ATTEMPTS => {
            tracing::error!(data_export_id = id, attempts, error = %error, "export {id} failed for good: {error}");
            fail(
                worker,
                &export,
                lease_owner,
                "The export could not be finished because of a technical problem on our side.",
            )
            .await
        }
        PipelineError::Aws(error) => {
            tracing::warn!(data_export_id = id, attempts, error = %error, "export {id} will be tried again: {error}");
            if let Err(error) = worker.exports.release(id, lease_owner).await {
                return Err(lost(id, &error));
            }
            Err(Disposition::Retry(delay(attempts)))
        }
    }
}

async fn fail(
    worker: &Worker,
    export: &DataExport,
    lease_owner: &str,
    reason: &str,
) -> Result<DataExport, Disposition> {
    let id = &export.data_export_id;
    let failed = worker.exports.fail(id, lease_owner, reason, (worker.clock)()).await;
    failed.map_err(|error| lost(id, &error))
}

/// After a step that may not have taken place. The redelivered message reads the export's state.
fn lost(data_export_id: &str, error: &LeaseError) -> Disposition {
    tracing::warn!(data_export_id, error = %error, "a step of export {data_export_id} did not take place: {error}");
    Disposition::Retry(Duration::from_secs(10))
}

/// The delay after so many failures: 5, 10, 20 … seconds.
fn delay(failures: u32) -> Duration {
    Duration::from_secs(5 << failures.saturating_sub(1).min(10)).min(MAX_DELAY)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_grow_and_end() {
        assert_eq!(delay(0).as_secs(), 5);
        assert_eq!(delay(1).as_secs(), 5);
        assert_eq!(delay(3).as_secs(), 20);
        assert_eq!(delay(u32::MAX), MAX_DELAY);
    }
}
