//! One message: claim its export, run it, finish it, tell its owner.
//!
//! A message may come twice, at the same time, or after its worker died. Whatever happens, an export ends in one state
//! and is told of once.

use std::time::Duration;

use usage_export::export::DataExport;
use usage_export::export::store::lease::{Claim, LeaseError};

use crate::run::{RunError, run};
use crate::{Disposition, Worker, notify};

/// How many times a worker takes an export before it is FAILED. A worker that was killed counts.
pub const MAX_ATTEMPTS: u32 = 5;

/// The longest pause before a message is delivered again.
const MAX_PAUSE: Duration = Duration::from_mins(15);

/// How long after a lease ran out its message comes again.
const AFTER_LEASE: Duration = Duration::from_secs(2);

/// Processes one message. `receives` is how often it was delivered.
pub async fn process(worker: &Worker, data_export_id: &str, owner: &str, receives: u32) -> Disposition {
    let id = data_export_id;
    let now = (worker.clock)();
    let finished = match worker.exports.claim(id, owner, now).await {
        Ok(Claim::Claimed(export)) => match execute(worker, *export, owner).await {
            Ok(finished) => finished,
            Err(disposition) => return disposition,
        },
        Ok(Claim::Finished(export)) => *export,
        Ok(Claim::Busy(until)) => {
            tracing::info!(data_export_id = id, "another worker has export {id}");
            let left = (until - now).to_std().unwrap_or_default();
            return Disposition::Again((left + AFTER_LEASE).min(MAX_PAUSE));
        }
        Ok(Claim::Unknown) => {
            tracing::warn!(data_export_id = id, "there is no export {id}");
            return Disposition::Acknowledge;
        }
        Err(error) => {
            tracing::error!(data_export_id = id, error = %error, "export {id} cannot be claimed: {error}");
            return Disposition::Again(pause(receives));
        }
    };
    match notify::tell(worker, &finished).await {
        Ok(()) => Disposition::Acknowledge,
        Err(error) => {
            tracing::error!(data_export_id = id, error = %error, "no email for export {id} yet: {error}");
            Disposition::Again(pause(receives))
        }
    }
}

/// Runs a claimed export to its final state, or says when it is to be tried again.
async fn execute(worker: &Worker, export: DataExport, owner: &str) -> Result<DataExport, Disposition> {
    let id = &export.data_export_id;
    let attempts = export.attempts;
    if attempts > MAX_ATTEMPTS {
        tracing::error!(data_export_id = id, attempts, "export {id} was taken {attempts} times");
        return fail(worker, &export, owner, "The export was interrupted too often.").await;
    }
    let error = match run(worker, &export, owner).await {
        Ok(completed) => {
            let now = (worker.clock)();
            return worker
                .exports
                .complete(id, owner, &completed, now)
                .await
                .map_err(|error| lost(id, &error));
        }
        Err(error) => error,
    };
    match error {
        RunError::Lease(error) => Err(lost(id, &error)),
        RunError::Permanent { reason, cause } => {
            tracing::error!(data_export_id = id, cause, "export {id} cannot be made: {cause}");
            fail(worker, &export, owner, reason).await
        }
        RunError::Aws(error) if attempts >= MAX_ATTEMPTS => {
            tracing::error!(data_export_id = id, attempts, error = %error, "export {id} failed for good: {error}");
            fail(
                worker,
                &export,
                owner,
                "The export could not be finished because of a technical problem on our side.",
            )
            .await
        }
        RunError::Aws(error) => {
            tracing::warn!(data_export_id = id, attempts, error = %error, "export {id} will be tried again: {error}");
            if let Err(error) = worker.exports.release(id, owner).await {
                return Err(lost(id, &error));
            }
            Err(Disposition::Again(pause(attempts)))
        }
    }
}

async fn fail(
    worker: &Worker,
    export: &DataExport,
    owner: &str,
    reason: &str,
) -> Result<DataExport, Disposition> {
    let id = &export.data_export_id;
    let failed = worker.exports.fail(id, owner, reason, (worker.clock)()).await;
    failed.map_err(|error| lost(id, &error))
}

/// A step that did not take place: the message comes again and finds out how the export stands.
fn lost(data_export_id: &str, error: &LeaseError) -> Disposition {
    tracing::warn!(data_export_id, error = %error, "export {data_export_id} is not ours any more: {error}");
    Disposition::Again(Duration::from_secs(10))
}

/// The pause before the next try: 5, 10, 20 … seconds.
fn pause(tries: u32) -> Duration {
    Duration::from_secs(5 << tries.saturating_sub(1).min(10)).min(MAX_PAUSE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_end() {
        assert_eq!(pause(0).as_secs(), 5);
        assert_eq!(pause(1).as_secs(), 5);
        assert_eq!(pause(3).as_secs(), 20);
        assert_eq!(pause(u32::MAX), MAX_PAUSE);
    }
}
