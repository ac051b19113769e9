//! The page that tells of a refusal or a failure.

use askama::Template;
use axum::http::StatusCode;
use usage_export::auth::Caller;
use usage_export::problem::Problem;

use super::layout::Layout;

/// Values of `error.html`.
#[derive(Debug, Template)]
#[template(path = "error.html")]
pub struct ErrorPage<'a> {
    layout: Layout,
    status: u16,
    title: &'static str,
    detail: &'a str,
    /// What the reader can quote to whoever looks into the logs.
    request_id: &'a str,
}

impl<'a> ErrorPage<'a> {
    /// Tells `reader`, if somebody is signed in, of `problem`, met by the request with this id.
    pub fn new(problem: &'a Problem, request_id: &'a str, reader: Option<&Caller>) -> Self {
        let title = match problem.status {
            StatusCode::FORBIDDEN => "You can’t do this",
            StatusCode::NOT_FOUND => "Nothing here",
            StatusCode::METHOD_NOT_ALLOWED => "That doesn’t work here",
            status if status.is_server_error() => "Something went wrong",
            _ => "That didn’t work",
        };
        Self {
            layout: reader.map_or_else(Layout::anonymous, Layout::signed_in),
            status: problem.status.as_u16(),
            title,
            detail: &problem.detail,
            request_id,
        }
    }
}
