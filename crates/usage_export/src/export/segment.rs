//! A segment of an export: a range of its partitions that one worker reads at a time, with a lease and a checkpoint of its own.
//!
//! A large export is split into segments while it runs. The first one is the export itself; each names the next.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Checkpoint, DataExport, FailureReason, State, checkpoint};
use crate::timestamp;

/// How long the item of a segment is kept: longer than any export takes.
const SEGMENT_DAYS: i64 = 14;

/// A place among the partitions of an export: before each run of the partition that started at `start_ts` or later.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cut {
    /// The partition: workspace and month.
    pub partition_key: String,
    /// Absent for a place before all runs of the partition.
    #[serde(default, with = "timestamp::serde_text_option", skip_serializing_if = "Option::is_none")]
    pub start_ts: Option<DateTime<Utc>>,
}

/// What lies between two cuts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Range {
    /// Where it begins; absent for the first partition of the export.
    pub from: Option<Cut>,
    /// Where it ends; absent for the end of the last partition.
    pub until: Option<Cut>,
}

/// The item of a segment. `docs/data.md` lists the attributes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Segment {
    /// The key of the item.
    #[serde(rename = "data_export_id")]
    pub key: String,
    /// Where its range begins: where that of the segment before ends.
    pub from: Cut,
    /// Where its range ends; absent for the end of the export.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Cut>,
    /// The key of the segment that begins where this one ends; absent for the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_segment: Option<String>,
    /// `COMPLETED` once its file is in S3. `FAILED` if it never will be.
    pub state: State,
    /// As of an export.
    #[serde(default)]
    pub epoch: u32,
    /// As of an export.
    #[serde(default)]
    pub attempts: u32,
    /// The worker that reads the segment; absent while none does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease_owner: Option<String>,
    /// Until when nobody else may claim the segment.
    #[serde(default, with = "timestamp::serde_text_option", skip_serializing_if = "Option::is_none")]
    pub lease_until: Option<DateTime<Utc>>,
    /// From where the next worker goes on. That of a completed segment describes its file.
    #[serde(default, deserialize_with = "checkpoint::readable", skip_serializing_if = "Option::is_none")]
    pub checkpoint: Option<Checkpoint>,
    /// Percent of the time of its own range that is read.
    #[serde(default)]
    pub progress: u8,
    /// Rows that are written so far.
    #[serde(default)]
    pub row_count: u64,
    /// Why it failed, in a sentence for the export owner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// What kind of failure that is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<FailureReason>,
    /// When DynamoDB may delete the item, in seconds since 1970.
    pub ttl: i64,
}

impl Segment {
    /// A new segment of an export, which nobody reads yet. It is not stored.
    pub fn new(
        data_export_id: &str,
        from: Cut,
        until: Option<Cut>,
        next_segment: Option<String>,
        now: DateTime<Utc>,
    ) -> Self {
        Self {
            key: format!("SEGMENT#{data_export_id}#{}", Uuid::now_v7()),
            from,
            until,
            next_segment,
            state: State::Requested,
            epoch: 0,
            attempts: 0,
            lease_owner: None,
            lease_until: None,
            checkpoint: None,
            progress: 0,
            row_count: 0,
            error: None,
            failure: None,
            ttl: (now + TimeDelta::days(SEGMENT_DAYS)).timestamp(),
        }
    }

    /// The partitions and times that it reads.
    pub fn range(&self) -> Range {
        Range { from: Some(self.from.clone()), until: self.until.clone() }
    }

    /// Whether a worker may claim it at `now`.
    pub fn is_free(&self, now: DateTime<Utc>) -> bool {
        !self.state.is_final() && !self.is_leased(now)
    }

    /// Whether a worker may still write what belongs to it.
    pub fn is_leased(&self, now: DateTime<Utc>) -> bool {
        self.lease_until.is_some_and(|until| until >= now)
    }

    /// What the keys of all its objects begin with: of its file and of its side objects.
    pub fn object_prefix(&self, export: &DataExport) -> String {
        let id = self.key.rsplit('#').next().unwrap_or_default();
        format!("{}segment.{id}.", export.object_prefix())
    }

    /// The key of its file in the bucket.
    pub fn object_key(&self, export: &DataExport) -> String {
        format!("{}csv", self.object_prefix(export))
    }
}
