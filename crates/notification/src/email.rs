//! The emails of an export's outcome. Templates are in `email/`, compiled in.

use askama::Template;
use chrono::{DateTime, NaiveTime, TimeDelta, Utc};
use usage_export::config::Origin;
use usage_export::export::interval::Interval;
use usage_export::export::request::ScopeSummary;
use usage_export::export::{DataExport, State};
use usage_export::usage::{FIELDS, Field};
use usage_export::wording::{counted, credits, one_line, size};

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
    /// The name of the organization, on one line.
    organization: String,
    /// The name of the saved export that it was made from.
    name: Option<String>,
    range: String,
    workspaces: String,
    /// The columns of the file.
    fields: String,
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
    credits: Option<&'a str>,
    expires: &'a str,
}

#[derive(Template)]
#[template(path = "completed.txt")]
struct CompletedText<'a> {
    facts: &'a Facts,
    rows: &'a str,
    size: &'a str,
    credits: Option<&'a str>,
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

/// What an email names.
#[derive(Debug, Clone, Default)]
pub struct Names {
    /// The organization.
    pub organization: String,
    /// The first workspaces that the request lists.
    pub workspaces: Vec<String>,
}

/// Writes the email of a finished export.
///
/// The link leads to the page of the export, which checks who is asking. Nothing in the email opens the file by itself.
///
/// # Errors
///
/// A template could not be filled, which these templates exclude.
pub fn compose(export: &DataExport, names: &Names, page_origin: &Origin) -> askama::Result<Email> {
    let facts = Facts {
        organization: one_line(&names.organization),
        name: export.request.name.as_deref().map(one_line),
        range: range(export.request.interval, export.request.time_zone.as_deref()),
        workspaces: workspaces(&export.request.scope, &names.workspaces),
        fields: fields(&export.request.fields),
        requested: export.created_ts.format("%m/%d/%Y, %H:%M UTC").to_string(),
        link: format!("{page_origin}/settings/organization/data_export/exports/{}", export.data_export_id),
        data_export_id: export.data_export_id.clone(),
    };
    if export.state == State::Completed {
        let rows = counted(export.row_count, "row");
        let size = size(export.size_bytes.unwrap_or_default());
        let expires = export.expires_ts.map(day).unwrap_or_default();
        let credits = export.credit_cost.as_deref().map(credits);
        let (facts, rows, size, expires) = (&facts, rows.as_str(), size.as_str(), expires.as_str());
        let credits = credits.as_deref();
        Ok(Email {
            subject: format!("Your usage data export is ready: {}", facts.range),
            text: CompletedText { facts, rows, size, credits, expires }.render()?,
            html: CompletedHtml { facts, rows, size, credits, expires }.render()?,
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

/// The columns: how many, and their names in the order of the file.
fn fields(fields: &[Field]) -> String {
    let labels = fields.iter().filter_map(|field| FIELDS.iter().find(|info| info.field == *field));
    let labels: Vec<_> = labels.map(|info| info.label).collect();
    format!("{} ({})", labels.len(), labels.join(", "))
}

/// The interval: whole days as dates, anything else with times. Days of another time zone are told as their instants.
fn range(interval: Interval, time_zone: Option<&str>) -> String {
    let zone = time_zone.map(|zone| format!(" (days of {})", zone.replace('_', " "))).unwrap_or_default();
    let (start, end) = (interval.start(), interval.end());
    let last_milli = (end + TimeDelta::milliseconds(1)).time() == NaiveTime::MIN;
    if start.time() == NaiveTime::MIN && last_milli {
        if start.date_naive() == end.date_naive() {
            return day(start);
        }
        return format!("{} – {}", day(start), day(end));
    }
    let minute = |instant: DateTime<Utc>| instant.format("%m/%d/%Y %H:%M:%S").to_string();
    format!("{} – {} UTC{zone}", minute(start), minute(end))
}

fn day(instant: DateTime<Utc>) -> String {
    instant.format("%m/%d/%Y").to_string()
}

fn workspaces(scope: &ScopeSummary, names: &[String]) -> String {
    let mut text = if scope.looks_everywhere() {
        "All workspaces".to_owned()
    } else if scope.organization_workspaces {
        let personal = if scope.personal_workspaces { " and personal" } else { "" };
        let named = scope.workspace_count;
        let more = if named > 0 { format!(", and {named} more") } else { String::new() };
        format!("All shared{personal} workspaces{more}")
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
