//! What a caller is told when a request is refused: problem details by RFC 9457.
//!
//! | type             | for                                                                                       |
//! | ---------------- | ----------------------------------------------------------------------------------------- |
//! | [`Problem`]      | a refusal: a text that says what was wrong and what to do                                 |
//! | [`FieldError`]   | one field of the request, and what is wrong with it                                       |
//! | [`RequestError`] | what a handler returns: a [`Problem`], or an internal error whose cause is logged once     |
//!
//! [`refusal`] has what callers of the API are told, [`crate::error`] every other error type.
//!
//! <https://www.rfc-editor.org/rfc/rfc9457>

use http::{HeaderValue, Response, StatusCode, header};
use serde::Serialize;

use crate::error::AwsError;

pub mod refusal;

/// The media type of every refusal.
pub const CONTENT_TYPE: &str = "application/problem+json";

/// A refusal: its status, a sentence that says what to do, and the fields at fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The HTTP status of the answer.
    pub status: StatusCode,
    /// What was wrong and what to do, in a sentence.
    pub detail: String,
    /// One entry for each field at fault.
    pub errors: Vec<FieldError>,
    /// After how many seconds a retry makes sense, for the header `Retry-After`.
    pub retry_after: Option<u32>,
    /// The methods that the address takes, for the header `Allow` of a 405.
    pub allow: Option<&'static str>,
}

/// A field of the request, and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FieldError {
    /// The field's name in the request: a member, a parameter or a header.
    pub field: String,
    /// What is wrong with the field, in words that follow its name, such as `is required`.
    pub message: String,
}

/// Problem details by RFC 9457.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "Problem"))]
pub struct ProblemDocument<'a> {
    #[cfg_attr(feature = "schema", schemars(extend("const" = "about:blank")))]
    r#type: &'static str,
    /// The name of the status.
    title: &'a str,
    /// The status of the answer.
    #[cfg_attr(feature = "schema", schemars(range(min = 400, max = 599)))]
    status: u16,
    /// What was wrong and what to do.
    detail: &'a str,
    /// To quote to us.
    request_id: &'a str,
    /// The fields at fault; absent if none is.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    #[cfg_attr(feature = "schema", schemars(length(min = 1)))]
    errors: &'a [FieldError],
}

impl FieldError {
    /// Blames a field. `message` follows the field's name in a sentence, such as `is required`.
    pub fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { field: field.into(), message: message.into() }
    }
}

impl Problem {
    /// A refusal for which no field is to blame.
    ///
    /// ```
    /// use http::StatusCode;
    /// use usage_export::problem::Problem;
    /// let problem = Problem::new(StatusCode::FORBIDDEN, "Only administrators may export.");
    /// let response = problem.into_response("request-1");
    /// assert_eq!(response.status(), 403);
    /// assert_eq!(response.headers()["content-type"], "application/problem+json");
    /// assert!(response.body().contains(r#""request_id":"request-1""#));
    /// ```
    pub fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self { status, detail: detail.into(), errors: Vec::new(), retry_after: None, allow: None }
    }

    /// A 405 that names the method which the address takes.
    ///
    /// ```
    /// use usage_export::problem::Problem;
    /// let response = Problem::only_takes("POST").into_response("request-1");
    /// assert_eq!((response.status().as_u16(), &response.headers()["allow"]), (405, &"POST".parse()?));
    /// # Ok::<(), http::header::InvalidHeaderValue>(())
    /// ```
    pub fn only_takes(method: &'static str) -> Self {
        let detail = format!("This address takes {method} and no other method.");
        Self { allow: Some(method), ..Self::new(StatusCode::METHOD_NOT_ALLOWED, detail) }
    }

    /// A 500: the fault is ours. Its cause is logged with this request id.
    pub fn internal(request_id: &str) -> Self {
        let detail = format!(
            "Something went wrong on our side. Try again; if it goes on, quote request {request_id}."
        );
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, detail)
    }

    /// A 400 that blames several fields. Its detail is made from them, so that the detail alone is enough to correct the
    /// request.
    ///
    /// ```
    /// use usage_export::problem::{FieldError, Problem};
    /// let errors = ["user_id", "end_date"].map(|field| FieldError::new(field, "is required"));
    /// assert_eq!(Problem::fields(errors.into()).detail, "user_id is required; end_date is required.");
    /// ```
    pub fn fields(errors: Vec<FieldError>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "").with_errors(errors)
    }

    /// A 400 that blames one field.
    ///
    /// ```
    /// use usage_export::problem::Problem;
    /// let problem = Problem::field("cursor", "is not the next_cursor of an earlier page");
    /// assert_eq!((problem.status.as_u16(), problem.errors.len()), (400, 1));
    /// ```
    pub fn field(field: &str, message: impl Into<String>) -> Self {
        Self::fields(vec![FieldError::new(field, message)])
    }

    /// Adds the fields at fault. An empty detail is made from them.
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

    /// The body of the answer to the request with this id.
    pub fn document<'a>(&'a self, request_id: &'a str) -> ProblemDocument<'a> {
        ProblemDocument {
            r#type: "about:blank",
            title: self.status.canonical_reason().unwrap_or("Error"),
            status: self.status.as_u16(),
            detail: &self.detail,
            request_id,
            errors: &self.errors,
        }
    }

    /// The refusal as an answer, which no cache keeps. `request_id` is in it, so that the caller can quote it to us.
    pub fn into_response(self, request_id: &str) -> Response<String> {
        let body = serde_json::to_string(&self.document(request_id)).unwrap_or_default();
        let mut response = Response::new(body);
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(CONTENT_TYPE));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if let Some(methods) = self.allow {
            headers.insert(header::ALLOW, HeaderValue::from_static(methods));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

/// Why a handler has no result.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    /// The caller can correct the request.
    #[error("refused: {}", .0.detail)]
    Refused(Problem),
    /// The fault is ours. The caller sees a request id and no cause.
    #[error(transparent)]
    Internal(#[from] AwsError),
}

impl From<Problem> for RequestError {
    fn from(problem: Problem) -> Self {
        Self::Refused(problem)
    }
}

impl RequestError {
    /// Logs the error once and turns it into the answer for the caller.
    pub fn into_response(self, request_id: &str) -> Response<String> {
        self.into_problem(request_id).into_response(request_id)
    }

    /// Logs the error once and turns it into what the caller is told, for a handler that shows refusals in another form
    /// than JSON. An internal error becomes a 500 that has the request id and nothing of the cause.
    ///
    /// ```
    /// use usage_export::error::AwsError;
    /// use usage_export::problem::RequestError;
    /// let error = RequestError::from(AwsError::corrupt("ORG#org_1", "missing field `tier`"));
    /// let problem = error.into_problem("request-1");
    /// assert_eq!(problem.status, 500);
    /// assert!(problem.detail.contains("request-1") && !problem.detail.contains("org_1"));
    /// ```
    pub fn into_problem(self, request_id: &str) -> Problem {
        match self {
            Self::Refused(problem) => {
                let status = problem.status.as_u16();
                tracing::info!(request_id, status, "refused request {request_id} with {status}");
                problem
            }
            Self::Internal(error) => {
                tracing::error!(request_id, error = %error, "request {request_id} failed: {error}");
                Problem::internal(request_id)
            }
        }
    }
}
