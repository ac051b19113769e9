//! What a caller is told when a request is refused: RFC 9457 problem details.
//!
//! | type             | for                                                                                       |
//! | ---------------- | ----------------------------------------------------------------------------------------- |
//! | [`Problem`]      | the fixed, helpful text that the caller reads                                             |
//! | [`RequestError`] | what a handler returns: a [`Problem`], or an internal failure whose cause is logged once  |
//!
//! <https://www.rfc-editor.org/rfc/rfc9457>

use http::{HeaderValue, Response, StatusCode, header};
use serde::Serialize;

use crate::error::AwsError;

/// The media type of every refusal.
pub const CONTENT_TYPE: &str = "application/problem+json";

/// A refusal: status, a sentence that says what to do, and the fields at fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// HTTP status.
    pub status: StatusCode,
    /// What was wrong and what to do.
    pub detail: String,
    /// One entry for each field at fault.
    pub errors: Vec<FieldError>,
    /// Seconds after which a retry makes sense, for `Retry-After`.
    pub retry_after: Option<u32>,
}

/// A field of the request, and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldError {
    /// Its name, as the caller wrote it.
    pub field: String,
    /// What is wrong, in a sentence without the name.
    pub message: String,
}

impl FieldError {
    /// A field and what is wrong with it.
    pub fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { field: field.into(), message: message.into() }
    }
}

impl Problem {
    /// A refusal that no field is to blame for.
    pub fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self { status, detail: detail.into(), errors: Vec::new(), retry_after: None }
    }

    /// 400 that names fields. The detail is made from them, so that it alone is enough to mend the request.
    pub fn fields(errors: Vec<FieldError>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "").with_errors(errors)
    }

    /// 400 that names one field.
    pub fn field(field: &str, message: impl Into<String>) -> Self {
        Self::fields(vec![FieldError::new(field, message)])
    }

    /// Names the fields at fault; an empty detail is made from them.
    #[must_use]
    pub fn with_errors(mut self, errors: Vec<FieldError>) -> Self {
        if self.detail.is_empty() {
            let sentences: Vec<_> =
                errors.iter().map(|error| format!("{} {}", error.field, error.message)).collect();
            self.detail = format!("{}.", sentences.join("; "));
        }
        self.errors = errors;
        self
    }

    /// The refusal as a response. `request_id` is what the caller can quote to us.
    pub fn into_response(self, request_id: &str) -> Response<String> {
        #[derive(Serialize)]
        struct Document<'a> {
            r#type: &'static str,
            title: &'a str,
            status: u16,
            detail: &'a str,
            request_id: &'a str,
            #[serde(skip_serializing_if = "<[_]>::is_empty")]
            errors: &'a [FieldError],
        }
        let document = Document {
            r#type: "about:blank",
            title: self.status.canonical_reason().unwrap_or("Error"),
            status: self.status.as_u16(),
            detail: &self.detail,
            request_id,
            errors: &self.errors,
        };
        let body = serde_json::to_string(&document).unwrap_or_default();
        let mut response = Response::new(body);
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(CONTENT_TYPE));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

/// Why a handler gives no result.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    /// The caller can mend it.
    #[error("refused: {}", .0.detail)]
    Refused(Problem),
    /// We must mend it; the caller only sees a request id.
    #[error(transparent)]
    Internal(#[from] AwsError),
}

impl From<Problem> for RequestError {
    fn from(problem: Problem) -> Self {
        Self::Refused(problem)
    }
}

impl RequestError {
    /// Logs the cause once, then says to the caller only what helps the caller.
    pub fn into_response(self, request_id: &str) -> Response<String> {
        self.into_problem(request_id).into_response(request_id)
    }

    /// The same, for a handler that shows refusals in another form.
    pub fn into_problem(self, request_id: &str) -> Problem {
        match self {
            Self::Refused(problem) => {
                let status = problem.status.as_u16();
                tracing::info!(request_id, status, "refused request {request_id} with {status}");
                problem
            }
            Self::Internal(error) => {
                tracing::error!(request_id, error = %error, "request {request_id} failed: {error}");
                Problem::new(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    format!(
                        "Something went wrong on our side. Try again; if it goes on, quote request {request_id}."
                    ),
                )
            }
        }
    }
}
