//! The cookie that holds a session's token.

use axum::http::{HeaderMap, HeaderValue, header};
use cookie::time::Duration;
use cookie::{Cookie, SameSite};

use super::SESSION_LIFE;
use crate::state::AppState;

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

    /// Value of the `Set-Cookie` that holds `token`. The browser forgets the token after [`SESSION_LIFE`]; the session has
    /// ended by then.
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
