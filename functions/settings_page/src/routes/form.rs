//! The form: filled in, sent, and what it loads while it is open.

use std::sync::Arc;

use axum::Extension;
use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use chrono::{DateTime, Utc};
use usage_export::auth::Caller;
use usage_export::auth::attempt::Attempt;
use usage_export::error::AwsError;
use usage_export::export::request::ExportRequest;
use usage_export::export::store::idempotency::IdempotencyKey;
use usage_export::problem::RequestError;
use uuid::Uuid;

use crate::error::PageError;
use crate::form::{ExportForm, FormErrors, ParsedForm};
use crate::path::PAGE;
use crate::request::parameter;
use crate::response::{html, see_other};
use crate::routes::filled;
use crate::session::{SignedIn, SignedInForm};
use crate::state::AppState;
use crate::time_zone::TimeZone;
use crate::views::form::{FormPage, PresetButtons, first_day, shared};
use crate::views::preview::PreviewPart;

/// The empty form, or one filled from the earlier export that `?again=` names, or from the saved one that `?from=` names.
pub(super) async fn show(
    State(state): State<Arc<AppState>>,
    SignedIn(caller): SignedIn,
    RawQuery(query): RawQuery,
) -> Result<Response, PageError> {
    let now = state.now();
    let query = query.as_deref();
    let form = match (parameter(query, "from"), parameter(query, "again")) {
        (Some(id), _) => {
            let (saved, form) = filled::from_saved(&state, &caller, &id).await?;
            ExportForm { name: saved.name, replaces: saved.id, ..form }
        }
        (None, Some(id)) => filled::from_export(&state, &caller, &id).await?,
        (None, None) => ExportForm::blank(now),
    };
    page(&state, &caller, form, StatusCode::OK, now).await
}

/// The form as it was filled in when the session had ended.
pub(super) async fn show_again(
    state: &AppState,
    caller: &Caller,
    body: &[u8],
) -> Result<Response, PageError> {
    let mut form = ExportForm::read(body)?;
    form.note = Some("You are signed in again. Press Start export to start it.".to_owned());
    page(state, caller, form, StatusCode::OK, state.now()).await
}

/// Starts the export that the form asks for and shows it in the history, or shows the form with what is wrong.
pub(super) async fn submit(
    State(state): State<Arc<AppState>>,
    Extension(attempt): Extension<Arc<Attempt>>,
    SignedInForm { caller, body }: SignedInForm,
) -> Result<Response, PageError> {
    start(&state, &caller, ExportForm::read(&body)?, None, &attempt).await
}

/// Starts the export that a form asks for, which may be saved under a name.
pub(super) async fn start(
    state: &AppState,
    caller: &Caller,
    mut form: ExportForm,
    name: Option<String>,
    attempt: &Attempt,
) -> Result<Response, PageError> {
    let now = attempt.now;
    let ParsedForm { request, body } = match form.parse(&caller.user_id) {
        Ok(parsed) => parsed,
        Err(errors) => {
            form.errors = *errors;
            return page(state, caller, form, StatusCode::BAD_REQUEST, now).await;
        }
    };
    let request = ExportRequest { name, ..request };
    // The prefix keeps the keys of forms apart from those that the user's own programs send.
    let key = format!("settings_page {}", form.idempotency_key);
    let idempotency_key = IdempotencyKey::new(&caller.organization_id, &caller.user_id, &key, &body);
    match state.submitter.submit(caller, request, Some(&idempotency_key), attempt).await {
        Ok(export) => see_other(&format!("{PAGE}?started={}", export.data_export_id)),
        Err(RequestError::Refused(problem)) => {
            attempt.record_refusal(state.audit_trail(), &problem).await;
            form.errors = FormErrors::from_problem(&problem);
            if problem.status == StatusCode::UNPROCESSABLE_ENTITY {
                explain_reuse(&mut form);
            }
            let mut response = page(state, caller, form, problem.status, now).await?;
            let retry_after = problem.retry_after.map(HeaderValue::from);
            response.headers_mut().extend(retry_after.map(|seconds| (header::RETRY_AFTER, seconds)));
            Ok(response)
        }
        Err(error) => Err(error.into()),
    }
}

/// For a form that was changed after it had started an export, such as with the back button: it gets a new key, and
/// says that another export starts when it is sent again.
fn explain_reuse(form: &mut ExportForm) {
    form.idempotency_key = Uuid::new_v4().to_string();
    form.errors.form = Some(
        "This form has started an export already. Press Start export again to start this one too.".to_owned(),
    );
}

/// The page with what the file of the form will be. The script takes only that out of it.
pub(super) async fn preview(
    State(state): State<Arc<AppState>>,
    SignedIn(caller): SignedIn,
    body: Bytes,
) -> Result<Response, PageError> {
    let now = state.now();
    let mut form = ExportForm::read(&body)?;
    let request = match form.parse(&caller.user_id) {
        Ok(parsed) => parsed.request,
        Err(errors) => {
            form.errors = *errors;
            return page(&state, &caller, form, StatusCode::BAD_REQUEST, now).await;
        }
    };
    // What an export may not read, a preview of it may not either.
    match state.submitter.check_workspaces(&caller.organization_id, &request.scope.workspace_ids).await {
        Ok(()) => {}
        Err(RequestError::Refused(problem)) => {
            form.errors = FormErrors::from_problem(&problem);
            return page(&state, &caller, form, problem.status, now).await;
        }
        Err(error) => return Err(error.into()),
    }
    let (records, directory) = (&state.usage_records, &state.directory);
    let made =
        usage_records::preview::preview(records, directory, &caller.organization_id, &request, now).await;
    let preview = match made {
        Ok(preview) => PreviewPart::new(preview, request.interval, now),
        // An estimate is an extra: the export can be started without it.
        Err(error) => {
            tracing::warn!(%error, "a preview could not be made");
            PreviewPart::missing(request.interval)
        }
    };
    let workspaces = state.directory.all_workspaces(&caller.organization_id).await?;
    html(StatusCode::OK, &FormPage::new(&caller, form, workspaces, now).with_preview(preview))
}

/// The page with the form as it is.
pub(super) async fn page(
    state: &AppState,
    caller: &Caller,
    form: ExportForm,
    status: StatusCode,
    now: DateTime<Utc>,
) -> Result<Response, PageError> {
    let workspaces = state.directory.all_workspaces(&caller.organization_id).await?;
    html(status, &FormPage::new(caller, form, workspaces, now))
}

/// The date presets, counted from today in the time zone that `?time_zone=` names.
pub(super) async fn presets(
    State(state): State<Arc<AppState>>,
    SignedIn(caller): SignedIn,
    RawQuery(query): RawQuery,
) -> Result<Response, PageError> {
    let zone = TimeZone::from_name_or_utc(parameter(query.as_deref(), "time_zone").as_deref());
    let workspaces = state.directory.all_workspaces(&caller.organization_id).await?;
    html(StatusCode::OK, &PresetButtons::new(&zone, first_day(&workspaces), state.now()))
}

/// The shared workspaces of the organization, for the script's list: `[[id, name, 1 if it was deleted or 0], …]`, in the
/// order of the list.
pub(super) async fn workspaces(
    State(state): State<Arc<AppState>>,
    SignedIn(caller): SignedIn,
) -> Result<Response, PageError> {
    let workspaces = shared(state.directory.all_workspaces(&caller.organization_id).await?);
    let rows: Vec<_> = workspaces
        .into_iter()
        .map(|workspace| (workspace.id, workspace.name, u8::from(workspace.deleted)))
        .collect();
    let json = serde_json::to_string(&rows).map_err(|error| AwsError::internal("workspaces", &error))?;
    Ok(([(header::CONTENT_TYPE, "application/json")], json).into_response())
}
