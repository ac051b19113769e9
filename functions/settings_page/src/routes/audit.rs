//! The audit trail: who did what with the organization's exports.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::Extension;
use axum::extract::{RawQuery, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use usage_export::audit::call::{Cursor, Instants};
use usage_export::audit::event::EventType;
use usage_export::audit::read::{Purpose, Selection};
use usage_export::auth::attempt::Attempt;
use usage_export::directory::Member;
use usage_export::export::created_ts_of_id;
use usage_export::export::interval::{Interval, parse_end, parse_start};
use usage_export::problem::{FieldError, Problem};

use crate::error::PageError;
use crate::request::parameter;
use crate::response::html;
use crate::session::SignedIn;
use crate::state::AppState;
use crate::views::audit::{AuditPage, AuditRow};

/// Events, newest first: all, or those of the export that `?export=` names, from `?cursor=` on.
pub(super) async fn show(
    State(state): State<Arc<AppState>>,
    SignedIn(caller): SignedIn,
    RawQuery(query): RawQuery,
) -> Result<Response, PageError> {
    let query = query.as_deref();
    let export = parameter(query, "export").filter(|id| created_ts_of_id(id).is_some());
    let cursor = parameter(query, "cursor").and_then(|cursor| Cursor::from_text(&cursor));
    let selection = export.as_deref().map_or(Selection::All, Selection::OfExport);
    let organization_id = &caller.organization_id;
    let (events, next) =
        state.audit_trail().page(organization_id, selection, Purpose::List, cursor.as_ref()).await?;
    let users: BTreeSet<_> = events.iter().filter_map(|event| event.user_id.as_deref()).collect();
    let members = state.directory.members(organization_id, users).await?;
    let row = |event| AuditRow::new(event, |user_id| name_of(&members, user_id));
    let rows = events.iter().map(row).collect();
    let export = export.map(std::borrow::Cow::into_owned);
    html(StatusCode::OK, &AuditPage::new(&caller, rows, export, cursor.is_some(), next, state.now()))
}

/// The email address of a user or, of one who is unknown, the id.
pub(super) fn name_of(members: &BTreeMap<String, Member>, user_id: &str) -> String {
    match members.get(user_id) {
        Some(member) if !member.email.is_empty() => member.email.clone(),
        _ => user_id.to_owned(),
    }
}

/// The events of the days from `?start_date=` to `?end_date=` as CSV.
pub(super) async fn download(
    State(state): State<Arc<AppState>>,
    SignedIn(caller): SignedIn,
    Extension(attempt): Extension<Arc<Attempt>>,
    RawQuery(query): RawQuery,
) -> Result<Response, PageError> {
    let instants = days(query.as_deref()).map_err(|error| Problem::fields(vec![error]))?;
    let csv = state.audit_trail().file(&state.directory, &caller.organization_id, instants).await?;
    state.audit_trail().record(&attempt.event(&caller, EventType::AuditTrailDownloaded)).await?;
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"audit_trail.csv\""),
    ];
    Ok((headers, csv).into_response())
}

fn days(query: Option<&str>) -> Result<Instants, FieldError> {
    let value = |name| parameter(query, name).unwrap_or_default();
    let start = parse_start(&value("start_date")).map_err(|text| FieldError::new("The first day", text))?;
    let end = parse_end(&value("end_date")).map_err(|text| FieldError::new("The last day", text))?;
    let interval = Interval::new(start, end)?;
    Ok(Instants { first: interval.start(), last: interval.end() })
}
