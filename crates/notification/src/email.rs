//! The emails of an export's outcome. Templates are in `email/`, compiled in.

use askama::Template;
use chrono::{DateTime, NaiveTime, TimeDelta, Utc};
use usage_export::config::Origin;
use usage_export::export::interval::Interval;
use usage_export::export::request::ScopeSummary;
use usage_export::export::{DataExport, State};
use usage_export::wording::{counted, one_line, size};

/// How many workspaces an email lists by name; the others are counted.
pub const NAMED_WORKSPACES: usize = 3;

/// An email without the address that it goes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Email {
    /// The subject, in one line.
    pub subject: String,
    /// The body for programs that show plain text.
    pub text: String,
    /// The body as HTML, with the same facts.
    pub html: String,
}

/// What the plain text and the HTML of an email have in common.
struct Facts {
    range: String,
    workspaces: String,
    requested: String,
    link: String,
    data_export_id: String,
}

#[derive(Template)]
#[template(path = "completed.html")]
struct CompletedHtml<'a> {
    facts: &'a Facts,
    rows: &'a str,
    size: &'a str,
    expires: &'a str,
}

#[derive(Template)]
#[template(path = "completed.txt")]
struct CompletedText<'a> {
    facts: &'a Facts,
    rows: &'a str,
    size: &'a str,
    expires: &'a str,
}

#[derive(Template)]
#[template(path = "failed.html")]
struct FailedHtml<'a> {
    facts: &'a Facts,
    reason: &'a str,
    cancelled: bool,
}

#[derive(Template)]
#[template(path = "failed.txt")]
struct FailedText<'a> {
    facts: &'a Facts,
    reason: &'a str,
    cancelled: bool,
}

/// Writes the email of a finished export. `names` are the names of the first workspaces that the request lists.
///
/// The link leads to the history, which checks who is asking. Nothing in the email opens the file by itself.
///
/// # Errors
///
/// A template could not be filled, which these templates exclude.
pub fn compose(export: &DataExport, names: &[String], page_origin: &Origin) -> askama::Result<Email> {
    let facts = Facts {
        range: range(export.request.interval),
        workspaces: workspaces(&export.request.scope, names),
        requested: export.created_ts.format("%B %-d, %Y at %H:%M UTC").to_string(),
        link: format!("{page_origin}/settings/organization/data_export#export-{}", export.data_export_id),
        data_export_id: export.data_export_id.clone(),
    };
    if export.state == State::Completed {
        let rows = counted(export.row_count, "row");
        let size = size(export.size_bytes.unwrap_or_default());
        let expires = export.expires_ts.map(day).unwrap_or_default();
        let (facts, rows, size, expires) = (&facts, rows.as_str(), size.as_str(), expires.as_str());
        Ok(Email {
            subject: format!("Your usage data export is ready: {}", facts.range),
            text: CompletedText { facts, rows, size, expires }.render()?,
            html: CompletedHtml { facts, rows, size, expires }.render()?,
        })
    } else {
        let cancelled = export.is_cancelled();
        let reason = match export.error.as_deref() {
            _ if cancelled => "You cancelled it before it was finished.",
            Some(reason) => reason,
            None => "Something went wrong on our side.",
        };
        let facts = &facts;
        let outcome = if cancelled { "was cancelled" } else { "failed" };
        Ok(Email {
            subject: format!("Your usage data export {outcome}: {}", facts.range),
            text: FailedText { facts, reason, cancelled }.render()?,
            html: FailedHtml { facts, reason, cancelled }.render()?,
        })
    }
}

/// The interval: whole days as dates, anything else with times.
fn range(interval: Interval) -> String {
    let (start, end) = (interval.start(), interval.end());
    let last_milli = (end + TimeDelta::milliseconds(1)).time() == NaiveTime::MIN;
    if start.time() == NaiveTime::MIN && last_milli {
        if start.date_naive() == end.date_naive() {
            return day(start);
        }
        return format!("{} – {}", day(start), day(end));
    }
    let minute = |instant: DateTime<Utc>| instant.format("%b %-d, %Y %H:%M:%S").to_string();
    format!("{} – {} UTC", minute(start), minute(end))
}

fn day(instant: DateTime<Utc>) -> String {
    instant.format("%b %-d, %Y").to_string()
}

fn workspaces(scope: &ScopeSummary, names: &[String]) -> String {
    let mut text = if scope.looks_everywhere() {
        "All workspaces".to_owned()
    } else if scope.organization_workspaces {
        let personal = if scope.personal_workspaces { " and personal" } else { "" };
        format!("All shared{personal} workspaces")
    } else if scope.workspace_count == 0 {
        "All personal workspaces".to_owned()
    } else {
        let count = scope.workspace_count;
        let mut text =
            names.iter().take(NAMED_WORKSPACES).map(|name| one_line(name)).collect::<Vec<_>>().join(", ");
        let others = count - names.len().min(NAMED_WORKSPACES);
        if names.is_empty() {
            text = counted(count as u64, "workspace");
        } else if others > 0 {
            text = format!("{text} and {others} more");
        }
        if scope.personal_workspaces {
            text.push_str(", and all personal workspaces");
        }
        text
    };
    if scope.workbook_count > 0 {
        text = format!("{text} (only {})", counted(scope.workbook_count as u64, "workbook"));
    }
    text
}

#[cfg(test)]
mod tests;
