//! `GET /audit`: who did what with the exports of an organization, as JSON in pages or as CSV.

use std::collections::BTreeSet;

use lambda_http::http::{HeaderValue, header};
use lambda_http::{Body, Request, Response};
use usage_export::audit::answer::{EventAnswer, Events};
use usage_export::audit::call::{AuditCall, Cursor, Instants, WantedEvents};
use usage_export::audit::event::EventType;
use usage_export::audit::read::{Purpose, Selection};
use usage_export::auth::attempt::Attempt;
use usage_export::auth::{Caller, authenticate, authorize};
use usage_export::problem::RequestError;

use crate::{Context, json_response, parameter};

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
    let key = authenticate(&context.directory, &context.rate_limit, request.headers(), attempt).await?;
    let AuditCall { user_id, wanted } = AuditCall::parse(parameter(request))?;
    let caller = authorize(&context.directory, &key, request.headers(), &user_id, attempt).await?;
    match wanted {
        WantedEvents::File(instants) => file(context, &caller, instants, attempt).await,
        WantedEvents::Page { data_export_id: Some(id), cursor, .. } => {
            page(context, &caller, Selection::OfExport(&id), cursor.as_ref()).await
        }
        WantedEvents::Page { instants, cursor, .. } => {
            let selection = instants.map_or(Selection::All, Selection::Within);
            page(context, &caller, selection, cursor.as_ref()).await
        }
    }
}

async fn page(
    context: &Context,
    caller: &Caller,
    selection: Selection<'_>,
    cursor: Option<&Cursor>,
) -> Result<Response<Body>, RequestError> {
    let organization_id = &caller.organization_id;
    let (events, next) = context.audit_trail.page(organization_id, selection, Purpose::List, cursor).await?;
    let users: BTreeSet<_> = events.iter().filter_map(|event| event.user_id.as_deref()).collect();
    let members = context.directory.members(organization_id, users).await?;
    let answers = events.iter().map(|event| {
        let member = event.user_id.as_ref().and_then(|user_id| members.get(user_id));
        EventAnswer::new(event, member.map(|member| member.email.as_str()))
    });
    let next_cursor = next.map(|next| next.to_text());
    Ok(json_response(&Events { events: answers.collect(), next_cursor }))
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
