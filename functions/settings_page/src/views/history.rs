//! The history: exports as rows, and the part of a row that changes while its export runs.

use askama::Template;
use chrono::{DateTime, Utc};
use usage_export::export::request::ScopeSummary;
use usage_export::export::{DataExport, State};
use usage_export::timestamp;
use usage_export::wording::{counted, size};

use crate::day;
use crate::path::PAGE;

/// One page of the list of exports: values of `history_page.html`.
#[derive(Debug, Template)]
#[template(path = "history_page.html")]
pub struct HistoryPage {
    /// Path of the page.
    page: &'static str,
    /// The exports, newest first.
    pub rows: Vec<Row>,
    /// Cursor of the next history page, if there is one.
    pub next: Option<String>,
}

impl HistoryPage {
    /// These exports as rows; `next` is the cursor of what follows.
    pub fn new(exports: &[DataExport], next: Option<String>, now: DateTime<Utc>) -> Self {
        Self { page: PAGE, rows: exports.iter().map(|export| Row::new(export, now)).collect(), next }
    }
}

/// An export as a row of the history: values of `row.html`.
#[derive(Debug, Template)]
#[template(path = "row.html")]
pub struct Row {
    /// Path of the page.
    page: &'static str,
    /// The export's id.
    pub id: String,
    /// The part that changes while the export runs.
    pub progress: Progress,
}

impl Row {
    /// The row of an export, as it is at `now`.
    pub fn new(export: &DataExport, now: DateTime<Utc>) -> Self {
        Self { page: PAGE, id: export.data_export_id.clone(), progress: Progress::new(export, now) }
    }
}

/// The part of a row that changes while its export runs: values of `progress.html`.
#[derive(Debug, Template)]
#[template(path = "progress.html")]
pub struct Progress {
    page: &'static str,
    id: String,
    /// The state as the API names it, or EXPIRED when the file of a completed export was deleted, or CANCELLED.
    state: &'static str,
    /// The state as people read it.
    badge: &'static str,
    is_final: bool,
    /// 0 to 100.
    percent: u8,
    /// First and last day.
    pub range: String,
    scope: String,
    fields: String,
    created: String,
    created_exact: String,
    created_iso: String,
    rows: String,
    size: Option<String>,
    expires: Option<String>,
    has_manifest: bool,
    error: Option<String>,
    /// Whether a screen reader is to announce that the export is finished.
    pub announce: bool,
}

impl Progress {
    /// The changing part of an export's row, as it is at `now`.
    pub fn new(export: &DataExport, now: DateTime<Utc>) -> Self {
        let (state, badge) = match export.state {
            State::Requested => ("REQUESTED", "Requested"),
            State::InProgress => ("IN_PROGRESS", "In progress"),
            State::Completed if export.is_expired(now) => ("EXPIRED", "Expired"),
            State::Completed => ("COMPLETED", "Completed"),
            State::Failed if export.is_cancelled() => ("CANCELLED", "Cancelled"),
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
            scope: scope_text(&export.request.scope),
            fields: counted(export.request.fields.len() as u64, "field"),
            created: day::ago(export.created_ts, now),
            created_exact: day::exact(export.created_ts),
            created_iso: timestamp::to_text(export.created_ts),
            rows: counted(export.row_count, "row"),
            size: export.size_bytes.map(size),
            expires: export.expires_ts.map(|expires_ts| expires_ts.format("%b %-d, %Y").to_string()),
            has_manifest: export.manifest.is_some(),
            // A badge says it already.
            error: export.error.clone().filter(|_| !export.is_cancelled()),
            announce: false,
        }
    }
}

/// Writes which workspaces and workbooks an export covers: `All workspaces`, `12 workspaces and personal workspaces`,
/// `1 workspace, only 3 workbooks`.
pub fn scope_text(scope: &ScopeSummary) -> String {
    let chosen = counted(scope.workspace_count as u64, "workspace");
    let text = match (scope.looks_everywhere(), scope.workspace_count == 0, scope.personal_workspaces) {
        (true, _, _) => "All workspaces".to_owned(),
        (false, true, _) => "Personal workspaces".to_owned(),
        (false, false, true) => format!("{chosen} and personal workspaces"),
        (false, false, false) => chosen,
    };
    match scope.workbook_count {
        0 => text,
        count => format!("{text}, only {}", counted(count as u64, "workbook")),
    }
}
