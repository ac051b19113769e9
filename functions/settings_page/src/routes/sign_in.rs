//! Signing in with a user id and an API key, and signing out.

use std::sync::Arc;

use axum::Extension;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use usage_export::audit::event::EventType;
use usage_export::auth::api_key::KeyKind;
use usage_export::auth::attempt::Attempt;
use usage_export::auth::session::SessionToken;
use usage_export::auth::{Caller, authenticate_secret, authorize};
use usage_export::export::request::check_id;
use usage_export::problem::{Problem, RequestError};

use crate::error::PageError;
use crate::path::{PAGE, is_of_page};
use crate::response::{html, see_other};
use crate::session::SessionCookie;
use crate::state::AppState;
use crate::views::sign_in::SignInPage;

/// The largest sign-in form, in bytes. User id and key have 256 and 512 characters at most; an export form that is kept has
/// three times its size, because every `%` of it is encoded once more.
const MAX_FORM_BYTES: usize = 8 * 1024 + 3 * crate::form::MAX_FORM_BYTES;

/// What the sign-in form holds.
struct SignInForm {
    user_id: String,
    api_key: String,
    /// The address to go to afterwards.
    next: String,
    /// An export form that was sent without a session, as the browser encoded it.
    kept_form: String,
}

impl SignInForm {
    fn read(body: &[u8]) -> Self {
        let (user_id, api_key, kept_form) = Default::default();
        let mut form = Self { user_id, api_key, next: PAGE.to_owned(), kept_form };
        for (name, value) in form_urlencoded::parse(&body[..body.len().min(MAX_FORM_BYTES)]) {
            match &*name {
                "user_id" => value.trim().clone_into(&mut form.user_id),
                "api_key" => value.trim().clone_into(&mut form.api_key),
                "kept_form" => value.as_ref().clone_into(&mut form.kept_form),
                "next" if is_of_page(&value) => value.as_ref().clone_into(&mut form.next),
                _ => {}
            }
        }
        form
    }

    /// The form once more, with what was wrong. The key does not come back.
    fn refused(&self, status: StatusCode, error: &str) -> Result<Response, PageError> {
        html(status, &SignInPage::new(&self.user_id, &self.next, Some(error)).keeping(&self.kept_form))
    }
}

/// Checks user id and API key as the API does, and starts a session.
pub(super) async fn sign_in(
    State(state): State<Arc<AppState>>,
    Extension(attempt): Extension<Arc<Attempt>>,
    body: Bytes,
) -> Result<Response, PageError> {
    let form = SignInForm::read(&body);
    if form.user_id.is_empty() || form.api_key.is_empty() {
        return form.refused(StatusCode::BAD_REQUEST, "Enter your user ID and an API key.");
    }
    if let Err(error) = check_id("The user ID", &form.user_id) {
        return form.refused(StatusCode::BAD_REQUEST, &format!("{} {}.", error.field, error.message));
    }
    let started = start_session(&state, &form, &attempt).await;
    if let Err(RequestError::Refused(problem)) = &started {
        attempt.record_refusal(state.audit_trail(), problem).await;
    }
    match started {
        Ok((caller, token)) => {
            let mut response = if form.kept_form.is_empty() {
                see_other(&form.next)?
            } else {
                super::form::show_again(&state, &caller, form.kept_form.as_bytes()).await?
            };
            let cookie = SessionCookie::of(&state).set(token.secret());
            response.headers_mut().extend(cookie.map(|cookie| (header::SET_COOKIE, cookie)));
            Ok(response)
        }
        Err(RequestError::Refused(problem)) => form.refused(problem.status, refusal(&problem)),
        Err(error) => Err(error.into()),
    }
}

/// A refusal of the API in the words of the page: its reader knows no headers and no members of a request.
fn refusal(problem: &Problem) -> &str {
    match problem.status {
        StatusCode::UNAUTHORIZED => "This API key is not valid: it may be mistyped, expired or revoked.",
        _ => &problem.detail,
    }
}

async fn start_session(
    state: &AppState,
    form: &SignInForm,
    attempt: &Attempt,
) -> Result<(Caller, SessionToken), RequestError> {
    let key = authenticate_secret(&state.directory, &state.rate_limit, &form.api_key, attempt).await?;
    if key.kind == KeyKind::Personal && key.user_id.as_deref() != Some(form.user_id.as_str()) {
        attempt.acts_for(&form.user_id);
        let detail = "A personal key is only for its own user: enter the user ID that belongs to this key.";
        return Err(Problem::new(StatusCode::FORBIDDEN, detail).into());
    }
    let caller = authorize(&state.directory, &key, &HeaderMap::new(), &form.user_id, attempt).await?;
    state.audit_trail().record(&attempt.event(&caller, EventType::SignedIn)).await?;
    let token = state.directory.start_session(&caller, &form.api_key, &key, attempt.now).await?;
    Ok((caller, token))
}

/// Ends the session, here and for whoever else has its token.
pub(super) async fn sign_out(
    State(state): State<Arc<AppState>>,
    headers: HeaderMap,
) -> Result<Response, PageError> {
    let cookie = SessionCookie::of(&state);
    if let Some(token) = cookie.token(&headers) {
        state.directory.end_session(&token, state.now()).await?;
    }
    let mut response = see_other(PAGE)?;
    response.headers_mut().extend(cookie.clear().map(|cookie| (header::SET_COOKIE, cookie)));
    Ok(response)
}
