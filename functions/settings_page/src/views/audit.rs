//! The audit trail: a table of events.

use askama::Template;
use chrono::{DateTime, Days, Utc};
use usage_export::audit::call::Cursor;
use usage_export::audit::event::{Event, EventType, Via};
use usage_export::auth::Caller;

use super::dates;
use super::layout::Layout;

/// The page: values of `audit.html`.
#[derive(Debug, Template)]
#[template(path = "audit.html")]
pub struct AuditPage {
    layout: Layout,
    rows: Vec<AuditRow>,
    /// The export whose events these are; `None` for those of the organization.
    export: Option<String>,
    /// Whether the page does not begin with the newest event.
    is_older: bool,
    /// Cursor of the events that follow.
    next: Option<String>,
    /// The days that are offered for a file, as `input type=date` takes them.
    first_day: String,
    last_day: String,
}

/// An event in the table.
#[derive(Debug)]
pub struct AuditRow {
    when: String,
    who: String,
    what: &'static str,
    /// Why a request was refused, and for whom it was made.
    note: Option<String>,
    /// The method and path of a request that was refused.
    action: Option<String>,
    from: String,
    via: &'static str,
    export: Option<String>,
}

impl AuditPage {
    /// These events, newest first.
    pub fn new(
        caller: &Caller,
        rows: Vec<AuditRow>,
        export: Option<String>,
        is_older: bool,
        next: Option<Cursor>,
        now: DateTime<Utc>,
    ) -> Self {
        let today = now.date_naive();
        Self {
            layout: Layout::signed_in(caller),
            rows,
            export,
            is_older,
            next: next.map(|cursor| cursor.to_text()),
            first_day: (today - Days::new(30)).to_string(),
            last_day: today.to_string(),
        }
    }
}

impl AuditRow {
    /// An event as people read it.
    pub fn new(event: &Event, name_of: impl Fn(&str) -> String) -> Self {
        let details = &event.details;
        let acts_for = details.acts_for.as_ref().map(|user_id| format!("Acting for {}.", name_of(user_id)));
        let notes: Vec<_> = details.reason.clone().into_iter().chain(acts_for).collect();
        Self {
            when: dates::exact(event.timestamp),
            who: event.user_id.as_deref().map(name_of).unwrap_or_default(),
            what: what(event.event_type),
            action: (event.event_type == EventType::RequestRefused).then(|| details.action.clone()),
            note: (!notes.is_empty()).then(|| notes.join(" ")),
            from: event.source_ip.clone().unwrap_or_default(),
            via: if details.via == Via::Api { "API" } else { "page" },
            export: event.data_export_id.clone(),
        }
    }
}

fn what(event_type: EventType) -> &'static str {
    match event_type {
        EventType::ExportRequested => "Requested an export",
        EventType::ExportCancelled => "Cancelled an export",
        EventType::ExportDownloaded => "Downloaded a file",
        EventType::ManifestDownloaded => "Downloaded a manifest",
        EventType::AuditTrailDownloaded => "Downloaded the audit trail",
        EventType::SignedIn => "Signed in",
        EventType::RequestRefused => "Was refused",
    }
}
