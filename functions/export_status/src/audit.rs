//! `GET /audit`: who did what with the exports of an organization, as JSON in pages or as CSV.

use std::collections::{BTreeMap, BTreeSet};

use lambda_http::http::{HeaderValue, header};
use lambda_http::{Body, Request, Response};
use serde_json::{Value, json};
use usage_export::audit::event::{Event, EventType};
use usage_export::audit::read::{Instants, Purpose, Selection};
use usage_export::auth::Caller;
use usage_export::auth::attempt::Attempt;
use usage_export::directory::Member;
use usage_export::problem::RequestError;

use crate::query::{AuditQuery, Query};
use crate::{Context, caller, json_response};

/// Answers with one page of events, or with all of an interval as CSV.
///
/// # Errors
///
/// 400 for parameters that are wrong or an interval with too many events; otherwise as for the other endpoints.
pub async fn answer(
    context: &Context,
    request: &Request,
    attempt: &Attempt,
) -> Result<Response<Body>, RequestError> {
    let (caller, query) = caller(context, request, attempt, Query::audit).await?;
    match query.interval {
        Some(instants) if query.is_file => file(context, &caller, instants, attempt).await,
        _ => page(context, &caller, &query).await,
    }
}

async fn page(
    context: &Context,
    caller: &Caller,
    query: &AuditQuery,
) -> Result<Response<Body>, RequestError> {
    let organization_id = &caller.organization_id;
    let selection = match (&query.data_export_id, query.interval) {
        (Some(data_export_id), _) => Selection::OfExport(data_export_id),
        (None, Some(instants)) => Selection::Within(instants),
        (None, None) => Selection::All,
    };
    let (events, next) =
        context.audit_trail.page(organization_id, selection, Purpose::List, query.cursor.as_ref()).await?;
    let users: BTreeSet<_> = events.iter().filter_map(|event| event.user_id.as_deref()).collect();
    let members = context.directory.members(organization_id, users).await?;
    let mut page = json!({"events": events.iter().map(|event| entry(event, &members)).collect::<Vec<_>>()});
    if let Some(next) = next {
        page["next_cursor"] = next.to_text().into();
    }
    Ok(json_response(&page))
}

/// An event with the email address of who did it.
fn entry(event: &Event, members: &BTreeMap<String, Member>) -> Value {
    let mut entry = event.to_json();
    if let Some(member) = event.user_id.as_ref().and_then(|user_id| members.get(user_id)) {
        entry["user_email"] = member.email.as_str().into();
    }
    entry
}

async fn file(
    context: &Context,
    caller: &Caller,
    instants: Instants,
    attempt: &Attempt,
) -> Result<Response<Body>, RequestError> {
    let csv = context.audit_trail.file(&context.directory, &caller.organization_id, instants).await?;
    context.audit_trail.record(&attempt.event(caller, EventType::AuditTrailDownloaded)).await?;
    let mut response = Response::new(Body::Binary(csv));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    let disposition = HeaderValue::from_static("attachment; filename=\"audit_trail.csv\"");
    headers.insert(header::CONTENT_DISPOSITION, disposition);
    Ok(response)
}
