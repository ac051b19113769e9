//! Parts of the page about the caller's own exports: pages of their history, and one export.

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use usage_export::auth::Caller;
use usage_export::export::document::Document;
use usage_export::export::submit::Submitter;
use usage_export::export::{DataExport, State as ExportState, created_ts_of_id};
use usage_export::problem::{Problem, RequestError};

use crate::error::PageError;
use crate::path::PAGE;
use crate::request::{Captured, is_fragment, parameter};
use crate::response::{html, redirect, see_other};
use crate::session::SignedIn;
use crate::state::AppState;
use crate::views::details::{Details, DetailsPage, MAX_LISTED};
use crate::views::history::{HistoryPage, Progress, Row};

/// The history page after a cursor, for htmx to append. A browser without JavaScript goes to the whole page instead.
pub(super) async fn history(
    State(state): State<Arc<AppState>>,
    SignedIn(caller): SignedIn,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, PageError> {
    let cursor = parameter(query.as_deref(), "cursor").unwrap_or_default();
    if !is_fragment(&headers) {
        let cursor: String = form_urlencoded::byte_serialize(cursor.as_bytes()).collect();
        return see_other(&format!("{PAGE}?cursor={cursor}#history"));
    }
    if created_ts_of_id(&cursor).is_none() {
        return Err(Problem::field("cursor", "is not that of an earlier page").into());
    }
    let (exports, next) =
        state.exports.history(&caller.organization_id, &caller.user_id, Some(&cursor)).await?;
    html(StatusCode::OK, &HistoryPage::new(&exports, next, state.now()))
}

/// One export as a row of the history: the export that an email links to, when it is not on the newest history page.
pub(super) async fn row(
    State(state): State<Arc<AppState>>,
    SignedIn(caller): SignedIn,
    Captured(data_export_id): Captured,
) -> Result<Response, PageError> {
    let export = own_export(&state, &caller, &data_export_id).await?;
    html(StatusCode::OK, &Row::new(&export, state.now()))
}

/// The part of a row that changes. An open page asks for it until the export is finished.
pub(super) async fn progress(
    State(state): State<Arc<AppState>>,
    SignedIn(caller): SignedIn,
    Captured(data_export_id): Captured,
) -> Result<Response, PageError> {
    let export = own_export(&state, &caller, &data_export_id).await?;
    let mut progress = Progress::new(&export, state.now());
    // Only a page that showed the export as unfinished asks for this, so a final state is news to its reader.
    progress.announce = export.state.is_final();
    html(StatusCode::OK, &progress)
}

/// What an export was asked for: as a part of the page, or as a whole page for a browser without JavaScript.
pub(super) async fn details(
    State(state): State<Arc<AppState>>,
    SignedIn(caller): SignedIn,
    Captured(data_export_id): Captured,
    headers: HeaderMap,
) -> Result<Response, PageError> {
    let export = own_export(&state, &caller, &data_export_id).await?;
    let ids = state.exports.named_ids(&export).await?.unwrap_or_default();
    let named = ids.workspace_ids.iter().take(MAX_LISTED).cloned().collect();
    let workspaces = state.directory.workspaces_of(&caller.organization_id, &named).await?;
    let details = Details::new(&export, &ids, |id| Some(workspaces.get(id)?.name.clone()));
    if is_fragment(&headers) {
        return html(StatusCode::OK, &details);
    }
    html(StatusCode::OK, &DetailsPage::new(&caller, &export, details, state.now()))
}

/// Cancels an export. An open page gets the part of the row that changes; a browser without JavaScript the whole page.
pub(super) async fn cancel(
    State(state): State<Arc<AppState>>,
    SignedIn(caller): SignedIn,
    Captured(data_export_id): Captured,
    headers: HeaderMap,
) -> Result<Response, PageError> {
    own_export(&state, &caller, &data_export_id).await?;
    let Submitter { exports, queue, .. } = &state.submitter;
    let cancelled =
        usage_export::export::cancel::cancel(exports, queue, &caller, &data_export_id, state.now()).await;
    let export = match cancelled {
        Ok(export) => export,
        // It finished meanwhile, and the row says so.
        Err(RequestError::Refused(problem)) if problem.status == StatusCode::CONFLICT => {
            own_export(&state, &caller, &data_export_id).await?
        }
        Err(error) => return Err(error.into()),
    };
    if !is_fragment(&headers) {
        return see_other(&format!("{PAGE}#export-{data_export_id}"));
    }
    let mut progress = Progress::new(&export, state.now());
    progress.announce = true;
    html(StatusCode::OK, &progress)
}

/// Sends the browser to the file, by a URL that is signed now and is valid for minutes.
pub(super) async fn download(
    State(state): State<Arc<AppState>>,
    SignedIn(caller): SignedIn,
    Captured(data_export_id): Captured,
) -> Result<Response, PageError> {
    let export = completed_export(&state, &caller, &data_export_id).await?;
    redirect(StatusCode::FOUND, &state.files.presign(&Document::file(&export, state.now())?).await?)
}

/// Sends the browser to the manifest of the file, likewise.
pub(super) async fn manifest(
    State(state): State<Arc<AppState>>,
    SignedIn(caller): SignedIn,
    Captured(data_export_id): Captured,
) -> Result<Response, PageError> {
    let export = completed_export(&state, &caller, &data_export_id).await?;
    redirect(StatusCode::FOUND, &state.files.presign(&Document::manifest(&export, state.now())?).await?)
}

/// The caller's export, if it has a file.
async fn completed_export(
    state: &AppState,
    caller: &Caller,
    data_export_id: &str,
) -> Result<DataExport, PageError> {
    let export = own_export(state, caller, data_export_id).await?;
    if export.state != ExportState::Completed {
        let detail = format!("There is no file: this export is {}.", export.state.name());
        return Err(Problem::new(StatusCode::NOT_FOUND, detail).into());
    }
    Ok(export)
}

/// The caller's export. A refusal is told in the page's words, because its reader did not type a `data_export_id`.
async fn own_export(
    state: &AppState,
    caller: &Caller,
    data_export_id: &str,
) -> Result<DataExport, PageError> {
    let detail = |status| match status {
        StatusCode::FORBIDDEN => "This export belongs to another user.",
        _ => "There is no such export: its address may be incomplete.",
    };
    let found = state.exports.get_owned_by(caller, data_export_id).await;
    found.map_err(|error| match error {
        RequestError::Refused(problem) => Problem::new(problem.status, detail(problem.status)).into(),
        RequestError::Internal(_) => error.into(),
    })
}
