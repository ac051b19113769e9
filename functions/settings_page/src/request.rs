//! What handlers read of a request.

use std::borrow::Cow;

use axum::extract::{FromRequestParts, Path};
use axum::http::HeaderMap;
use axum::http::request::Parts;

use crate::error::PageError;

/// The part of the path that a route captures, percent-decoded: an export's id, an asset's name.
#[derive(Debug)]
pub struct Captured(pub String);

impl<S: Send + Sync> FromRequestParts<S> for Captured {
    type Rejection = PageError;

    /// axum's own rejection of a part that is not UTF-8 would be a line of text; this one is the page for 404.
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, PageError> {
        let captured = Path::from_request_parts(parts, state).await;
        captured.map(|Path(text)| Self(text)).map_err(|_| PageError::not_found())
    }
}

/// Whether htmx asks for a part of the page.
pub fn is_fragment(headers: &HeaderMap) -> bool {
    headers.contains_key("hx-request")
}

/// The first parameter of this name in a query string, decoded. A query that is malformed elsewhere is no hindrance.
pub fn parameter<'a>(query: Option<&'a str>, name: &str) -> Option<Cow<'a, str>> {
    form_urlencoded::parse(query?.as_bytes()).find(|(found, _)| found == name).map(|(_, value)| value)
}
