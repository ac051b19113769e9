//! Responses of the handlers: rendered templates and redirects.

use std::time::{Duration, Instant};

use askama::Template;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use usage_export::error::AwsError;

use crate::error::PageError;

/// How long a template took to render. It travels in the response's extensions to `Server-Timing`.
#[derive(Debug, Clone, Copy, Default)]
pub struct RenderTime(pub Duration);

/// Renders a template as an HTML response.
///
/// # Errors
///
/// Internal, if the template cannot be rendered.
pub fn html(status: StatusCode, template: &impl Template) -> Result<Response, PageError> {
    let began = Instant::now();
    let text = template.render().map_err(|error| AwsError::internal("template", &error))?;
    let mut response = (status, Html(text)).into_response();
    response.extensions_mut().insert(RenderTime(began.elapsed()));
    Ok(response)
}

/// Sends the browser to `location` with GET, after a form that was posted.
///
/// # Errors
///
/// Internal, if the location cannot be a header's value.
pub fn see_other(location: &str) -> Result<Response, PageError> {
    redirect(StatusCode::SEE_OTHER, location)
}

/// Sends the browser to `location` with a redirection status.
///
/// # Errors
///
/// Internal, if the location cannot be a header's value.
pub fn redirect(status: StatusCode, location: &str) -> Result<Response, PageError> {
    let location = HeaderValue::try_from(location).map_err(|error| AwsError::internal("location", &error))?;
    Ok((status, [(header::LOCATION, location)]).into_response())
}
