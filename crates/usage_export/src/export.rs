//! A data export: one request, its states, and at the end its file.
//!
//! `REQUESTED → IN_PROGRESS → COMPLETED | FAILED`; each step is one conditional update in [`store::create`],
//! [`store::lease`], [`store::finish`], [`store::cancel`] or [`store::reconcile`], and nothing else moves a state.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

#[cfg(feature = "aws")]
use crate::auth::Caller;
#[cfg(feature = "aws")]
use crate::config::Sharing;
use crate::export::request::{ExportRequest, RequestSummary};
use crate::timestamp;

pub mod answer;
#[cfg(feature = "aws")]
pub mod cancel;
mod checkpoint;
mod cost;
pub mod document;
#[cfg(feature = "aws")]
pub mod download;
mod failure;
pub mod interval;
pub mod manifest;
#[cfg(feature = "aws")]
pub mod queue;
pub mod request;
pub mod segment;
mod speed;
mod state;
#[cfg(feature = "aws")]
pub mod store;
#[cfg(feature = "aws")]
pub mod submit;

pub use crate::id::created_ts_of_id;
use crate::id::new_id;
pub use checkpoint::{
    Checkpoint, Counts, MAX_UNSAVED_PARTS, PartNumbers, Position, SideObject, checksum_text,
};
pub use cost::Cost;
pub use failure::{Failure, FailureReason};
pub use segment::{Cut, Range, Segment};
pub use speed::Speed;
pub use state::State;

/// Days that the record of an export is kept after its file has expired.
pub const RECORD_DAYS_AFTER_FILE: i64 = 90;

/// The value of [`DataExport::unsettled`].
pub const UNSETTLED: &str = "unsettled";

/// The value of [`DataExport::error`] of an export that was cancelled.
pub const CANCELLED: &str = "cancelled";

/// How long after its message was sent an export should be claimed. After that the reconciler sends the message again.
pub const MESSAGE_TIMEOUT: TimeDelta = TimeDelta::seconds(60);

/// The record of an export. `docs/data.md` lists the attributes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataExport {
    /// The export's id, a `UUIDv7` of [`DataExport::created_ts`], so ids sort by age.
    pub data_export_id: String,
    /// The organization whose data is exported.
    pub organization_id: String,
    /// The export owner: the user who asked for the export.
    pub user_id: String,
    /// The export's state.
    pub state: State,
    /// When the export was asked for, cut to milliseconds.
    #[serde(with = "timestamp::serde_text")]
    pub created_ts: DateTime<Utc>,
    /// When the export became COMPLETED or FAILED.
    #[serde(default, with = "timestamp::serde_text_option", skip_serializing_if = "Option::is_none")]
    pub finished_ts: Option<DateTime<Utc>>,
    /// What was asked for: fields, interval and scope. [`store::Exports::named_ids`] reads the ids that the scope names.
    pub request: RequestSummary,
    /// How many times a worker has claimed the export since its last checkpoint: attempts without progress.
    #[serde(default)]
    pub attempts: u32,
    /// How many times a worker has claimed the export. It only grows, so it tells a lease owner from every former one.
    #[serde(default)]
    pub epoch: u32,
    /// The worker that holds the lease; absent while none does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease_owner: Option<String>,
    /// When the lease of the worker that makes the file ends; absent while no worker holds it.
    #[serde(default, with = "timestamp::serde_text_option", skip_serializing_if = "Option::is_none")]
    pub lease_until: Option<DateTime<Utc>>,
    /// From where the next worker goes on, should this one stop. One of an earlier version counts as none: the file is begun
    /// anew.
    #[serde(default, deserialize_with = "checkpoint::readable", skip_serializing_if = "Option::is_none")]
    pub checkpoint: Option<Checkpoint>,
    /// Where the range of the export itself ends, once it is split: its first segment. Absent for the end of its partitions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Cut>,
    /// The key of the [segment](Segment) that begins there; absent unless it is split.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_segment: Option<String>,
    /// When the last checkpoint was saved, or the export last had to wait for its turn; absent before the first.
    #[serde(default, with = "timestamp::serde_text_option", skip_serializing_if = "Option::is_none")]
    pub progress_ts: Option<DateTime<Utc>>,
    /// When the reconciler looks at the export, unless it is changed before. Absent once nothing is left to do.
    #[serde(default, with = "timestamp::serde_text_option", skip_serializing_if = "Option::is_none")]
    pub check_ts: Option<DateTime<Utc>>,
    /// [`UNSETTLED`] while something is left to do: the partition key of the index `by_check_ts`. Absent after that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unsettled: Option<String>,
    /// How many times the reconciler has sent the export's message again since the export last made progress.
    #[serde(default)]
    pub resends: u32,
    /// Percent of the time that is read, over all workspaces; 100 once COMPLETED.
    #[serde(default)]
    pub progress: u8,
    /// Rows that are written so far; the rows of the file once COMPLETED. The header is not counted.
    #[serde(default)]
    pub row_count: u64,
    /// Rows that were written per second lately, as of the last renewal of the lease; absent if that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows_per_second: Option<u64>,
    /// When the export will be finished, as of the last renewal of the lease; absent if that cannot be told.
    #[serde(default, with = "timestamp::serde_text_option", skip_serializing_if = "Option::is_none")]
    pub estimated_finish_ts: Option<DateTime<Utc>>,
    /// Requests to S3 so far, as of the last worker that has stopped.
    #[serde(default)]
    pub s3_requests: u64,
    /// Milliseconds for which workers were busy with it, as of the last worker that has stopped.
    #[serde(default)]
    pub worker_ms: u64,
    /// Size of the file in bytes; absent until COMPLETED.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size_bytes: Option<u64>,
    /// CRC-32 of the file, such as `crc32:0a1b2c3d`; absent until COMPLETED.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checksum: Option<String>,
    /// The manifest of the file; absent until COMPLETED, and for a file that was made before files had one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manifest: Option<SideObject>,
    /// The exact sum of `credit_cost` over the rows, as decimal text; absent until COMPLETED, if the file has no such column, and for a
    /// file that was made before records had it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credit_cost: Option<String>,
    /// The `ETag` of the file in S3; absent until COMPLETED.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
    /// Why the export failed, in a sentence for its owner, or [`CANCELLED`]; absent unless FAILED.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// What kind of failure that is; absent unless FAILED, and of an export that failed before records had it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<FailureReason>,
    /// When the file expires; absent until COMPLETED.
    #[serde(default, with = "timestamp::serde_text_option", skip_serializing_if = "Option::is_none")]
    pub expires_ts: Option<DateTime<Utc>>,
    /// When a worker claimed the email that tells the outcome; absent while none has.
    #[serde(default, with = "timestamp::serde_text_option", skip_serializing_if = "Option::is_none")]
    pub notified_ts: Option<DateTime<Utc>>,
    /// Who claimed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notified_by: Option<String>,
    /// When DynamoDB may delete the record, in seconds since 1970.
    /// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/TTL.html>
    pub ttl: i64,
}

impl DataExport {
    /// Makes a new export in state REQUESTED. It is not stored yet. `now` is cut to milliseconds, because the id has no
    /// more of it.
    pub fn new(organization_id: &str, user_id: &str, request: ExportRequest, now: DateTime<Utc>) -> Self {
        let created_ts = now - TimeDelta::nanoseconds(i64::from(now.timestamp_subsec_nanos() % 1_000_000));
        Self {
            data_export_id: new_id(created_ts),
            organization_id: organization_id.to_owned(),
            user_id: user_id.to_owned(),
            state: State::Requested,
            created_ts,
            finished_ts: None,
            request: request.into(),
            attempts: 0,
            epoch: 0,
            lease_owner: None,
            lease_until: None,
            checkpoint: None,
            until: None,
            next_segment: None,
            progress_ts: None,
            check_ts: Some(created_ts + MESSAGE_TIMEOUT),
            unsettled: Some(UNSETTLED.to_owned()),
            resends: 0,
            progress: 0,
            row_count: 0,
            s3_requests: 0,
            worker_ms: 0,
            rows_per_second: None,
            estimated_finish_ts: None,
            size_bytes: None,
            checksum: None,
            manifest: None,
            credit_cost: None,
            etag: None,
            error: None,
            failure: None,
            expires_ts: None,
            notified_ts: None,
            notified_by: None,
            ttl: (created_ts + TimeDelta::days(RECORD_DAYS_AFTER_FILE)).timestamp(),
        }
    }

    /// The key of the file in the bucket.
    pub fn object_key(&self) -> String {
        format!("{}csv", self.object_prefix())
    }

    /// What the keys of all objects of the export begin with: of the file, its manifest, its plan and its tails.
    pub fn object_prefix(&self) -> String {
        format!("exports/{}/{}.", self.organization_id, self.data_export_id)
    }

    /// When the export last made progress, or waited for its turn; its creation before that.
    pub fn last_progress_ts(&self) -> DateTime<Utc> {
        self.progress_ts.unwrap_or(self.created_ts)
    }

    /// Whether it has no worker because others of its organization run first: nobody has lost it.
    pub fn waits_for_turn(&self) -> bool {
        self.state == State::Requested && self.progress_ts.is_some()
    }

    /// Whether its file was written by one request of the only worker that has ever had it, so that the bucket has nothing else of it
    /// but the manifest.
    pub fn is_one_request(&self) -> bool {
        let has_checkpoint = self.progress_ts.is_some() || self.next_segment.is_some();
        self.state == State::Completed && self.epoch == 1 && !has_checkpoint
    }

    /// What its workers have used so far.
    pub fn cost(&self) -> Cost {
        Cost { s3_requests: self.s3_requests, worker_ms: self.worker_ms }
    }

    /// The name under which a browser saves the file: the dates of the interval and the last part of the id, which tells
    /// two files with the same dates apart.
    pub fn file_name(&self) -> String {
        let (start, end) = (self.request.interval.start(), self.request.interval.end());
        let tail = self.data_export_id.rsplit('-').next().unwrap_or_default();
        format!("usage-export_{}_{}_{tail}.csv", start.format("%Y-%m-%d"), end.format("%Y-%m-%d"))
    }

    /// Whether the caller may have the file: its owner, or another administrator where they share their files.
    #[cfg(feature = "aws")]
    pub fn may_be_downloaded_by(&self, caller: &Caller, sharing: Sharing) -> bool {
        let is_colleague = self.organization_id == caller.organization_id;
        is_colleague && (self.user_id == caller.user_id || sharing.download_all)
    }

    /// Whether the export was cancelled.
    pub fn is_cancelled(&self) -> bool {
        self.state == State::Failed && self.error.as_deref() == Some(CANCELLED)
    }

    /// Whether the file has expired at `now`.
    pub fn is_expired(&self, now: DateTime<Utc>) -> bool {
        self.expires_ts.is_some_and(|expires_ts| expires_ts <= now)
    }

    /// How fast the export gets on, while a worker makes its file.
    pub fn speed(&self) -> Speed {
        if self.state != State::InProgress {
            return Speed::default();
        }
        Speed { rows_per_second: self.rows_per_second, estimated_finish_ts: self.estimated_finish_ts }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

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
    fn a_file_is_named_after_its_dates() {
        let export = export_at(DateTime::from_timestamp(1_763_900_000, 0).unwrap());
        assert!(export.file_name().starts_with("usage-export_2025-01-01_2025-01-31_"));
    }
}
