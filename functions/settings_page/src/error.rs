//! The error of a handler, rendered as a page by [`finish`](crate::middleware::finish).
//!
//! A handler returns [`PageError`]. As a response it has a status and no body yet, because only the outermost
//! middleware, `middleware::finish`, knows the request's id and who is signed in. It takes the
//! error out of the response and renders it.

use std::sync::Arc;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use usage_export::problem::{Problem, RequestError};

/// A refusal, or an internal failure whose cause is logged.
#[derive(Debug)]
pub struct PageError(pub RequestError);

/// The error inside a response. Extensions must be `Clone`, errors are not.
#[derive(Debug, Clone)]
struct Carried(Arc<PageError>);

impl PageError {
    /// 404 for an address at which there is nothing.
    pub fn not_found() -> Self {
        Problem::new(StatusCode::NOT_FOUND, "There is no page at this address.").into()
    }

    /// 405 for an address that takes other methods.
    pub fn method_not_allowed() -> Self {
        let detail = "This address does not take that kind of request.";
        Problem::new(StatusCode::METHOD_NOT_ALLOWED, detail).into()
    }

    /// Takes the error out of a response that was made from one.
    pub fn take(response: &mut Response) -> Option<Self> {
        let Carried(error) = response.extensions_mut().remove()?;
        Arc::into_inner(error)
    }
}

impl<E: Into<RequestError>> From<E> for PageError {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for PageError {
    fn into_response(self) -> Response {
        let status = match &self.0 {
            RequestError::Refused(problem) => problem.status,
            RequestError::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        };
        let mut response = status.into_response();
        response.extensions_mut().insert(Carried(Arc::new(self)));
        response
    }
}
