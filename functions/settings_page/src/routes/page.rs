//! The page itself: shown, and its form submitted.

use std::borrow::Cow;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use chrono::{DateTime, Utc};
use usage_export::auth::Caller;
use usage_export::export::created_ts_of_id;
use usage_export::export::store::idempotency::IdempotencyKey;
use usage_export::problem::RequestError;
use uuid::Uuid;

use crate::error::PageError;
use crate::form::{ExportForm, FormErrors};
use crate::path::PAGE;
use crate::request::parameter;
use crate::response::{html, see_other};
use crate::session::SignedIn;
use crate::state::AppState;
use crate::views::history::{HistoryPage, Row};
use crate::views::page::Page;

/// The page with an empty form, or with one filled from the earlier export that `?again=` names.
pub(super) async fn show(
    State(state): State<Arc<AppState>>,
    SignedIn(caller): SignedIn,
    RawQuery(query): RawQuery,
) -> Result<Response, PageError> {
    let now = state.now();
    let query = query.as_deref();
    let form = match parameter(query, "again") {
        Some(id) => {
            let export = state.exports.get_owned_by(&caller, &id).await?;
            ExportForm::from_export(&export, state.exports.named_ids(&export).await?)
        }
        None => ExportForm::blank(now),
    };
    let shown = Shown {
        cursor: parameter(query, "cursor").filter(|cursor| created_ts_of_id(cursor).is_some()),
        created: parameter(query, "created"),
    };
    html(StatusCode::OK, &load(&state, &caller, form, shown, now).await?)
}

/// Starts the export that the form asks for and shows it on top of the history, or shows the form with what is wrong.
pub(super) async fn submit(
    State(state): State<Arc<AppState>>,
    SignedIn(caller): SignedIn,
    body: Bytes,
) -> Result<Response, PageError> {
    let now = state.now();
    let mut form = ExportForm::read(&body)?;
    let parsed = match form.parse(&caller.user_id) {
        Ok(parsed) => parsed,
        Err(errors) => {
            form.errors = errors;
            return refused(&state, &caller, form, StatusCode::BAD_REQUEST, now).await;
        }
    };
    // The prefix keeps the keys of forms apart from those that the user's own programs send.
    let key = format!("settings_page {}", form.idempotency_key);
    let idempotency_key = IdempotencyKey::new(&caller.organization_id, &caller.user_id, &key, &parsed.body);
    match state.submitter.submit(&caller, parsed.request, Some(&idempotency_key), now).await {
        Ok(export) => {
            let id = export.data_export_id;
            see_other(&format!("{PAGE}?created={id}#export-{id}"))
        }
        Err(RequestError::Refused(problem)) => {
            form.errors = FormErrors::from_problem(&problem);
            if problem.status == StatusCode::UNPROCESSABLE_ENTITY {
                explain_reuse(&mut form);
            }
            let mut response = refused(&state, &caller, form, problem.status, now).await?;
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

/// The page with the form as it was sent, and what is wrong beside the inputs.
async fn refused(
    state: &AppState,
    caller: &Caller,
    form: ExportForm,
    status: StatusCode,
    now: DateTime<Utc>,
) -> Result<Response, PageError> {
    html(status, &load(state, caller, form, Shown::default(), now).await?)
}

/// Which exports the page shows.
#[derive(Default)]
struct Shown<'a> {
    /// The history page after this cursor; the newest one without.
    cursor: Option<Cow<'a, str>>,
    /// Id of the export that was just created: it is on top of the history.
    created: Option<Cow<'a, str>>,
}

/// Reads from the tables what the page shows around this form.
async fn load(
    state: &AppState,
    caller: &Caller,
    form: ExportForm,
    shown: Shown<'_>,
    now: DateTime<Utc>,
) -> Result<Page, PageError> {
    let (workspaces, history) = tokio::try_join!(
        async { Ok::<_, PageError>(state.directory.all_workspaces(&caller.organization_id).await?) },
        load_history(state, caller, &shown, now),
    )?;
    Ok(Page::new(caller, form, workspaces, history, shown.cursor.is_some(), now))
}

/// Reads a history page. The export that was just created is on top of it also while the index, from which the list is
/// read, does not have it yet.
async fn load_history(
    state: &AppState,
    caller: &Caller,
    shown: &Shown<'_>,
    now: DateTime<Utc>,
) -> Result<HistoryPage, PageError> {
    let exports = &state.exports;
    let (listed, next) =
        exports.history(&caller.organization_id, &caller.user_id, shown.cursor.as_deref()).await?;
    let mut history = HistoryPage::new(&listed, next, now);
    if let Some(created) = shown.created.as_deref()
        && !history.rows.iter().any(|row| row.id == created)
    {
        match exports.get_owned_by(caller, created).await {
            Ok(export) => history.rows.insert(0, Row::new(&export, now)),
            // An old address that names an export which is gone: the rest of the page is still of use.
            Err(RequestError::Refused(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(history)
}
