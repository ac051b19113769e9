//! Cancels an export for its owner. The API and the settings page both cancel through this module.

use super::DataExport;
use super::queue::ExportQueue;
use super::store::Exports;
use crate::audit::AuditTrail;
use crate::audit::event::EventType;
use crate::auth::Caller;
use crate::auth::attempt::Attempt;
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
    audit_trail: &AuditTrail,
    caller: &Caller,
    data_export_id: &str,
    attempt: &Attempt,
) -> Result<DataExport, RequestError> {
    let mut export = exports.get_owned_by(caller, data_export_id).await?;
    if !export.state.is_final() {
        export = exports.cancel(data_export_id, attempt.now).await?.unwrap_or(export);
        queue.send_if_possible(&export).await;
    }
    if !export.is_cancelled() {
        return Err(refusal::finished_already(export.state.name()).into());
    }
    // Also of a repetition: the process may have died before it recorded the first one.
    let event = attempt.event(caller, EventType::ExportCancelled);
    let cancelled_ts = export.finished_ts.unwrap_or(attempt.now);
    audit_trail.record(&event.only_one_of_export(data_export_id, cancelled_ts)).await?;
    Ok(export)
}
