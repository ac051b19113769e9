//! Whose turn it is: of each organization at most so many exports run at the same time, so that one with many or huge exports leaves
//! workers to the others. Further exports wait without a message.
//!
//! Whoever finishes an export sends the message of the one that has waited longest. Should it die before, the reconciler sends the
//! messages of those that wait every few minutes.

use std::time::Duration;

use chrono::{DateTime, Utc};
use usage_export::error::AwsError;
use usage_export::export::DataExport;
use usage_export::export::store::lease::Claim;

use crate::{Disposition, Worker};

/// After which time the message of an export comes again that another worker has just begun or finished.
const DELAY: Duration = Duration::from_secs(5);

/// What a worker may do with the export of its message.
#[derive(Debug)]
pub enum Turn {
    /// Only what is known without a claim: it is finished, another worker has it, or there is none.
    Known(Claim),
    /// It runs, and can be claimed.
    Runs,
    /// It has to wait. This becomes of its message.
    Waits(Disposition),
}

/// Finds out whether it is an export's turn, and lets it run then.
///
/// # Errors
///
/// A call failed. The export may run; it is then finished by whoever gets its message next.
pub async fn take(worker: &Worker, data_export_id: &str, now: DateTime<Utc>) -> Result<Turn, AwsError> {
    let Some(export) = worker.exports.get(data_export_id).await? else {
        return Ok(Turn::Known(Claim::Unknown));
    };
    // What is finished is settled whether there is room or not.
    if export.state.is_final() {
        return Ok(Turn::Known(Claim::Finished(Box::new(export))));
    }
    if let Some(until) = export.lease_until.filter(|until| *until > now) {
        return Ok(Turn::Known(Claim::Busy(until)));
    }
    if worker.exports.start(&export, worker.max_running).await? {
        return Ok(Turn::Runs);
    }
    if worker.exports.wait(&export, now).await? {
        tracing::info!(data_export_id, "export {data_export_id} waits for another one of its organization");
        return Ok(Turn::Waits(Disposition::Acknowledge));
    }
    Ok(Turn::Waits(Disposition::Retry(DELAY)))
}

/// Ends the turn of a finished export, and sends the messages of those that have waited longest and for which there is room now.
/// Repeating it sends them again, which does no harm: whoever died here may not have sent them.
///
/// # Errors
///
/// The turn did not end. A message that cannot be sent is left to the reconciler.
pub async fn pass_on(worker: &Worker, finished: &DataExport) -> Result<(), AwsError> {
    let active = worker.exports.release_slot(finished).await?;
    for id in active.next(worker.max_running) {
        tracing::info!(data_export_id = id, "it is the turn of export {id}");
        worker.queue.send_id_if_possible(&finished.organization_id, id).await;
    }
    Ok(())
}
