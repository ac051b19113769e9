//! An export as a row of the history.

use askama::Template;
use chrono::{DateTime, Utc};
use usage_export::auth::Caller;
use usage_export::config::Sharing;
use usage_export::export::request::{RequestSummary, ScopeSummary};
use usage_export::export::{DataExport, State};
use usage_export::wording::{counted, size};

use super::dates::{self, Moment};
use crate::path::PAGE;
use crate::time_zone::TimeZone;

/// What an export is at the moment, in the words of the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// REQUESTED.
    Requested,
    /// `IN_PROGRESS`.
    InProgress,
    /// COMPLETED, and its file is there.
    Completed,
    /// COMPLETED, and its file was deleted.
    Expired,
    /// FAILED because it was cancelled.
    Cancelled,
    /// FAILED for another reason.
    Failed,
}

impl Status {
    /// Of an export at `now`.
    pub fn of(export: &DataExport, now: DateTime<Utc>) -> Self {
        match export.state {
            State::Requested => Self::Requested,
            State::InProgress => Self::InProgress,
            State::Completed if export.is_expired(now) => Self::Expired,
            State::Completed => Self::Completed,
            State::Failed if export.is_cancelled() => Self::Cancelled,
            State::Failed => Self::Failed,
        }
    }

    /// Its name in style sheet, script and filter.
    pub fn id(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::InProgress => "in_progress",
            Self::Completed => "completed",
            Self::Expired => "expired",
            Self::Cancelled => "cancelled",
            Self::Failed => "failed",
        }
    }

    /// The text of its badge.
    pub fn label(self) -> &'static str {
        match self {
            Self::Requested => "Requested",
            Self::InProgress => "In progress",
            Self::Completed => "Completed",
            Self::Expired => "Expired",
            Self::Cancelled => "Cancelled",
            Self::Failed => "Failed",
        }
    }

    /// Whether the export is neither finished nor given up.
    pub fn is_open(self) -> bool {
        matches!(self, Self::Requested | Self::InProgress)
    }
}

/// An export as a row of the history: values of `row.html`.
#[derive(Debug, Template)]
#[template(path = "row.html")]
pub struct Row {
    /// Path of the page.
    pub page: &'static str,
    /// The export's id.
    pub id: String,
    /// What it is at the moment.
    pub status: Status,
    /// First and last day.
    pub range: String,
    /// Workspaces and fields, in words.
    pub about: String,
    /// The saved export that it was made from.
    pub name: Option<String>,
    /// Email address of whoever asked for it; their user id if the directory does not know them.
    pub requested_by: String,
    /// Whether that is the reader.
    pub is_own: bool,
    /// Whether the reader may have its file.
    pub can_download: bool,
    /// When it was asked for.
    pub created: Moment,
    /// 0 to 100.
    pub percent: u8,
    /// How many rows it has so far.
    pub rows: String,
    /// Size of its file.
    pub size: Option<String>,
    /// What else there is to know: when it will be finished, why it waits or failed.
    pub note: Option<String>,
}

impl Row {
    /// The row of an export that `requested_by` asked for, for this reader at `now`.
    pub fn new(
        export: &DataExport,
        reader: &Caller,
        sharing: Sharing,
        requested_by: &str,
        now: DateTime<Utc>,
    ) -> Self {
        let zone = TimeZone::from_name_or_utc(export.request.time_zone.as_deref());
        let status = Status::of(export, now);
        let is_own = export.user_id == reader.user_id;
        Self {
            page: PAGE,
            id: export.data_export_id.clone(),
            status,
            range: dates::range(export.request.interval, &zone),
            about: about(&export.request, &zone),
            name: export.request.name.clone(),
            requested_by: requested_by.to_owned(),
            is_own,
            can_download: export.may_be_downloaded_by(reader, sharing),
            created: Moment::new(export.created_ts, now),
            percent: export.progress.min(100),
            rows: counted(export.row_count, "row"),
            size: export.size_bytes.map(size),
            note: note(export, status, now),
        }
    }

    /// What tells the row from others with the same dates, for names of links: `01/01/2025 – 01/31/2025, requested
    /// 02/01/2025, 09:30 UTC`.
    pub fn unique_name(&self) -> String {
        format!("{}, requested {}", self.range, self.created.text)
    }

    /// What a screen reader is told when the row has become final.
    pub fn announcement(&self) -> String {
        let range = &self.range;
        match self.status {
            Status::Completed => format!("The export of {range} is ready: {}.", self.rows),
            Status::Cancelled => format!("The export of {range} is cancelled."),
            Status::Failed => format!("The export of {range} failed."),
            Status::Requested | Status::InProgress | Status::Expired => String::new(),
        }
    }
}

/// When an export will be finished, why it waits, why it has no rows, or why it failed.
fn note(export: &DataExport, status: Status, now: DateTime<Utc>) -> Option<String> {
    match status {
        // Whoever waits for its turn was looked at by a worker once.
        Status::Requested if export.progress_ts.is_some() => {
            Some("Waits until another export of your organization is finished".to_owned())
        }
        Status::Requested => Some("Waiting to start".to_owned()),
        Status::InProgress => pace(export, now),
        Status::Completed if export.row_count == 0 => Some(without_rows(export).to_owned()),
        Status::Expired => export.expires_ts.map(|ts| format!("Deleted {}", crate::day::us(ts.date_naive()))),
        Status::Completed | Status::Cancelled => None,
        Status::Failed => export.error.clone(),
    }
}

fn without_rows(export: &DataExport) -> &'static str {
    if export.request.interval.start() > export.created_ts {
        "These dates were in the future"
    } else {
        "No runs there on these days"
    }
}

/// How long an export will take at `now`, or else how many rows it writes: `about 3 minutes left`,
/// `8,100 rows per second`.
fn pace(export: &DataExport, now: DateTime<Utc>) -> Option<String> {
    let speed = export.speed();
    let left = speed.estimated_finish_ts.filter(|finish_ts| *finish_ts > now);
    let rows = speed.rows_per_second.filter(|rows| *rows > 0);
    left.map(|finish_ts| dates::left(finish_ts, now))
        .or_else(|| rows.map(|rows| format!("{} per second", counted(rows, "row"))))
}

/// What is exported, in words: `All workspaces · 11 fields · New York time`.
fn about(request: &RequestSummary, zone: &TimeZone) -> String {
    let fields = counted(request.fields.len() as u64, "field");
    let zone = if zone.is_utc() { String::new() } else { format!(" · {} time", zone.place()) };
    format!("{} · {fields}{zone}", scope_text(&request.scope))
}

/// Writes which workspaces and workbooks an export covers: `All workspaces`, `12 workspaces and personal workspaces`,
/// `1 workspace, only 3 workbooks`.
pub fn scope_text(scope: &ScopeSummary) -> String {
    let chosen = match (scope.organization_workspaces, scope.workspace_count) {
        (true, 0) => "All shared workspaces".to_owned(),
        (true, count) => format!("All shared workspaces, {count} more"),
        (false, count) => counted(count as u64, "workspace"),
    };
    let names_none = scope.workspace_count == 0 && !scope.organization_workspaces;
    let text = match (scope.looks_everywhere(), names_none, scope.personal_workspaces) {
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

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn workspaces_are_told_as_they_were_asked_for() {
        let told = |all: bool, shared: bool, personal: bool, named: usize, workbooks: usize| {
            let scope: Value = json!({
                "all_workspaces": all, "organization_workspaces": shared, "personal_workspaces": personal,
                "workspace_count": named, "workbook_count": workbooks,
            });
            scope_text(&serde_json::from_value(scope).unwrap())
        };
        assert_eq!(told(true, false, true, 0, 0), "All workspaces");
        assert_eq!(told(false, false, false, 0, 1), "All workspaces, only 1 workbook");
        assert_eq!(told(false, true, false, 0, 0), "All shared workspaces");
        assert_eq!(told(false, true, true, 0, 0), "All shared workspaces and personal workspaces");
        assert_eq!(told(false, true, false, 2, 0), "All shared workspaces, 2 more");
        assert_eq!(told(false, false, true, 0, 0), "Personal workspaces");
        assert_eq!(told(false, false, true, 1, 0), "1 workspace and personal workspaces");
        assert_eq!(told(false, false, false, 12, 3), "12 workspaces, only 3 workbooks");
    }
}
