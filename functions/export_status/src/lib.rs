//! `GET /export_status`, `GET /exports` and `GET /audit`: the state of an export, its file, the history of an organization's exports,
//! and who did what with them.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use lambda_http::http::{HeaderValue, Method, header};
use lambda_http::request::RequestContext;
use lambda_http::{Body, Request, RequestExt, Response};
use serde::Serialize;
use usage_export::audit::AuditTrail;
use usage_export::audit::event::{EventType, Via};
use usage_export::auth::attempt::Attempt;
use usage_export::auth::{authenticate, authorize};
use usage_export::config::Sharing;
use usage_export::directory::Directory;
use usage_export::export::State;
use usage_export::export::answer::{ExportAnswer, History, HistoryEntry};
use usage_export::export::document::Document;
use usage_export::export::download::ExportFiles;
use usage_export::export::request::{HistoryCall, StatusCall, Wanted};
use usage_export::export::store::Exports;
use usage_export::problem::{Problem, RequestError};
use usage_export::rate_limit::RateLimit;

mod audit;
mod download;

/// What the handler needs for a request; made once at the start of the function.
pub struct Context {
    /// Where API keys and members are looked up.
    pub directory: Directory,
    /// How many requests a key may make.
    pub rate_limit: RateLimit,
    /// The table of exports.
    pub exports: Exports,
    /// Who did what with exports.
    pub audit_trail: AuditTrail,
    /// The files of completed exports.
    pub files: ExportFiles,
    /// Whether administrators may have each other's files.
    pub sharing: Sharing,
}

/// Answers one request at `now`. A refusal is a problem document; see [`usage_export::problem`].
pub async fn handle(context: &Context, request: Request, now: DateTime<Utc>) -> Response<Body> {
    let request_id = request.lambda_context().request_id;
    let attempt = attempt(&request, now);
    let path = request.uri().path();
    let answered = if request.method() != Method::GET {
        Err(Problem::only_takes("GET").into())
    } else if path.ends_with("/exports") {
        history(context, &request, &attempt).await
    } else if path.ends_with("/audit") {
        audit::answer(context, &request, &attempt).await
    } else {
        status(context, &request, &attempt).await
    };
    match answered {
        Ok(response) => response,
        Err(error) => {
            if let RequestError::Refused(problem) = &error {
                attempt.record_refusal(&context.audit_trail, problem).await;
            }
            error.into_response(&request_id).map(Body::from)
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

async fn status(
    context: &Context,
    request: &Request,
    attempt: &Attempt,
) -> Result<Response<Body>, RequestError> {
    let key = authenticate(&context.directory, &context.rate_limit, request.headers(), attempt).await?;
    let StatusCall { user_id, data_export_id, wanted } = StatusCall::parse(parameter(request))?;
    let caller = authorize(&context.directory, &key, request.headers(), &user_id, attempt).await?;
    let export = context.exports.get_shared_with(&caller, &data_export_id, context.sharing).await?;
    let (document, event_type) = match wanted {
        Wanted::File if export.state == State::Completed => {
            (Document::file(&export, attempt.now)?, EventType::ExportDownloaded)
        }
        Wanted::Manifest if export.state == State::Completed => {
            (Document::manifest(&export, attempt.now)?, EventType::ManifestDownloaded)
        }
        _ => return Ok(json_response(&ExportAnswer::new(&export))),
    };
    let response = download::answer(&context.files, &document).await?;
    // Nobody gets a file of whom the trail does not tell.
    context.audit_trail.record(&attempt.event(&caller, event_type).of_export(&data_export_id)).await?;
    Ok(response)
}

async fn history(
    context: &Context,
    request: &Request,
    attempt: &Attempt,
) -> Result<Response<Body>, RequestError> {
    let key = authenticate(&context.directory, &context.rate_limit, request.headers(), attempt).await?;
    let HistoryCall { user_id, cursor, mine } = HistoryCall::parse(parameter(request))?;
    let caller = authorize(&context.directory, &key, request.headers(), &user_id, attempt).await?;
    let (organization_id, cursor) = (&caller.organization_id, cursor.as_deref());
    let (exports, next_cursor) = if mine {
        context.exports.history(organization_id, &caller.user_id, cursor).await?
    } else {
        context.exports.history_of_organization(organization_id, cursor).await?
    };
    let owners: BTreeSet<_> = exports.iter().map(|export| export.user_id.as_str()).collect();
    let members = context.directory.members(organization_id, owners).await?;
    let entries = exports.iter().map(|export| {
        let owner = members.get(&export.user_id);
        HistoryEntry::new(export, owner.map(|member| member.email.as_str()))
    });
    Ok(json_response(&History { exports: entries.collect(), next_cursor }))
}

/// The first value of a query parameter, decoded.
fn parameter<'a>(request: &'a Request) -> impl Fn(&str) -> Option<&'a str> {
    |name| request.query_string_parameters_ref()?.first(name)
}

fn json_response(answer: &impl Serialize) -> Response<Body> {
    let mut response = Response::new(Body::from(serde_json::to_string(answer).unwrap_or_default()));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
