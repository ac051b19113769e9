//! The session of a request; without one, the sign-in page.

use std::sync::{Arc, OnceLock};

use axum::Extension;
use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use usage_export::auth::attempt::Attempt;
use usage_export::auth::session::SESSION_LIFE;
use usage_export::auth::{Caller, resume_session};

use crate::error::PageError;
use crate::path::{PAGE, is_of_page};
use crate::request::parameter;
use crate::response::html;
use crate::state::AppState;
use crate::views::sign_in::{EnteringPage, SignInPage};

mod cookie;

pub use self::cookie::SessionCookie;

/// Whoever is found to be signed in while a request is answered, for the head of an error page.
#[derive(Debug, Clone, Default)]
pub struct Reader(Arc<OnceLock<Caller>>);

impl Reader {
    /// The caller, if one was found.
    pub fn caller(&self) -> Option<&Caller> {
        self.0.get()
    }
}

/// The caller whose session cookie came with the request.
///
/// As an argument of a handler it keeps everybody else out: they are asked to sign in, and the handler does not run.
#[derive(Debug)]
pub struct SignedIn(pub Caller);

impl FromRequestParts<Arc<AppState>> for SignedIn {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &Arc<AppState>) -> Result<Self, Response> {
        let attempt = Extension::<Arc<Attempt>>::from_request_parts(parts, state).await;
        let Extension(attempt) = attempt.map_err(IntoResponse::into_response)?;
        let token = SessionCookie::of(state).token(&parts.headers);
        let caller = match &token {
            Some(token) => resume_session(&state.directory, &state.rate_limit, token, &attempt).await,
            None => Ok(None),
        };
        match caller {
            Ok(Some(caller)) => {
                if let Some(Reader(reader)) = parts.extensions.get() {
                    let _ = reader.set(caller.clone());
                }
                Ok(Self(caller))
            }
            Ok(None) => Err(ask_to_sign_in(parts, token.is_some())),
            Err(error) => Err(PageError::from(error).into_response()),
        }
    }
}

/// The caller and the export form that they have sent.
///
/// Without a session they are asked to sign in and the form is kept, so that nothing that was typed is lost.
#[derive(Debug)]
pub struct SignedInForm {
    /// Whose session cookie came with the form.
    pub caller: Caller,
    /// The form as the browser encoded it.
    pub body: Bytes,
}

impl FromRequest<Arc<AppState>> for SignedInForm {
    type Rejection = Response;

    async fn from_request(request: Request, state: &Arc<AppState>) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let session = SignedIn::from_request_parts(&mut parts, state).await;
        let body = Bytes::from_request(Request::from_parts(parts, body), state).await;
        let body = body.map_err(IntoResponse::into_response)?;
        match session {
            Ok(SignedIn(caller)) => Ok(Self { caller, body }),
            Err(refusal) if refusal.status() == StatusCode::UNAUTHORIZED => {
                let form = String::from_utf8_lossy(&body);
                let error = "Your session has ended. Sign in again: your export is kept.";
                let next = format!("{PAGE}/new");
                let page = SignInPage::new("", &next, Some(error)).keeping(&form);
                Err(html(StatusCode::UNAUTHORIZED, &page).into_response())
            }
            Err(refusal) => Err(refusal),
        }
    }
}

/// Asks to sign in, at the address that was asked for: the browser keeps a fragment such as `#export-…` in it.
/// `ended` tells that there was a session.
fn ask_to_sign_in(parts: &Parts, ended: bool) -> Response {
    let next = return_address(parts);
    // A browser that follows a link from a mail program keeps a `SameSite=Strict` cookie back. When the page itself
    // goes to the same address again, the cookie comes along, and who is signed in need not sign in again.
    let is_cross_site = parts.headers.get("sec-fetch-site").is_some_and(|site| site == "cross-site");
    let response = if is_cross_site && parameter(parts.uri.query(), "entered").is_none() {
        let separator = if next.contains('?') { '&' } else { '?' };
        let location = format!("{next}{separator}entered=1");
        html(StatusCode::OK, &EnteringPage::new(&location))
    } else {
        let error = ended.then_some("Your session has ended. Sign in again.");
        html(StatusCode::UNAUTHORIZED, &SignInPage::new("", &next, error))
    };
    response.into_response()
}

/// The address to come back to after signing in: the one that was asked for, or the page where a GET of that address
/// would not do, such as after a form.
fn return_address(parts: &Parts) -> String {
    let address = parts.uri.path_and_query().map_or(PAGE, |address| address.as_str());
    let can_return = parts.method == Method::GET && is_of_page(address) && !address.contains("/sign_in");
    if can_return { address.to_owned() } else { PAGE.to_owned() }
}
