//! What is left to do for a finished export: the email, and deleting what nobody needs.

use chrono::{DateTime, Utc};
use usage_export::error::AwsError;
use usage_export::export::{DataExport, State};

use crate::Worker;
use crate::sink::leftovers;

/// Until when a worker may still write a segment of an export that failed. Those of a completed one are complete.
///
/// # Errors
///
/// The segments could not be read.
pub async fn segments_leased_until(
    worker: &Worker,
    finished: &DataExport,
    now: DateTime<Utc>,
) -> Result<Option<DateTime<Utc>>, AwsError> {
    if finished.unsettled.is_none() || finished.state == State::Completed {
        return Ok(None);
    }
    worker.exports.segments_leased_until(finished, now).await
}

/// Does what is left to do for a finished export: the email, and deleting what nobody needs. Each step can be repeated.
///
/// # Errors
///
/// A step failed; what is left to do is recorded still.
pub async fn settle(worker: &Worker, finished: &DataExport) -> Result<(), AwsError> {
    if finished.unsettled.is_none() {
        return Ok(());
    }
    let Worker { mailer, directory, exports, .. } = worker;
    notification::notify_owner(mailer, directory, exports, finished, (worker.clock)()).await?;
    if !finished.is_one_request() {
        leftovers::delete(&worker.bucket, finished).await?;
    }
    let id = &finished.data_export_id;
    if worker.exports.settle(id).await? {
        return Ok(());
    }
    Err(AwsError::unexpected(id, "the claim of its email was given back"))
}
