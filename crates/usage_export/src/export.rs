//! A data export: one job, from request to file.
//!
//! `REQUESTED → IN_PROGRESS → COMPLETED | FAILED`; each step is one conditional update in [`store::create`] or
//! [`store::lease`], and nothing else moves a state.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::{NoContext, Timestamp, Uuid};

use crate::export::request::ExportRequest;
use crate::timestamp;

pub mod download;
pub mod interval;
pub mod request;
pub mod store;
pub mod submit;

/// Days that the record of an export outlives its file.
pub const RECORD_DAYS_AFTER_FILE: i64 = 90;

/// Where an export stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum State {
    /// Accepted and queued.
    Requested,
    /// A worker has it, or had it and another will.
    InProgress,
    /// The file is whole.
    Completed,
    /// There is no file; `error` says why.
    Failed,
}

impl State {
    /// Its name in the API and in the table.
    pub fn name(self) -> &'static str {
        match self {
            Self::Requested => "REQUESTED",
            Self::InProgress => "IN_PROGRESS",
            Self::Completed => "COMPLETED",
            Self::Failed => "FAILED",
        }
    }

    /// Whether no worker will touch it again.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Completed | Self::Failed)
    }
}

/// The record of an export. `docs/data.md` lists the attributes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataExport {
    /// A UUIDv7 of the creation time, so ids sort by age.
    pub data_export_id: String,
    /// Whose data it is.
    pub organization_id: String,
    /// Who asked.
    pub user_id: String,
    /// Where it stands.
    pub state: State,
    /// When it was asked for.
    #[serde(with = "timestamp::serde_text")]
    pub created_ts: DateTime<Utc>,
    /// When it became COMPLETED or FAILED.
    #[serde(default, with = "timestamp::serde_text_option", skip_serializing_if = "Option::is_none")]
    pub finished_ts: Option<DateTime<Utc>>,
    /// What was asked for.
    pub request: ExportRequest,
    /// How many times a worker took it.
    #[serde(default)]
    pub attempts: u32,
    /// Until when the worker that has it is taken to be alive.
    #[serde(default, with = "timestamp::serde_text_option", skip_serializing_if = "Option::is_none")]
    pub lease_until: Option<DateTime<Utc>>,
    /// From where another worker goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkpoint: Option<Checkpoint>,
    /// Percent of the workspace months that are done.
    #[serde(default)]
    pub progress: u8,
    /// Rows written so far; the file's rows once COMPLETED.
    #[serde(default)]
    pub row_count: u64,
    /// Size of the file in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size_bytes: Option<u64>,
    /// Checksum of the file, such as `crc32:0a1b2c3d`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checksum: Option<String>,
    /// Why it failed, in words for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// When the file goes away.
    #[serde(default, with = "timestamp::serde_text_option", skip_serializing_if = "Option::is_none")]
    pub expires_ts: Option<DateTime<Utc>>,
    /// When the email of its outcome was claimed.
    #[serde(default, with = "timestamp::serde_text_option", skip_serializing_if = "Option::is_none")]
    pub notified_ts: Option<DateTime<Utc>>,
    /// When DynamoDB may delete the record, in epoch seconds.
    pub ttl: i64,
}

/// Where a worker stands after a part: everything that another one needs to write the same bytes from there on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// The multipart upload.
    pub upload_id: String,
    /// Parts that are uploaded, numbered from 1. S3 keeps their `ETag`s.
    pub parts: i32,
    /// Up to where the records are in those parts.
    pub position: Position,
    /// What was counted up to there.
    pub counts: Counts,
    /// CRC-32 of the bytes of those parts.
    pub crc32: u32,
}

/// The keys of a usage record, or the end of a partition: everything up to there is done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// Workspace and month.
    pub partition_key: String,
    /// Start and run id.
    pub sort_key: String,
}

/// Every row is accounted for: what was read was either left out by `entity_ids` or written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Records that DynamoDB said it read.
    pub read: u64,
    /// Records left out by `entity_ids`.
    pub filtered: u64,
    /// Rows in the file, without the header.
    pub written: u64,
    /// Bytes in the file, with the header.
    pub bytes: u64,
}

impl Counts {
    /// Whether every row is accounted for.
    pub fn agree(self) -> bool {
        self.read == self.filtered + self.written
    }
}

impl DataExport {
    /// A new export in state REQUESTED. Times are cut to milliseconds, as the id has them.
    pub fn new(organization_id: &str, user_id: &str, request: ExportRequest, now: DateTime<Utc>) -> Self {
        let created_ts = now - TimeDelta::nanoseconds(i64::from(now.timestamp_subsec_nanos() % 1_000_000));
        Self {
            data_export_id: new_id(created_ts),
            organization_id: organization_id.to_owned(),
            user_id: user_id.to_owned(),
            state: State::Requested,
            created_ts,
            finished_ts: None,
            request,
            attempts: 0,
            lease_until: None,
            checkpoint: None,
            progress: 0,
            row_count: 0,
            size_bytes: None,
            checksum: None,
            error: None,
            expires_ts: None,
            notified_ts: None,
            ttl: (created_ts + TimeDelta::days(RECORD_DAYS_AFTER_FILE)).timestamp(),
        }
    }

    /// Key of the file in the bucket.
    pub fn object_key(&self) -> String {
        format!("exports/{}/{}.csv", self.organization_id, self.data_export_id)
    }

    /// The name under which a person saves the file: the range and enough of the id to tell two files apart.
    pub fn file_name(&self) -> String {
        let (start, end) = (self.request.interval.start(), self.request.interval.end());
        let tail = self.data_export_id.rsplit('-').next().unwrap_or_default();
        format!("usage-export_{}_{}_{tail}.csv", start.format("%Y-%m-%d"), end.format("%Y-%m-%d"))
    }

    /// Whether its file is past its time at `now`.
    pub fn is_expired(&self, now: DateTime<Utc>) -> bool {
        self.expires_ts.is_some_and(|expires_ts| expires_ts <= now)
    }

    /// How the API tells of it: the contract's four members, and what more is known.
    pub fn to_json(&self) -> Value {
        let mut status = json!({
            "data_export_id": self.data_export_id,
            "state": self.state.name(),
            "created_ts": timestamp::to_text(self.created_ts),
            "progress": self.progress,
            "row_count": self.row_count,
            "start_ts": timestamp::to_text(self.request.interval.start()),
            "end_ts": timestamp::to_text(self.request.interval.end()),
        });
        let optional = [
            ("finished_ts", self.finished_ts.map(|instant| json!(timestamp::to_text(instant)))),
            ("size_bytes", self.size_bytes.map(|size| json!(size))),
            ("checksum", self.checksum.as_ref().map(|checksum| json!(checksum))),
            ("error", self.error.as_ref().map(|error| json!(error))),
            ("expires_ts", self.expires_ts.map(|instant| json!(timestamp::to_text(instant)))),
        ];
        for (name, value) in optional {
            if let Some(value) = value {
                status[name] = value;
            }
        }
        status
    }
}

/// A UUIDv7 whose time is exactly `created_ts`.
fn new_id(created_ts: DateTime<Utc>) -> String {
    let seconds = u64::try_from(created_ts.timestamp()).unwrap_or_default();
    let timestamp = Timestamp::from_unix(NoContext, seconds, created_ts.timestamp_subsec_nanos());
    Uuid::new_v7(timestamp).to_string()
}

/// The creation time in an export's id; `None` if it is no such id.
pub fn created_ts_of_id(data_export_id: &str) -> Option<DateTime<Utc>> {
    let id = Uuid::try_parse(data_export_id).ok()?;
    let (seconds, nanos) = id.get_timestamp()?.to_unix();
    DateTime::from_timestamp(i64::try_from(seconds).ok()?, nanos)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An export of January 2025 that was asked for at `now`.
    pub(super) fn export_at(now: DateTime<Utc>) -> DataExport {
        let request = serde_json::from_value(json!({
            "fields": ["run_id"],
            "interval": {"start": "2025-01-01T00:00:00.000Z", "end": "2025-01-31T23:59:59.999Z"},
            "scope": {"all_workspaces": true, "personal_workspaces": true, "workspace_ids": [], "entity_ids": []},
        }))
        .unwrap();
        DataExport::new("org_1", "usr_1", request, now)
    }

    #[test]
    fn an_id_tells_when_its_export_was_made() {
        for nanos in [0, 1, 999_999_999, 123_456_789] {
            let export = export_at(DateTime::from_timestamp(1_763_900_000, nanos).unwrap());
            assert_eq!(created_ts_of_id(&export.data_export_id), Some(export.created_ts));
            assert!(export.file_name().starts_with("usage-export_2025-01-01_2025-01-31_"));
        }
        assert_eq!(created_ts_of_id("ACTIVE#org_1"), None);
    }
}
