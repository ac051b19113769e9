//! Cancels an export for its owner. The API and the settings page both cancel through this module.

use chrono::{DateTime, Utc};

use super::DataExport;
use super::queue::ExportQueue;
use super::store::Exports;
use crate::auth::Caller;
use crate::problem::{RequestError, refusal};

/// Cancels an unfinished export of the caller and returns it as it is now. A repetition returns the same.
///
/// A worker that makes the file stops within seconds. The message lets a worker send the email and delete what the export
/// leaves behind; if it is not sent, the reconciler sends it.
///
/// # Errors
///
/// 404 if there is no such export, 403 if it is another user's, 409 if it is finished. An internal error if the table cannot
/// be reached; the export may be cancelled.
pub async fn cancel(
    exports: &Exports,
    queue: &ExportQueue,
    caller: &Caller,
    data_export_id: &str,
    now: DateTime<Utc>,
) -> Result<DataExport, RequestError> {
    let mut export = exports.get_owned_by(caller, data_export_id).await?;
    if !export.state.is_final() {
        export = exports.cancel(data_export_id, now).await?.unwrap_or(export);
        queue.send_if_possible(&export).await;
    }
    if !export.is_cancelled() {
        return Err(refusal::finished_already(export.state).into());
    }
    Ok(export)
}
