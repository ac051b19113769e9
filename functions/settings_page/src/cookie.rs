//! The cookie that holds a session's token.

use lambda_http::http::{HeaderMap, header};
use usage_export::auth::session::SESSION_LIFE;

/// How the cookie is named and fenced. Over TLS the prefix `__Host-` makes the browser refuse one that another host or
/// path set; over plain HTTP, which only a local system has, browsers refuse the prefix itself.
/// <https://developer.mozilla.org/en-US/docs/Web/HTTP/Reference/Headers/Set-Cookie#cookie_prefixes>
#[derive(Debug, Clone, Copy)]
pub struct SessionCookie {
    name: &'static str,
    attributes: &'static str,
}

impl SessionCookie {
    /// The cookie of a page with this origin.
    pub fn of_origin(origin: &str) -> Self {
        if origin.starts_with("https://") {
            Self {
                name: "__Host-usage_export_session",
                attributes: "Path=/; HttpOnly; SameSite=Strict; Secure",
            }
        } else {
            Self { name: "usage_export_session", attributes: "Path=/; HttpOnly; SameSite=Strict" }
        }
    }

    /// The token that the browser sent.
    pub fn token(self, headers: &HeaderMap) -> Option<&str> {
        let cookies = headers.get_all(header::COOKIE).iter().filter_map(|cookies| cookies.to_str().ok());
        cookies
            .flat_map(|cookies| cookies.split(';'))
            .filter_map(|cookie| cookie.trim().split_once('='))
            .find(|(name, _)| *name == self.name)
            .map(|(_, token)| token)
    }

    /// `Set-Cookie` with a token. The browser forgets it when the session has ended at the latest.
    pub fn set(self, token: &str) -> String {
        format!("{}={token}; {}; Max-Age={}", self.name, self.attributes, SESSION_LIFE.num_seconds())
    }

    /// `Set-Cookie` that makes the browser forget it.
    pub fn clear(self) -> String {
        format!("{}=; {}; Max-Age=0", self.name, self.attributes)
    }
}

#[cfg(test)]
mod tests {
    use lambda_http::http::HeaderValue;

    use super::*;

    #[test]
    fn only_a_cookie_of_the_whole_name_counts() {
        let cookie = SessionCookie::of_origin("https://app.example.com");
        let token = |value: &'static str| {
            let headers = HeaderMap::from_iter([(header::COOKIE, HeaderValue::from_static(value))]);
            cookie.token(&headers).map(str::to_owned)
        };
        assert_eq!(token("a=1; __Host-usage_export_session=t-_1; b=2").as_deref(), Some("t-_1"));
        assert_eq!(token("usage_export_session=t; x__Host-usage_export_session=t"), None);
        assert_eq!(cookie.token(&HeaderMap::new()), None);
    }

    #[test]
    fn over_tls_it_is_fenced_to_this_host() {
        let secure = SessionCookie::of_origin("https://app.example.com").set("t");
        assert!(
            secure.starts_with("__Host-usage_export_session=t; Path=/; HttpOnly; SameSite=Strict; Secure; ")
        );
        let local = SessionCookie::of_origin("http://127.0.0.1:8080").set("t");
        assert_eq!(local, "usage_export_session=t; Path=/; HttpOnly; SameSite=Strict; Max-Age=43200");
    }
}
