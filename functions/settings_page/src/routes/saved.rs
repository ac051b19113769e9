//! Saved exports: forms with a name, which any administrator of the organization can run again.

use std::sync::Arc;

use axum::Extension;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use usage_export::auth::Caller;
use usage_export::auth::attempt::Attempt;
use usage_export::directory::saved_export::SavedExport;
use usage_export::error::AwsError;
use usage_export::problem::{Problem, RequestError};
use usage_export::wording::counted;

use super::{filled, form};
use crate::error::PageError;
use crate::form::{Choices, ExportForm, FormErrors};
use crate::path::PAGE;
use crate::request::Captured;
use crate::response::see_other;
use crate::session::{SignedIn, SignedInForm};
use crate::state::AppState;

/// Saves the form under the name that was typed into it, or shows it with what is wrong.
pub(super) async fn save(
    State(state): State<Arc<AppState>>,
    SignedInForm { caller, body }: SignedInForm,
) -> Result<Response, PageError> {
    let now = state.now();
    let mut form = ExportForm::read(&body)?;
    let problem = match form.parse(&caller.user_id) {
        Err(errors) => {
            form.errors = *errors;
            return form::page(&state, &caller, form, StatusCode::BAD_REQUEST, now).await;
        }
        Ok(_) => match SavedExport::new(&form.name, about(&form.choices), &caller.user_id, now) {
            Err(error) => Problem::fields(vec![error]),
            Ok(saved) => match store(&state, &caller, &saved, &form).await {
                Ok(()) => return see_other(&format!("{PAGE}?saved={}#saved", saved.id)),
                Err(RequestError::Refused(problem)) => problem,
                Err(error) => return Err(error.into()),
            },
        },
    };
    form.errors = FormErrors::from_problem(&problem);
    form::page(&state, &caller, form, problem.status, now).await
}

async fn store(
    state: &AppState,
    caller: &Caller,
    saved: &SavedExport,
    form: &ExportForm,
) -> Result<(), RequestError> {
    let json =
        serde_json::to_string(&form.choices).map_err(|error| AwsError::internal("saved export", &error))?;
    state.directory.save_export(&caller.organization_id, saved, json, form.replaces == saved.id).await
}

/// Starts the export that is saved, with dates that are counted from today if they are of a preset.
pub(super) async fn run(
    State(state): State<Arc<AppState>>,
    SignedIn(caller): SignedIn,
    Extension(attempt): Extension<Arc<Attempt>>,
    Captured(id): Captured,
    body: Bytes,
) -> Result<Response, PageError> {
    let (saved, mut form) = filled::from_saved(&state, &caller, &id).await?;
    // The key of the button, so that a second press of it starts nothing.
    form.idempotency_key = ExportForm::read(&body)?.idempotency_key;
    form::start(&state, &caller, form, Some(saved.name), &attempt).await
}

/// Deletes a saved export. What it has exported stays.
pub(super) async fn delete(
    State(state): State<Arc<AppState>>,
    SignedIn(caller): SignedIn,
    Captured(id): Captured,
) -> Result<Response, PageError> {
    state.directory.delete_saved_export(&caller.organization_id, &id).await?;
    see_other(PAGE)
}

/// What is saved, in words: `Last month · All workspaces · 11 fields`.
fn about(choices: &Choices) -> String {
    let dates = match choices.date_preset() {
        Some(preset) => preset.label().to_owned(),
        None => format!("{} – {}", choices.start_date, choices.end_date),
    };
    let workspaces = match (choices.all_workspaces, choices.shared_workspaces) {
        (true, _) => "All workspaces".to_owned(),
        (false, true) => "All shared workspaces".to_owned(),
        (false, false) => counted(choices.workspace_ids.len() as u64, "workspace"),
    };
    format!("{dates} · {workspaces} · {}", counted(choices.fields.len() as u64, "field"))
}
