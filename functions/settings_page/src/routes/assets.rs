//! The page's script and style sheet.

use axum::http::header;
use axum::response::{IntoResponse, Response};

use crate::assets;
use crate::error::PageError;
use crate::request::Captured;

/// A name never gets another content, so browsers and CDNs may keep it for good: a year is the most that they honour.
const CACHE_CONTROL: &str = "public, max-age=31536000, immutable";

/// The asset of this name.
pub(super) async fn asset(Captured(name): Captured) -> Result<Response, PageError> {
    let asset = assets::find(&name).ok_or_else(PageError::not_found)?;
    let headers = [(header::CONTENT_TYPE, asset.content_type), (header::CACHE_CONTROL, CACHE_CONTROL)];
    Ok((headers, asset.content).into_response())
}
