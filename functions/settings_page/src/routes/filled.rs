//! Forms that are filled from what was asked for before.

use axum::http::StatusCode;
use usage_export::auth::Caller;
use usage_export::directory::saved_export::SavedExport;
use usage_export::problem::Problem;

use super::exports;
use crate::error::PageError;
use crate::form::ExportForm;
use crate::state::AppState;
use crate::views::form::first_day;

/// The form of an earlier export of the organization.
pub(super) async fn from_export(
    state: &AppState,
    caller: &Caller,
    data_export_id: &str,
) -> Result<ExportForm, PageError> {
    let export = exports::found(state, caller, data_export_id).await?;
    Ok(ExportForm::from_export(&export, state.exports.named_ids(&export).await?))
}

/// A saved export and its form.
pub(super) async fn from_saved(
    state: &AppState,
    caller: &Caller,
    id: &str,
) -> Result<(SavedExport, ExportForm), PageError> {
    let (saved, workspaces) = tokio::try_join!(
        state.directory.saved_export(&caller.organization_id, id),
        state.directory.all_workspaces(&caller.organization_id),
    )?;
    let Some((saved, json)) = saved else {
        let detail = "There is no such saved export: somebody may have deleted it.";
        return Err(Problem::new(StatusCode::NOT_FOUND, detail).into());
    };
    let form = ExportForm::from_saved(&json, state.now(), first_day(&workspaces))?;
    Ok((saved, form))
}
