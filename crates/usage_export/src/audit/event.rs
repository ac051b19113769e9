//! What is recorded of a request.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::timestamp;

/// How much of a text that a caller sends is kept, in characters.
#[cfg(feature = "aws")]
const MAX_TEXT_CHARS: usize = 300;

/// What somebody did, or wanted to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// The organization whose trail it is in.
    pub organization_id: String,
    /// The id of the event: a `UUIDv7`, or made from the export's id where an export can have only one event of its type.
    pub log_id: String,
    /// When it happened.
    #[serde(with = "timestamp::serde_text")]
    pub timestamp: DateTime<Utc>,
    /// What it is.
    pub event_type: EventType,
    /// Who did it. Absent for a request that named nobody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// The address of the caller as the gateway saw it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_ip: Option<String>,
    /// The export that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_export_id: Option<String>,
    /// Everything else.
    pub details: Details,
}

/// The types of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum EventType {
    /// An export was asked for.
    ExportRequested,
    /// An export was cancelled.
    ExportCancelled,
    /// A file was sent, or a link to it handed out.
    ExportDownloaded,
    /// A manifest was sent, or a link to it handed out.
    ManifestDownloaded,
    /// Events were sent as CSV.
    AuditTrailDownloaded,
    /// A session was started.
    SignedIn,
    /// A request was answered 401, 403 or 404.
    RequestRefused,
}

impl EventType {
    /// The name in tables and answers.
    pub fn name(self) -> &'static str {
        match self {
            Self::ExportRequested => "export_requested",
            Self::ExportCancelled => "export_cancelled",
            Self::ExportDownloaded => "export_downloaded",
            Self::ManifestDownloaded => "manifest_downloaded",
            Self::AuditTrailDownloaded => "audit_trail_downloaded",
            Self::SignedIn => "signed_in",
            Self::RequestRefused => "request_refused",
        }
    }
}

/// What a request came by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Via {
    /// The API.
    Api,
    /// The settings page.
    Page,
}

/// What else is known of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "EventDetails"))]
pub struct Details {
    /// What it came by.
    pub via: Via,
    /// Method and path.
    pub action: String,
    /// The beginning of the SHA-256 of the API key; for a session, of the key that it was started with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The program that sent it, as it calls itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<String>,
    /// The user for whom it wanted to act, if that is not the one to whom the key belongs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acts_for: Option<String>,
    /// The status with which it was refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Why it was refused, as the caller was told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl Event {
    /// The same event, of this export.
    #[must_use]
    pub fn of_export(mut self, data_export_id: &str) -> Self {
        self.data_export_id = Some(data_export_id.to_owned());
        self
    }

    /// The same event, where an export can have only one of its type: recorded twice, it is one event. `timestamp` is when it
    /// happened, whatever the time of the request that records it.
    #[must_use]
    pub fn only_one_of_export(self, data_export_id: &str, timestamp: DateTime<Utc>) -> Self {
        let log_id = format!("{data_export_id}-{}", self.event_type.name());
        Self { log_id, timestamp, ..self.of_export(data_export_id) }
    }

    /// The sort key in the table.
    #[cfg(feature = "aws")]
    pub(super) fn key(&self) -> String {
        format!("{}#{}", timestamp::to_text(self.timestamp), self.log_id)
    }
}

/// The beginning of a text, so that no caller fills the table.
#[cfg(feature = "aws")]
pub(crate) fn bounded(text: &str) -> String {
    text.chars().take(MAX_TEXT_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_has_one_name_in_the_table_and_in_answers() {
        for event_type in [
            EventType::ExportRequested,
            EventType::ExportCancelled,
            EventType::ExportDownloaded,
            EventType::ManifestDownloaded,
            EventType::AuditTrailDownloaded,
            EventType::SignedIn,
            EventType::RequestRefused,
        ] {
            assert_eq!(serde_json::to_value(event_type).unwrap(), event_type.name());
        }
    }
}
