//! Signing in with a user id and an API key, and out again.

use askama::Template;
use chrono::{DateTime, Utc};
use lambda_http::http::{HeaderMap, HeaderValue, StatusCode, header};
use lambda_http::{Body, Request, Response};
use usage_export::auth::{authenticate_secret, authorize};
use usage_export::problem::RequestError;

use crate::respond::{Frame, html, see_other, text};
use crate::route::PAGE;
use crate::{Context, query};

/// The largest sign-in form, in bytes.
const MAX_FORM_BYTES: usize = 8 * 1024;

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignInPage<'a> {
    frame: Frame,
    user_id: &'a str,
    /// Where to go then.
    next: &'a str,
    error: Option<&'a str>,
}

/// Sends the browser to the page once more, this time from ourselves.
#[derive(Template)]
#[template(path = "entering.html")]
struct EnteringPage<'a> {
    frame: Frame,
    location: &'a str,
}

/// Asks to sign in, at the address that was asked for: a fragment such as `#export-…` stays in it.
pub fn ask(request: &Request, ended: bool) -> Result<Response<Body>, RequestError> {
    let next = here(request);
    // A browser that follows a link from a mail program keeps a `SameSite=Strict` cookie back. When the page itself
    // goes to the same place again, the cookie comes along, and who is signed in need not sign in again.
    let from_elsewhere = text(request.headers(), "sec-fetch-site") == Some("cross-site");
    if from_elsewhere && query(request, "entered").is_none() {
        let joint = if next.contains('?') { '&' } else { '?' };
        let location = format!("{next}{joint}entered=1");
        return html(StatusCode::OK, &EnteringPage { frame: Frame::new(None), location: &location });
    }
    let error = ended.then_some("Your session has ended. Sign in again.");
    html(StatusCode::UNAUTHORIZED, &SignInPage { frame: Frame::new(None), user_id: "", next: &next, error })
}

/// Checks user id and key as the API does, and starts a session.
pub async fn sign_in(
    context: &Context,
    request: &Request,
    now: DateTime<Utc>,
) -> Result<Response<Body>, RequestError> {
    let body: &[u8] = request.body().as_ref();
    let (mut user_id, mut secret, mut next) = (String::new(), String::new(), PAGE.to_owned());
    for (name, value) in form_urlencoded::parse(&body[..body.len().min(MAX_FORM_BYTES)]) {
        match &*name {
            "user_id" => value.trim().clone_into(&mut user_id),
            "api_key" => value.trim().clone_into(&mut secret),
            "next" if is_ours(&value) => value.as_ref().clone_into(&mut next),
            _ => {}
        }
    }
    let refused = |status, error: &str| {
        let frame = Frame::new(None);
        html(status, &SignInPage { frame, user_id: &user_id, next: &next, error: Some(error) })
    };
    if user_id.is_empty() || secret.is_empty() {
        return refused(StatusCode::BAD_REQUEST, "Enter your user ID and an API key.");
    }
    let started = async {
        let key = authenticate_secret(&context.directory, &secret, now).await?;
        let caller = authorize(&context.directory, &key, &HeaderMap::new(), &user_id).await?;
        Ok(context.directory.start_session(&caller, &secret, &key, now).await?)
    };
    match started.await {
        Ok(token) => {
            let mut response = see_other(&next)?;
            if let Ok(cookie) = HeaderValue::try_from(context.cookie().set(token.secret())) {
                response.headers_mut().insert(header::SET_COOKIE, cookie);
            }
            Ok(response)
        }
        Err(RequestError::Refused(problem)) => {
            refused(problem.status, &problem.detail.replace("user_id", "The user ID"))
        }
        Err(error) => Err(error),
    }
}

/// Ends the session, here and for whoever else has its token.
pub async fn sign_out(
    context: &Context,
    request: &Request,
    now: DateTime<Utc>,
) -> Result<Response<Body>, RequestError> {
    if let Some(token) = context.cookie().token(request.headers()) {
        context.directory.end_session(token, now).await?;
    }
    let mut response = see_other(PAGE)?;
    if let Ok(cookie) = HeaderValue::try_from(context.cookie().clear()) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

/// Where the browser is, as a place to come back to. After a form that could not be taken that is the page.
fn here(request: &Request) -> String {
    let here = request.uri().path_and_query().map_or(PAGE, |here| here.as_str());
    let can_return = request.method() == "GET" && is_ours(here) && !here.contains("/sign_in");
    if can_return { here.to_owned() } else { PAGE.to_owned() }
}

/// Whether it is a place on this page, so that nobody is sent elsewhere after signing in.
fn is_ours(place: &str) -> bool {
    let rest = place.strip_prefix(PAGE);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']))
        && place.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_sent_to_another_site() {
        for ours in ["", "?again=1", "/exports/e1/download"] {
            assert!(is_ours(&format!("{PAGE}{ours}")), "{ours}");
        }
        for other in [
            "https://evil.example",
            "//evil.example",
            "/",
            "/settings/organization/data_export.evil.example",
            "/settings/organization/data_export@evil.example",
            "/settings/organization/data_export?\r\nx: y",
        ] {
            assert!(!is_ours(other), "{other}");
        }
    }
}
