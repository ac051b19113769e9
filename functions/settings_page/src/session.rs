//! Who is signed in: the session cookie, and the caller whose session it holds.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use cookie::time::Duration;
use cookie::{Cookie, SameSite};
use usage_export::auth::{Caller, resume_session};
use usage_export::session::SESSION_LIFE;

use crate::error::PageError;
use crate::path::{PAGE, is_of_page};
use crate::request::{is_fragment, parameter};
use crate::response::html;
use crate::state::AppState;
use crate::views::sign_in::{EnteringPage, SignInPage};

/// The caller whose session cookie came with the request.
///
/// As an argument of a handler it keeps everybody else out: they are asked to sign in, and the handler does not run.
#[derive(Debug)]
pub struct SignedIn(pub Caller);

impl FromRequestParts<Arc<AppState>> for SignedIn {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &Arc<AppState>) -> Result<Self, Response> {
        let token = SessionCookie::of(state).token(&parts.headers);
        let caller = match &token {
            Some(token) => resume_session(&state.directory, token, state.now()).await,
            None => Ok(None),
        };
        match caller {
            Ok(Some(caller)) => Ok(Self(caller)),
            Ok(None) => Err(ask_to_sign_in(parts, token.is_some())),
            Err(error) => Err(PageError::from(error).into_response()),
        }
    }
}

/// Asks to sign in, at the address that was asked for: the browser keeps a fragment such as `#export-…` in it.
/// `ended` tells that there was a session.
fn ask_to_sign_in(parts: &Parts, ended: bool) -> Response {
    if is_fragment(&parts.headers) {
        // Makes htmx load the whole page again, which then asks to sign in.
        return (StatusCode::UNAUTHORIZED, [("hx-refresh", "true")]).into_response();
    }
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

/// Name and attributes of the cookie that holds a session's token.
///
/// Over TLS its name has the prefix `__Host-`: browsers then refuse one that another host or path set. Over plain HTTP,
/// which only the local system has, they refuse the prefix itself.
/// <https://developer.mozilla.org/en-US/docs/Web/HTTP/Reference/Headers/Set-Cookie#cookie_prefixes>
#[derive(Debug, Clone, Copy)]
pub struct SessionCookie {
    is_secure: bool,
}

impl SessionCookie {
    /// The cookie of the page with this origin.
    pub fn of(state: &AppState) -> Self {
        Self { is_secure: state.is_secure() }
    }

    fn name(self) -> &'static str {
        if self.is_secure { "__Host-usage_export_session" } else { "usage_export_session" }
    }

    /// The token that the browser sent; the first one, if it sent several cookies of this name. Cookies that cannot be
    /// read are passed over.
    pub fn token(self, headers: &HeaderMap) -> Option<String> {
        let values = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
        let mut cookies = values.flat_map(Cookie::split_parse).filter_map(Result::ok);
        cookies.find(|cookie| cookie.name() == self.name()).map(|cookie| cookie.value().to_owned())
    }

    /// Value of the `Set-Cookie` that holds `token`. The browser forgets it after [`SESSION_LIFE`], when the session has
    /// ended at the latest.
    pub fn set(self, token: &str) -> Option<HeaderValue> {
        self.header(token, Duration::seconds(SESSION_LIFE.num_seconds()))
    }

    /// Value of the `Set-Cookie` that makes the browser forget the token.
    pub fn clear(self) -> Option<HeaderValue> {
        self.header("", Duration::ZERO)
    }

    /// `None` for a token that cannot stand in a header; no token of ours is such.
    fn header(self, token: &str, max_age: Duration) -> Option<HeaderValue> {
        let cookie = Cookie::build((self.name(), token))
            .path("/")
            .http_only(true)
            .same_site(SameSite::Strict)
            .secure(self.is_secure)
            .max_age(max_age);
        HeaderValue::try_from(cookie.to_string()).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECURE: SessionCookie = SessionCookie { is_secure: true };
    const LOCAL: SessionCookie = SessionCookie { is_secure: false };

    fn token(cookie: SessionCookie, value: &'static str) -> Option<String> {
        cookie.token(&HeaderMap::from_iter([(header::COOKIE, HeaderValue::from_static(value))]))
    }

    #[test]
    fn only_a_cookie_of_the_whole_name_counts() {
        let found = token(SECURE, "a=1; __Host-usage_export_session=t-_1; b=2");
        assert_eq!(found.as_deref(), Some("t-_1"));
        assert_eq!(token(SECURE, "usage_export_session=t; x__Host-usage_export_session=t"), None);
        assert_eq!(SECURE.token(&HeaderMap::new()), None);
    }

    #[test]
    fn the_first_of_two_cookies_of_the_name_counts() {
        assert_eq!(token(LOCAL, "usage_export_session=a; usage_export_session=b").as_deref(), Some("a"));
        let headers = ["usage_export_session=a", "usage_export_session=b"]
            .map(|value| (header::COOKIE, HeaderValue::from_static(value)));
        assert_eq!(LOCAL.token(&HeaderMap::from_iter(headers)).as_deref(), Some("a"));
    }

    #[test]
    fn malformed_cookies_are_passed_over() {
        let found = token(LOCAL, ";; =; =x; novalue; \"; a=b=c; usage_export_session=t ;%FF=%FF");
        assert_eq!(found.as_deref(), Some("t"));
        assert_eq!(token(LOCAL, "usage_export_session"), None);
        assert_eq!(token(LOCAL, "usage_export_session=").as_deref(), Some(""));
    }

    #[test]
    fn over_tls_the_cookie_is_bound_to_this_host() {
        let attributes = |cookie: SessionCookie| {
            let header = cookie.set("t").unwrap();
            let mut parts: Vec<_> = header.to_str().unwrap().split("; ").map(str::to_owned).collect();
            parts[1..].sort();
            parts
        };
        let secure =
            ["__Host-usage_export_session=t", "HttpOnly", "Max-Age=43200", "Path=/", "SameSite=Strict"];
        assert_eq!(attributes(SECURE), [&secure[..], &["Secure"]].concat());
        let local = ["usage_export_session=t", "HttpOnly", "Max-Age=43200", "Path=/", "SameSite=Strict"];
        assert_eq!(attributes(LOCAL), local);
        let cleared = LOCAL.clear().unwrap();
        assert!(cleared.to_str().unwrap().starts_with("usage_export_session=; "));
        assert!(cleared.to_str().unwrap().contains("; Max-Age=0"));
    }
}
