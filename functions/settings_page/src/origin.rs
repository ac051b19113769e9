//! Whether a request that changes something comes from our own page.

use lambda_http::http::{HeaderMap, StatusCode, header};
use usage_export::problem::Problem;

/// Refuses a POST that another site's page sent. Browsers say where a POST comes from; one that says nothing is refused
/// too. The cookie's `SameSite=Strict` is the first fence, this is the second.
///
/// # Errors
///
/// 403.
pub fn check(page_origin: &str, headers: &HeaderMap) -> Result<(), Problem> {
    let header = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let same = match header(header::ORIGIN) {
        Some(origin) => {
            // Behind a distribution the host is another one than people see: both count.
            let authority = origin.split_once("://").map(|(_, authority)| authority);
            origin == page_origin || (authority.is_some() && authority == header(header::HOST))
        }
        None => headers.get("sec-fetch-site").is_some_and(|site| site == "same-origin"),
    };
    if same {
        return Ok(());
    }
    let detail = format!("This form was sent from another site. Open {page_origin} and try again there.");
    Err(Problem::new(StatusCode::FORBIDDEN, detail))
}

#[cfg(test)]
mod tests {
    use lambda_http::http::{HeaderName, HeaderValue};

    use super::*;

    fn allowed(headers: &[(&'static str, &'static str)]) -> bool {
        let headers = headers
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
        check("https://app.example.com", &headers.collect()).is_ok()
    }

    #[test]
    fn only_our_own_page_may_post() {
        assert!(allowed(&[("origin", "https://app.example.com"), ("host", "id.execute-api.example.com")]));
        assert!(allowed(&[
            ("origin", "https://id.execute-api.example.com"),
            ("host", "id.execute-api.example.com")
        ]));
        assert!(allowed(&[("sec-fetch-site", "same-origin")]));
        assert!(!allowed(&[]));
        assert!(!allowed(&[("sec-fetch-site", "cross-site")]));
        assert!(!allowed(&[("origin", "null"), ("host", "app.example.com")]));
        assert!(!allowed(&[("origin", "https://app.example.com.evil.example"), ("host", "app.example.com")]));
        assert!(!allowed(&[("origin", "https://evil.example"), ("sec-fetch-site", "same-origin")]));
    }
}
