//! The history: exports of the organization, newest first.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;
use chrono::{DateTime, Utc};
use futures::future::try_join_all;
use usage_export::auth::Caller;
use usage_export::export::{DataExport, created_ts_of_id};
use usage_export::problem::{Problem, RequestError};

use crate::error::PageError;
use crate::filter::HistoryFilter;
use crate::path::PAGE;
use crate::request::parameter;
use crate::response::{html, see_other};
use crate::session::SignedIn;
use crate::state::AppState;
use crate::views::history::{History, HistoryPage, Notice, RowsFragment};
use crate::views::row::Row;

/// How many rows one part of the history has, unless a filter leaves fewer.
const ROWS: usize = 20;

/// How many parts of the table of exports are read for one part of the history: a filter that finds little must not read
/// all of it.
const MAX_READS: usize = 10;

/// How many open rows a page asks about at once.
const MAX_OPEN: usize = 50;

/// The page. `?again=` is where earlier versions had the form; it leads there.
pub(super) async fn show(
    State(state): State<Arc<AppState>>,
    SignedIn(caller): SignedIn,
    RawQuery(query): RawQuery,
) -> Result<Response, PageError> {
    let now = state.now();
    let query = query.as_deref();
    if let Some(id) = parameter(query, "again") {
        let id: String = form_urlencoded::byte_serialize(id.as_bytes()).collect();
        return see_other(&format!("{PAGE}/new?again={id}"));
    }
    let filter = HistoryFilter::read(query);
    let cursor = parameter(query, "cursor").filter(|cursor| created_ts_of_id(cursor).is_some());
    let started = parameter(query, "started");
    let is_first = filter.is_empty() && cursor.is_none();
    let (mut history, saved) = tokio::try_join!(
        load(&state, &caller, &filter, cursor.as_deref(), now),
        // They are beside the newest exports only.
        async {
            let saved = if is_first {
                state.directory.saved_exports(&caller.organization_id).await?
            } else {
                Vec::new()
            };
            Ok(saved)
        },
    )?;
    let has_started = match started {
        Some(id) => put_on_top(&state, &caller, &mut history, &id, now).await?,
        None => false,
    };
    let notice = match (has_started, parameter(query, "saved")) {
        (true, _) => Notice::Started(caller.email.clone()),
        (_, Some(id)) => saved
            .iter()
            .find(|saved| saved.id == id)
            .map_or(Notice::None, |saved| Notice::Saved(saved.name.clone())),
        _ => Notice::None,
    };
    let page = HistoryPage::new(&caller, &filter, history, saved, cursor.is_some(), notice);
    html(StatusCode::OK, &page)
}

/// The part of the history after a cursor, for the script to append.
pub(super) async fn older(
    State(state): State<Arc<AppState>>,
    SignedIn(caller): SignedIn,
    RawQuery(query): RawQuery,
) -> Result<Response, PageError> {
    let query = query.as_deref();
    let filter = HistoryFilter::read(query);
    let cursor = parameter(query, "cursor").unwrap_or_default();
    if created_ts_of_id(&cursor).is_none() {
        return Err(
            Problem::new(StatusCode::BAD_REQUEST, "This address is not that of older exports.").into()
        );
    }
    let history = load(&state, &caller, &filter, Some(&cursor), state.now()).await?;
    html(StatusCode::OK, &RowsFragment::new(&filter, history))
}

/// The newest part of the history, and the rows of the exports in `open`, which the page shows as unfinished: the script
/// takes what is new from it.
pub(super) async fn changes(
    State(state): State<Arc<AppState>>,
    SignedIn(caller): SignedIn,
    RawQuery(query): RawQuery,
) -> Result<Response, PageError> {
    let now = state.now();
    let query = query.as_deref();
    let filter = HistoryFilter::read(query);
    let open = parameter(query, "open").unwrap_or_default();
    let open: BTreeSet<&str> =
        open.split(' ').filter(|id| created_ts_of_id(id).is_some()).take(MAX_OPEN).collect();
    let mut history = load(&state, &caller, &filter, None, now).await?;
    // The index may lag behind, so these are read from the table itself.
    let read = open.iter().map(|id| state.exports.get_of_organization(&caller, id));
    let read = try_join_all(read.map(async |export| match export.await {
        Ok(export) => Ok(Some(export)),
        Err(RequestError::Refused(_)) => Ok(None),
        Err(error) => Err(error),
    }))
    .await?;
    let read: Vec<_> = read.into_iter().flatten().collect();
    history.rows.retain(|row| !open.contains(row.id.as_str()));
    history.rows.extend(rows(&state, &caller, &read, now).await?);
    history.rows.sort_by(|one, other| other.id.cmp(&one.id));
    history.next = None;
    html(StatusCode::OK, &RowsFragment::new(&filter, history))
}

/// Puts an export that was just started on top, unless it is in the list: the index, from which the list is read, may not
/// have it yet. Returns whether there is such an export.
async fn put_on_top(
    state: &AppState,
    caller: &Caller,
    history: &mut History,
    id: &str,
    now: DateTime<Utc>,
) -> Result<bool, PageError> {
    if history.rows.iter().any(|row| row.id == id) {
        return Ok(true);
    }
    match state.exports.get_of_organization(caller, id).await {
        // Only where it belongs: an old address must not put it above newer ones.
        Ok(export) if history.rows.first().is_none_or(|first| first.id.as_str() < id) => {
            history.rows.insert(0, Row::new(&export, caller, state.sharing, &caller.email, now));
            Ok(true)
        }
        Ok(_) | Err(RequestError::Refused(_)) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Reads rows that the filter lets through, newest first, from a cursor on.
async fn load(
    state: &AppState,
    caller: &Caller,
    filter: &HistoryFilter,
    cursor: Option<&str>,
    now: DateTime<Utc>,
) -> Result<History, PageError> {
    let mut history = History { rows: Vec::new(), next: None };
    let mut cursor = cursor.map(Cow::Borrowed);
    for _ in 0..MAX_READS {
        let (organization_id, after) = (&caller.organization_id, cursor.as_deref());
        let (exports, next) = if filter.mine {
            state.exports.history(organization_id, &caller.user_id, after).await?
        } else {
            state.exports.history_of_organization(organization_id, after).await?
        };
        let exports: Vec<_> = exports.into_iter().filter(|export| filter.takes(export)).collect();
        let found = rows(state, caller, &exports, now).await?;
        history.rows.extend(found.into_iter().filter(|row| filter.finds(row)));
        history.next.clone_from(&next);
        cursor = next.map(Cow::Owned);
        if cursor.is_none() || history.rows.len() >= ROWS {
            break;
        }
    }
    if history.rows.len() > ROWS {
        history.rows.truncate(ROWS);
        history.next = history.rows.last().map(|row| row.id.clone());
    }
    Ok(history)
}

/// The rows of exports of the organization, with who asked for each.
pub(super) async fn rows(
    state: &AppState,
    caller: &Caller,
    exports: &[DataExport],
    now: DateTime<Utc>,
) -> Result<Vec<Row>, PageError> {
    let others: BTreeSet<_> =
        exports.iter().map(|export| export.user_id.as_str()).filter(|id| *id != caller.user_id).collect();
    let members = if others.is_empty() {
        BTreeMap::new()
    } else {
        state.directory.members(&caller.organization_id, others).await?
    };
    let requested_by = |export: &DataExport| match members.get(&export.user_id) {
        _ if export.user_id == caller.user_id => caller.email.clone(),
        Some(member) if !member.email.is_empty() => member.email.clone(),
        _ => export.user_id.clone(),
    };
    Ok(exports
        .iter()
        .map(|export| Row::new(export, caller, state.sharing, &requested_by(export), now))
        .collect())
}
