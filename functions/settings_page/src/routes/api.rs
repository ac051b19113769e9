//! The API document and the page that shows it: for everybody, because they say nothing of anybody.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::error::PageError;
use crate::response::html;
use crate::views::api::ApiPage;

/// The document. `cargo xtask openapi` writes it.
const DOCUMENT: &str = include_str!("../../openapi.json");

/// The document, for programs.
pub(super) async fn document() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], DOCUMENT).into_response()
}

/// The document, for people.
pub(super) async fn page() -> Result<Response, PageError> {
    html(StatusCode::OK, &ApiPage::of(DOCUMENT)?)
}
