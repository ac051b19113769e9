//! Requests and answers as examples. The answers are made by the code that makes them in the functions.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use usage_export::audit::answer::{EventAnswer, Events};
use usage_export::audit::event::{Details, Event, EventType, Via};
use usage_export::export::answer::{Accepted, ExportAnswer, History, HistoryEntry};
use usage_export::export::manifest::{Manifest, ResolvedScope, ResolvedWorkspace};
use usage_export::export::request::ExportCall;
use usage_export::export::{CANCELLED, DataExport, State};

pub const REQUEST_ID: &str = "8f1a6d0e-52c7-4b57-9d3f-0e9f0a6c1b2d";
pub const EXPORT_ID: &str = "019420e0-f000-7000-8000-000000000001";
/// When the example's export was asked for: the time in its id.
const CREATED: &str = "2025-01-01T08:00:00.000Z";

/// The body of `POST /export_data`.
pub fn export_request() -> Value {
    json!({
        "user_id": "usr_1",
        "export_fields": ["workspace_name", "workbook_name", "user_email", "credit_cost", "pl_run_created_ts"],
        "start_date": "2024-12-01",
        "end_date": "2024-12-31",
        "include_all_workspaces": true,
    })
}

/// The body of `POST /cancel_export`.
pub fn cancel_request() -> Value {
    json!({ "user_id": "usr_1", "data_export_id": EXPORT_ID })
}

/// Gives the values of parameters, for the parsers.
pub fn parameters(values: &'static [(&str, &str)]) -> impl Fn(&str) -> Option<&'static str> {
    |name| values.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
}

/// The answer to a new export.
pub fn accepted() -> Value {
    to_value(&Accepted::new(&export()))
}

/// The answer about a completed export.
pub fn completed() -> Value {
    to_value(&ExportAnswer::new(&completed_export()))
}

/// The answer about a cancelled export.
pub fn cancelled() -> Value {
    let mut export = export();
    export.state = State::Failed;
    export.error = Some(CANCELLED.to_owned());
    export.finished_ts = Some(export.created_ts + TimeDelta::seconds(4));
    to_value(&ExportAnswer::new(&export))
}

/// A page of the history.
pub fn history() -> Value {
    let export = completed_export();
    let exports = vec![HistoryEntry::new(&export, Some("ada@example.com"))];
    to_value(&History { exports, next_cursor: Some(EXPORT_ID.to_owned()) })
}

/// A page of the audit trail.
pub fn events() -> Value {
    let export = completed_export();
    let event = Event {
        organization_id: export.organization_id,
        log_id: "019420e3-8f00-7000-8000-000000000002".to_owned(),
        timestamp: export.created_ts + TimeDelta::minutes(3),
        event_type: EventType::ExportDownloaded,
        user_id: Some(export.user_id),
        source_ip: Some("203.0.113.7".to_owned()),
        data_export_id: Some(EXPORT_ID.to_owned()),
        details: Details {
            via: Via::Api,
            action: "GET /export_status".to_owned(),
            key: Some("3f9a0c51e27b8d46".to_owned()),
            user_agent: Some("usage-export/1".to_owned()),
            acts_for: None,
            status: None,
            reason: None,
        },
    };
    let events = vec![EventAnswer::new(&event, Some("ada@example.com"))];
    to_value(&Events { events, next_cursor: None })
}

/// A manifest.
pub fn manifest() -> Value {
    let export = completed_export();
    let workspaces = vec![ResolvedWorkspace { workspace_id: "wsp_1".to_owned(), name: "Finance".to_owned() }];
    let mut manifest = Manifest::new(&export, ResolvedScope { workspaces, entity_ids: [].into() });
    manifest.rows = export.row_count;
    manifest.bytes = export.size_bytes.unwrap_or_default();
    manifest.checksum = export.checksum.clone().unwrap_or_default();
    let cost = export.credit_cost.as_deref().and_then(|cost| cost.parse().ok()).unwrap_or_default();
    if let Ok(month) = "2024-12".parse() {
        manifest.totals.add("wsp_1", month, manifest.rows, &cost);
    }
    to_value(&manifest)
}

fn completed_export() -> DataExport {
    let mut export = export();
    let finished = export.created_ts + TimeDelta::seconds(4);
    export.state = State::Completed;
    export.progress = 100;
    export.row_count = 1204;
    export.size_bytes = Some(98_112);
    export.checksum = Some("crc32:0a1b2c3d".to_owned());
    export.credit_cost = Some("482.25".to_owned());
    export.finished_ts = Some(finished);
    export.expires_ts = Some(finished + TimeDelta::days(30));
    export
}

fn export() -> DataExport {
    let call = ExportCall::parse(export_request().to_string().as_bytes()).expect("the example is valid");
    let created: DateTime<Utc> = CREATED.parse().expect("a time");
    let mut export = DataExport::new("org_1", &call.user_id, call.request, created);
    // Its end is random otherwise.
    EXPORT_ID.clone_into(&mut export.data_export_id);
    export
}

fn to_value(answer: &impl serde::Serialize) -> Value {
    serde_json::to_value(answer).unwrap_or_default()
}
