//! One export of the organization.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use chrono::{DateTime, Utc};
use usage_export::audit::event::{Event, EventType};
use usage_export::audit::read::{Purpose, Selection};
use usage_export::auth::Caller;
use usage_export::auth::attempt::Attempt;
use usage_export::export::document::Document;
use usage_export::export::manifest::Manifest;
use usage_export::export::submit::Submitter;
use usage_export::export::{DataExport, State as ExportState};
use usage_export::problem::{Problem, RequestError};

use crate::error::PageError;
use crate::path::PAGE;
use crate::request::Captured;
use crate::response::{html, redirect, see_other};
use crate::routes::audit::name_of;
use crate::routes::history::rows;
use crate::session::SignedIn;
use crate::state::AppState;
use crate::views::details::{Details, DetailsPage, Downloads, MAX_LISTED};
use crate::views::row::Status;

/// The largest manifest from which charts are drawn, in bytes: that of some 20,000 workspaces. A larger one can be downloaded.
const MAX_MANIFEST_BYTES: u64 = 4 * 1024 * 1024;

/// What an export was asked for and what came of it. The script takes the same page for its drawer.
pub(super) async fn details(
    State(state): State<Arc<AppState>>,
    SignedIn(caller): SignedIn,
    Captured(data_export_id): Captured,
) -> Result<Response, PageError> {
    let now = state.now();
    let export = found(&state, &caller, &data_export_id).await?;
    let mut row = rows(&state, &caller, std::slice::from_ref(&export), now).await?;
    let Some(row) = row.pop() else { return Err(PageError::not_found()) };
    let ids = state.exports.named_ids(&export).await?.unwrap_or_default();
    let named = ids.workspace_ids.iter().take(MAX_LISTED).cloned().collect();
    let (workspaces, manifest, downloads) = tokio::try_join!(
        async { Ok::<_, PageError>(state.directory.workspaces_of(&caller.organization_id, &named).await?) },
        manifest_of(&state, &export, row.can_download, now),
        downloads_of(&state, &caller, &export),
    )?;
    let details =
        Details::new(row, &export, &ids, manifest.as_ref(), |id| Some(workspaces.get(id)?.name.clone()))
            .with_downloads(downloads);
    html(StatusCode::OK, &DetailsPage::new(&caller, details))
}

/// Who has downloaded the file of an export, and how often.
async fn downloads_of(
    state: &AppState,
    caller: &Caller,
    export: &DataExport,
) -> Result<Vec<Downloads>, PageError> {
    if export.state != ExportState::Completed {
        return Ok(Vec::new());
    }
    let (organization_id, id) = (&caller.organization_id, &export.data_export_id);
    let selection = Selection::OfExport(id);
    // One page has a thousand events of an export: what is beyond is in the audit trail itself.
    let (events, _) = state.audit_trail().page(organization_id, selection, Purpose::File, None).await?;
    let users = events.iter().filter_map(|event| event.user_id.as_deref());
    let members = state.directory.members(organization_id, users.collect::<BTreeSet<_>>()).await?;
    Ok(Downloads::of(&events, |user_id| name_of(&members, user_id)))
}

/// The manifest of a completed export; `None` where there is none, or none that can be shown.
async fn manifest_of(
    state: &AppState,
    export: &DataExport,
    can_download: bool,
    now: DateTime<Utc>,
) -> Result<Option<Manifest>, PageError> {
    let has_one = Status::of(export, now) == Status::Completed && export.manifest.is_some();
    if !can_download
        || !has_one
        || export.manifest.as_ref().is_some_and(|manifest| manifest.bytes > MAX_MANIFEST_BYTES)
    {
        return Ok(None);
    }
    match state.files.read(&Document::manifest(export, now)?).await {
        Ok(json) => Ok(serde_json::from_slice(&json).ok()),
        // Charts are an extra: without them the page is still of use.
        Err(RequestError::Refused(_)) => Ok(None),
        Err(RequestError::Internal(error)) => {
            let id = &export.data_export_id;
            tracing::warn!(data_export_id = id, %error, "the manifest of export {id} could not be read");
            Ok(None)
        }
    }
}

/// Cancels an export and shows what became of it.
pub(super) async fn cancel(
    State(state): State<Arc<AppState>>,
    SignedIn(caller): SignedIn,
    Extension(attempt): Extension<Arc<Attempt>>,
    Captured(data_export_id): Captured,
) -> Result<Response, PageError> {
    if found(&state, &caller, &data_export_id).await?.user_id != caller.user_id {
        let detail = "Only the administrator who asked for an export can cancel it.";
        return Err(Problem::new(StatusCode::FORBIDDEN, detail).into());
    }
    let Submitter { exports, queue, audit_trail, .. } = &state.submitter;
    let id = &data_export_id;
    let cancelled =
        usage_export::export::cancel::cancel(exports, queue, audit_trail, &caller, id, &attempt).await;
    match cancelled {
        Ok(_) => {}
        // It finished meanwhile, and its row says so.
        Err(RequestError::Refused(problem)) if problem.status == StatusCode::CONFLICT => {}
        Err(error) => return Err(error.into()),
    }
    see_other(&format!("{PAGE}/exports/{data_export_id}"))
}

/// Sends the browser to the file, by a URL that is signed now and is valid for minutes.
pub(super) async fn download(
    State(state): State<Arc<AppState>>,
    SignedIn(caller): SignedIn,
    Extension(attempt): Extension<Arc<Attempt>>,
    Captured(data_export_id): Captured,
) -> Result<Response, PageError> {
    let export = completed_export(&state, &caller, &data_export_id).await?;
    let file = Document::file(&export, attempt.now)?;
    hand_out(&state, &file, attempt.event(&caller, EventType::ExportDownloaded).of_export(&data_export_id))
        .await
}

/// Sends the browser to the manifest of the file, likewise.
pub(super) async fn manifest(
    State(state): State<Arc<AppState>>,
    SignedIn(caller): SignedIn,
    Extension(attempt): Extension<Arc<Attempt>>,
    Captured(data_export_id): Captured,
) -> Result<Response, PageError> {
    let export = completed_export(&state, &caller, &data_export_id).await?;
    let manifest = Document::manifest(&export, attempt.now)?;
    let event = attempt.event(&caller, EventType::ManifestDownloaded);
    hand_out(&state, &manifest, event.of_export(&data_export_id)).await
}

/// Redirects to a document, once the audit trail tells of it.
async fn hand_out(state: &AppState, document: &Document, event: Event) -> Result<Response, PageError> {
    let url = state.files.presign(document).await?;
    state.audit_trail().record(&event).await?;
    redirect(StatusCode::FOUND, &url)
}

/// An export that has a file, and whose file the caller may have.
async fn completed_export(
    state: &AppState,
    caller: &Caller,
    data_export_id: &str,
) -> Result<DataExport, PageError> {
    let export = found(state, caller, data_export_id).await?;
    if !export.may_be_downloaded_by(caller, state.sharing) {
        let detail = "Only the administrator who asked for this export can download it. Start the same export yourself: \
                      Export again, in its details, fills in the form.";
        return Err(Problem::new(StatusCode::FORBIDDEN, detail).into());
    }
    if export.state != ExportState::Completed {
        let detail = match Status::of(&export, state.now()) {
            Status::Cancelled => "There is no file: this export was cancelled.",
            Status::Failed => "There is no file: this export failed.",
            _ => "There is no file yet: this export is not finished.",
        };
        return Err(Problem::new(StatusCode::NOT_FOUND, detail).into());
    }
    Ok(export)
}

/// An export of the caller's organization. A refusal is told in the page's words, because its reader did not type a
/// `data_export_id`.
pub(super) async fn found(
    state: &AppState,
    caller: &Caller,
    data_export_id: &str,
) -> Result<DataExport, PageError> {
    let found = state.exports.get_of_organization(caller, data_export_id).await;
    found.map_err(|error| match error {
        RequestError::Refused(problem) => {
            let detail = "There is no such export: its address may be incomplete, or its record was deleted.";
            Problem::new(problem.status, detail).into()
        }
        RequestError::Internal(_) => error.into(),
    })
}
