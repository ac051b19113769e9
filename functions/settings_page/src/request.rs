//! What handlers read of a request.

use std::borrow::Cow;

use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;

use usage_export::export::request::check_id;
use usage_export::problem::Problem;

use crate::error::PageError;

/// The part of the path that a route captures, percent-decoded: an export's id, an asset's name.
#[derive(Debug)]
pub struct Captured(pub String);

impl<S: Send + Sync> FromRequestParts<S> for Captured {
    type Rejection = PageError;

    /// Rejects a part that is not UTF-8, for which axum's own rejection is no page, and an empty or a long part, which
    /// DynamoDB does not take as a key.
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, PageError> {
        match Path::<String>::from_request_parts(parts, state).await {
            Ok(Path(text)) if !text.is_empty() => match check_id("The id in this address", &text) {
                Ok(()) => Ok(Self(text)),
                Err(error) => Err(Problem::fields(vec![error]).into()),
            },
            _ => Err(PageError::not_found()),
        }
    }
}

/// The first parameter of this name in a query string, decoded. A query that is malformed elsewhere is no hindrance.
pub fn parameter<'a>(query: Option<&'a str>, name: &str) -> Option<Cow<'a, str>> {
    form_urlencoded::parse(query?.as_bytes()).find(|(found, _)| found == name).map(|(_, value)| value)
}
