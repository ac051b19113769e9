//! Refuses forms that another site's page sent.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use usage_export::config::Origin;
use usage_export::problem::Problem;

use crate::error::PageError;
use crate::state::AppState;

/// Runs the handler only for a request that a page of the same origin sent. Browsers say with every POST where it comes
/// from; a POST that says nothing is refused too. The session cookie's `SameSite=Strict` is the first line of defence,
/// this is the second.
///
/// # Errors
///
/// 403 for a request from another origin.
pub async fn require_same_origin(
    State(state): State<Arc<AppState>>,
    request: Request,
    next: Next,
) -> Result<Response, PageError> {
    let origin = &state.origin;
    if is_same_origin(origin, request.headers()) {
        return Ok(next.run(request).await);
    }
    let detail = format!("This form was sent from another site. Open {origin} and try again there.");
    Err(Problem::new(StatusCode::FORBIDDEN, detail).into())
}

fn is_same_origin(page_origin: &Origin, headers: &HeaderMap) -> bool {
    let header = |name| headers.get(name).and_then(|value| value.to_str().ok());
    match header(header::ORIGIN) {
        Some(origin) => {
            // Behind a CDN, `Host` is the API's own name and not the one that people see. Both count as the page's, over TLS if
            // people see the page over TLS: whoever can forge plain HTTP must not post to it.
            let scheme = if page_origin.is_https() { "https://" } else { "http://" };
            let authority = origin.strip_prefix(scheme);
            origin == page_origin.as_str() || (authority.is_some() && authority == header(header::HOST))
        }
        None => headers.get("sec-fetch-site").is_some_and(|site| site == "same-origin"),
    }
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};

    use super::*;

    fn allowed(headers: &[(&'static str, &'static str)]) -> bool {
        let headers = headers
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
        let page_origin = "https://app.example.com".parse().expect("an origin");
        is_same_origin(&page_origin, &headers.collect())
    }

    #[test]
    fn only_the_page_itself_may_post() {
        assert!(allowed(&[("origin", "https://app.example.com"), ("host", "id.execute-api.example.com")]));
        assert!(allowed(&[
            ("origin", "https://id.execute-api.example.com"),
            ("host", "id.execute-api.example.com")
        ]));
        for origin in ["http://app.example.com", "http://id.execute-api.example.com", "ftp://app.example.com"]
        {
            let host = origin.split_once("://").expect("a scheme").1;
            assert!(!allowed(&[("origin", origin), ("host", host)]), "{origin}");
        }
        assert!(allowed(&[("sec-fetch-site", "same-origin")]));
        assert!(!allowed(&[]));
        assert!(!allowed(&[("sec-fetch-site", "cross-site")]));
        assert!(!allowed(&[("origin", "null"), ("host", "app.example.com")]));
        assert!(!allowed(&[("origin", "https://app.example.com.evil.example"), ("host", "app.example.com")]));
        assert!(!allowed(&[("origin", "https://evil.example"), ("sec-fetch-site", "same-origin")]));
    }
}
