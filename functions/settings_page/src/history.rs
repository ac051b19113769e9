//! The history: exports as rows, what changes in a row while its export runs, and what an export was asked for.

use askama::Template;
use chrono::{DateTime, Utc};
use usage_export::export::request::Scope;
use usage_export::export::{DataExport, State};
use usage_export::timestamp;
use usage_export::usage::FIELDS;
use usage_export::wording::{counted, size};

use crate::day;
use crate::respond::Frame;
use crate::route::PAGE;

/// Workspaces of an export that are called by their names; the rest is counted.
pub const NAMED_WORKSPACES: usize = 200;

/// An export as a row of the history.
#[derive(Template)]
#[template(path = "row.html")]
pub struct Row {
    /// Where the page is.
    pub page: &'static str,
    /// The export's id.
    pub id: String,
    /// What changes while it runs.
    pub progress: Progress,
}

/// The part of a row that changes while its export runs.
#[derive(Template)]
#[template(path = "progress.html")]
pub struct Progress {
    page: &'static str,
    id: String,
    /// The state's name in the API, or EXPIRED.
    state: &'static str,
    /// The same in words.
    badge: &'static str,
    is_final: bool,
    percent: u8,
    range: String,
    scope: String,
    fields: String,
    created: String,
    created_exact: String,
    created_iso: String,
    rows: String,
    size: Option<String>,
    expires: Option<String>,
    error: Option<String>,
    /// Whether somebody waits for a word that it is done.
    pub announce: bool,
}

/// What an export was asked for.
#[derive(Template)]
#[template(path = "details.html")]
pub struct Details {
    /// The ids of its fields, in the order of the columns.
    pub fields: Vec<&'static str>,
    /// Where it looked.
    pub scope: String,
    /// Names and ids of its workspaces, the first of them.
    pub workspaces: Vec<(String, String)>,
    /// How many more there are.
    pub more_workspaces: usize,
    /// Its workbooks, the first of them.
    pub workbooks: Vec<String>,
    /// How many more there are.
    pub more_workbooks: usize,
    /// Its facts.
    pub facts: Vec<(&'static str, String)>,
}

/// The same as a page of its own, for browsers without JavaScript.
#[derive(Template)]
#[template(path = "details_page.html")]
pub struct DetailsPage {
    /// Around it.
    pub frame: Frame,
    /// The export.
    pub row: Row,
    /// What it was asked for.
    pub details: Details,
}

/// More rows, and where there are more still.
#[derive(Template)]
#[template(path = "older.html")]
pub struct Older {
    /// Where the page is.
    pub page: &'static str,
    /// The exports.
    pub rows: Vec<Row>,
    /// The cursor of the next ones.
    pub next: Option<String>,
}

impl Row {
    /// The row of an export.
    pub fn of(export: &DataExport, now: DateTime<Utc>) -> Self {
        Self { page: PAGE, id: export.data_export_id.clone(), progress: Progress::of(export, now) }
    }
}

impl Progress {
    /// The changing part of an export's row.
    pub fn of(export: &DataExport, now: DateTime<Utc>) -> Self {
        let (state, badge) = match export.state {
            State::Requested => ("REQUESTED", "Requested"),
            State::InProgress => ("IN_PROGRESS", "In progress"),
            State::Completed if export.is_expired(now) => ("EXPIRED", "Expired"),
            State::Completed => ("COMPLETED", "Completed"),
            State::Failed => ("FAILED", "Failed"),
        };
        Self {
            page: PAGE,
            id: export.data_export_id.clone(),
            state,
            badge,
            is_final: export.state.is_final(),
            percent: export.progress.min(100),
            range: day::range(export.request.interval),
            scope: scope(&export.request.scope),
            fields: counted(export.request.fields.len() as u64, "field"),
            created: day::ago(export.created_ts, now),
            created_exact: day::exact(export.created_ts),
            created_iso: timestamp::to_text(export.created_ts),
            rows: counted(export.row_count, "row"),
            size: export.size_bytes.map(size),
            expires: export.expires_ts.map(|expires_ts| expires_ts.format("%b %-d, %Y").to_string()),
            error: export.error.clone(),
            announce: false,
        }
    }
}

impl Details {
    /// What the export was asked for; `names` are those of its first workspaces, by id.
    pub fn of(export: &DataExport, names: impl Fn(&str) -> Option<String>) -> Self {
        let scope_of = &export.request.scope;
        let named = |id: &String| (names(id).unwrap_or_default(), id.clone());
        let mut facts = vec![("Requested", day::exact(export.created_ts))];
        facts.extend(export.finished_ts.map(|finished_ts| ("Finished", day::exact(finished_ts))));
        facts.extend(export.expires_ts.map(|expires_ts| ("Available until", day::exact(expires_ts))));
        facts.extend(export.checksum.clone().map(|checksum| ("Checksum", checksum)));
        Self {
            fields: export.request.fields.iter().map(|field| field.id()).collect(),
            scope: scope(scope_of),
            workspaces: scope_of.workspace_ids.iter().take(NAMED_WORKSPACES).map(named).collect(),
            more_workspaces: scope_of.workspace_ids.len().saturating_sub(NAMED_WORKSPACES),
            workbooks: scope_of.entity_ids.iter().take(NAMED_WORKSPACES).cloned().collect(),
            more_workbooks: scope_of.entity_ids.len().saturating_sub(NAMED_WORKSPACES),
            facts,
        }
    }

    /// The label of a field on the page.
    pub fn label(id: &str) -> &'static str {
        FIELDS.iter().find(|info| info.id == id).map_or("", |info| info.label)
    }
}

/// `All workspaces`, `12 workspaces`, `12 workspaces and personal workspaces`.
fn scope(scope: &Scope) -> String {
    let chosen = counted(scope.workspace_ids.len() as u64, "workspace");
    let text = match (scope.looks_everywhere(), scope.workspace_ids.is_empty(), scope.personal_workspaces) {
        (true, _, _) => "All workspaces".to_owned(),
        (false, true, _) => "Personal workspaces".to_owned(),
        (false, false, true) => format!("{chosen} and personal workspaces"),
        (false, false, false) => chosen,
    };
    match scope.entity_ids.len() {
        0 => text,
        count => format!("{text}, only {}", counted(count as u64, "workbook")),
    }
}
