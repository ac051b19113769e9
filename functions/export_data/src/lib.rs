//! `POST /export_data`: accepts an export and queues it.

use aws_sdk_sqs::Client as Sqs;
use chrono::{DateTime, TimeDelta, Utc};
use lambda_http::http::{HeaderValue, StatusCode, header};
use lambda_http::{Request, RequestExt, Response};
use serde_json::{Value, json};
use usage_export::auth::{authenticate, authorize};
use usage_export::directory::Directory;
use usage_export::dynamo::StoreError;
use usage_export::export::create::{Created, IdempotencyMark};
use usage_export::export::request::{ExportCall, Scope};
use usage_export::export::store::Exports;
use usage_export::export::{DataExport, State};
use usage_export::problem::{FieldError, Problem, RequestError};
use usage_export::timestamp;

/// When a caller who met the limit of unfinished exports should try again, in seconds.
const RETRY_AFTER_SECONDS: u32 = 60;

/// The longest `Idempotency-Key`, in bytes.
const MAX_IDEMPOTENCY_KEY_BYTES: usize = 255;

/// A repeated request whose export is still REQUESTED after this long sends the message again: the first request may
/// have died before it did. A message too many does no harm.
const MESSAGE_LOST_AFTER: TimeDelta = TimeDelta::seconds(30);

/// What the handler borrows.
pub struct Context {
    /// Keys, members, workspaces.
    pub directory: Directory,
    /// Where the export is put.
    pub exports: Exports,
    /// Where its id is sent.
    pub sqs: Sqs,
    /// The queue of the worker.
    pub queue_url: String,
    /// Unfinished exports that one organization may have.
    pub active_limit: u32,
}

/// Answers one request. Every refusal is a problem document; `now` is the time of the request.
pub async fn handle(context: &Context, request: Request, now: DateTime<Utc>) -> Response<String> {
    let request_id = request.lambda_context().request_id;
    match accept(context, &request, now).await {
        Ok(export) => answer(&export),
        Err(error) => error.into_response(&request_id),
    }
}

async fn accept(
    context: &Context,
    request: &Request,
    now: DateTime<Utc>,
) -> Result<DataExport, RequestError> {
    let headers = request.headers();
    let key = authenticate(&context.directory, headers, now).await?;
    let body: &[u8] = request.body().as_ref();
    let call = ExportCall::parse(body)?;
    let mark = idempotency_mark(request, &call.user_id, body)?;
    let caller = authorize(&context.directory, &key, headers, &call.user_id).await?;
    check_workspaces(context, &caller.organization_id, &call.request.scope).await?;

    let export = DataExport::new(&caller.organization_id, &caller.user_id, call.request, now);
    match context.exports.create(&export, mark.as_ref(), context.active_limit).await? {
        Created::New => {
            let id = &export.data_export_id;
            send(context, &export, mark.as_ref()).await?;
            tracing::info!(
                data_export_id = id,
                organization_id = export.organization_id,
                "accepted export {id}"
            );
            Ok(export)
        }
        Created::Replayed(first) => {
            if first.state == State::Requested && now - first.created_ts > MESSAGE_LOST_AFTER {
                send_message(context, &first.data_export_id).await?;
            }
            Ok(*first)
        }
        Created::KeyReused => Err(Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "This Idempotency-Key was used with another body. Use a new key for a new export.",
        )
        .into()),
        Created::LimitReached => Err(too_many(context.active_limit).into()),
    }
}

/// The mark of the `Idempotency-Key` header, if it was sent.
fn idempotency_mark(
    request: &Request,
    user_id: &str,
    body: &[u8],
) -> Result<Option<IdempotencyMark>, Problem> {
    const NAME: &str = "Idempotency-Key";
    let Some(key) = request.headers().get(NAME) else { return Ok(None) };
    let key = key.to_str().map_err(|_| Problem::field(NAME, "must be printable ASCII"))?.trim();
    if key.is_empty() || key.len() > MAX_IDEMPOTENCY_KEY_BYTES {
        return Err(Problem::field(NAME, format!("must have 1 to {MAX_IDEMPOTENCY_KEY_BYTES} characters")));
    }
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    Ok(Some(IdempotencyMark::new(user_id, key, &body)))
}

/// Refuses workspaces that are not the organization's.
async fn check_workspaces(
    context: &Context,
    organization_id: &str,
    scope: &Scope,
) -> Result<(), RequestError> {
    if scope.workspace_ids.is_empty() {
        return Ok(());
    }
    let known = context.directory.workspaces_of(organization_id, &scope.workspace_ids).await?;
    let unknown: Vec<_> = scope.workspace_ids.iter().filter(|id| !known.contains_key(*id)).collect();
    let Some(first) = unknown.first() else { return Ok(()) };
    let others = match unknown.len() - 1 {
        0 => String::new(),
        others => format!(" and {others} more"),
    };
    let message = format!("has a workspace that is not in the organization: {first}{others}");
    let error = FieldError::new("workspace_ids", message);
    Err(Problem::new(StatusCode::NOT_FOUND, "").with_errors(vec![error]).into())
}

fn too_many(active_limit: u32) -> Problem {
    let detail = format!(
        "The organization already has {active_limit} unfinished exports. Try again when one of them has finished."
    );
    let mut problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, detail);
    problem.retry_after = Some(RETRY_AFTER_SECONDS);
    problem
}

/// Sends the message; takes the export back if that fails, so that nothing waits for a worker that never comes.
async fn send(
    context: &Context,
    export: &DataExport,
    mark: Option<&IdempotencyMark>,
) -> Result<(), RequestError> {
    let Err(error) = send_message(context, &export.data_export_id).await else { return Ok(()) };
    if context.exports.withdraw(export, mark).await? { Err(error.into()) } else { Ok(()) }
}

async fn send_message(context: &Context, data_export_id: &str) -> Result<(), StoreError> {
    let body = json!({"data_export_id": data_export_id}).to_string();
    context
        .sqs
        .send_message()
        .queue_url(&context.queue_url)
        .message_body(body)
        .send()
        .await
        .map_err(StoreError::aws("sqs:SendMessage"))?;
    Ok(())
}

/// The first answer, and the same again for every repeat: whatever became of the export, it was REQUESTED then.
fn answer(export: &DataExport) -> Response<String> {
    let body = json!({
        "success": true,
        "data_export_id": export.data_export_id,
        "state": State::Requested.name(),
        "created_ts": timestamp::to_text(export.created_ts),
    });
    let mut response = Response::new(body.to_string());
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
