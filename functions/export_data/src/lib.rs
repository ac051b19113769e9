//! `POST /export_data` makes an export and queues it for the worker; `POST /cancel_export` cancels one.

use chrono::{DateTime, Utc};
use lambda_http::http::{HeaderValue, Method, header};
use lambda_http::request::RequestContext;
use lambda_http::{Request, RequestExt, Response};
use serde::Serialize;
use serde_json::Value;
use usage_export::audit::event::Via;
use usage_export::auth::attempt::Attempt;
use usage_export::auth::{Caller, authenticate, authorize};
use usage_export::directory::Directory;
use usage_export::export::DataExport;
use usage_export::export::answer::{Accepted, ExportAnswer};
use usage_export::export::request::{CancelCall, ExportCall, MAX_IDEMPOTENCY_KEY_BYTES};
use usage_export::export::store::idempotency::IdempotencyKey;
use usage_export::export::submit::Submitter;
use usage_export::problem::{Problem, RequestError};
use usage_export::rate_limit::RateLimit;

/// What the handler needs for a request; made once at the start of the function.
pub struct Context {
    /// Where API keys, members and workspaces are looked up.
    pub directory: Directory,
    /// How many requests a key may make.
    pub rate_limit: RateLimit,
    /// Makes exports from requests and queues them.
    pub submitter: Submitter,
}

/// Answers one request at `now`. A refusal is a problem document; see [`usage_export::problem`].
pub async fn handle(context: &Context, request: Request, now: DateTime<Utc>) -> Response<String> {
    let request_id = request.lambda_context().request_id;
    let attempt = attempt(&request, now);
    let answered = if request.method() != Method::POST {
        Err(Problem::only_takes("POST").into())
    } else if request.uri().path().ends_with("/cancel_export") {
        cancel(context, &request, &attempt).await.map(|export| json_response(&ExportAnswer::new(&export)))
    } else {
        submit(context, &request, &attempt).await.map(|export| json_response(&Accepted::new(&export)))
    };
    match answered {
        Ok(response) => response,
        Err(error) => {
            if let RequestError::Refused(problem) = &error {
                attempt.record_refusal(&context.submitter.audit_trail, problem).await;
            }
            error.into_response(&request_id)
        }
    }
}

/// The request, for the audit trail.
fn attempt(request: &Request, now: DateTime<Utc>) -> Attempt {
    let source_ip = match request.request_context_ref() {
        Some(RequestContext::ApiGatewayV2(context)) => context.http.source_ip.as_deref(),
        _ => None,
    };
    Attempt::new(Via::Api, request.method(), request.uri().path(), request.headers(), source_ip, now)
}

async fn cancel(context: &Context, request: &Request, attempt: &Attempt) -> Result<DataExport, RequestError> {
    let headers = request.headers();
    let key = authenticate(&context.directory, &context.rate_limit, headers, attempt).await?;
    let call = CancelCall::parse(plain_body(request)?)?;
    let caller = authorize(&context.directory, &key, headers, &call.user_id, attempt).await?;
    let Submitter { exports, queue, audit_trail, .. } = &context.submitter;
    let id = &call.data_export_id;
    usage_export::export::cancel::cancel(exports, queue, audit_trail, &caller, id, attempt).await
}

async fn submit(context: &Context, request: &Request, attempt: &Attempt) -> Result<DataExport, RequestError> {
    let headers = request.headers();
    let key = authenticate(&context.directory, &context.rate_limit, headers, attempt).await?;
    let body = plain_body(request)?;
    let call = ExportCall::parse(body)?;
    let caller = authorize(&context.directory, &key, headers, &call.user_id, attempt).await?;
    let idempotency_key = idempotency_key(request, &caller, body)?;
    context.submitter.submit(&caller, call.request, idempotency_key.as_ref(), attempt).await
}

/// The body as it was sent. One that is compressed is refused and not unpacked: a few kilobytes can hold gigabytes, and no
/// request needs it.
fn plain_body(request: &Request) -> Result<&[u8], Problem> {
    match request.headers().get(header::CONTENT_ENCODING) {
        Some(encoding) if encoding != "identity" => {
            Err(Problem::field("Content-Encoding", "must be absent or identity: send the body uncompressed"))
        }
        _ => Ok(request.body().as_ref()),
    }
}

/// The `Idempotency-Key` header, if it was sent, with the body that it belongs to.
fn idempotency_key(
    request: &Request,
    caller: &Caller,
    body: &[u8],
) -> Result<Option<IdempotencyKey>, Problem> {
    const NAME: &str = "Idempotency-Key";
    let Some(key) = request.headers().get(NAME) else { return Ok(None) };
    let key = key.to_str().map_err(|_| Problem::field(NAME, "must be printable ASCII"))?.trim();
    if key.is_empty() || key.len() > MAX_IDEMPOTENCY_KEY_BYTES {
        return Err(Problem::field(NAME, format!("must have 1 to {MAX_IDEMPOTENCY_KEY_BYTES} characters")));
    }
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    Ok(Some(IdempotencyKey::new(&caller.organization_id, &caller.user_id, key, &body)))
}

fn json_response(answer: &impl Serialize) -> Response<String> {
    let mut response = Response::new(serde_json::to_string(answer).unwrap_or_default());
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
