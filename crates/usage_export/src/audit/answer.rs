//! What the API answers about events. The API document is made of these types.

use serde::Serialize;

use super::event::{Details, Event, EventType};
#[cfg(feature = "schema")]
use crate::schema;
use crate::timestamp;

/// An event of the audit trail.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "Event"))]
pub struct EventAnswer<'a> {
    /// The id of the event.
    log_id: &'a str,
    #[cfg_attr(feature = "schema", schemars(with = "schema::Timestamp"))]
    timestamp: String,
    event_type: EventType,
    /// Who did it; absent for a request that named nobody.
    #[serde(skip_serializing_if = "Option::is_none")]
    user_id: Option<&'a str>,
    /// Their last known email address; absent if the directory does not know them.
    #[serde(skip_serializing_if = "Option::is_none")]
    user_email: Option<&'a str>,
    /// The address of the caller as the gateway saw it.
    #[serde(skip_serializing_if = "Option::is_none")]
    source_ip: Option<&'a str>,
    /// The export that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    data_export_id: Option<&'a str>,
    details: &'a Details,
}

impl<'a> EventAnswer<'a> {
    /// The event as it is stored, and the email address of who did it.
    pub fn new(event: &'a Event, user_email: Option<&'a str>) -> Self {
        Self {
            log_id: &event.log_id,
            timestamp: timestamp::to_text(event.timestamp),
            event_type: event.event_type,
            user_id: event.user_id.as_deref(),
            user_email,
            source_ip: event.source_ip.as_deref(),
            data_export_id: event.data_export_id.as_deref(),
            details: &event.details,
        }
    }
}

/// A page of the audit trail, newest first.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Events<'a> {
    /// The events of the page. There may be more after an empty page.
    pub events: Vec<EventAnswer<'a>>,
    /// The `cursor` of the next page; absent if there are no more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}
