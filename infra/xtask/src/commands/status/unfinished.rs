//! Exports that are not settled: what they wait for, and who works on them.

use anyhow::{Context, Result};
use chrono::{DateTime, TimeDelta, Utc};
use futures::stream::{self, StreamExt as _};
use serde::Serialize;
use usage_export::export::store::Exports;
use usage_export::export::{DataExport, Segment, State};

/// Exports that are read at the same time.
const CONCURRENT_READS: usize = 8;

/// Later than any time at which an export is looked at.
const FAR: TimeDelta = TimeDelta::days(3650);

/// An export that is not settled.
#[derive(Debug, Serialize)]
pub struct Unfinished {
    pub data_export_id: String,
    pub organization_id: String,
    pub state: &'static str,
    pub standing: Standing,
    pub age_seconds: i64,
    pub seconds_without_progress: i64,
    pub progress: u8,
    pub row_count: u64,
    pub attempts: u32,
    /// How often the reconciler has sent its message again.
    pub resends: u32,
    pub lease_owner: Option<String>,
    pub lease_ends_in_seconds: Option<i64>,
    pub segments: Option<Segments>,
}

/// What it waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// A worker has its lease.
    Runs,
    /// Others of its organization run first.
    WaitsForTurn,
    /// Nobody has its lease.
    WaitsForWorker,
    /// It has ended; its email or its cleaning up is left.
    Settles,
}

/// The segments of an export that was split, without the first one, which is the export itself.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub struct Segments {
    pub completed: usize,
    pub being_read: usize,
    pub waiting: usize,
    pub failed: usize,
}

/// The exports that are not settled, and the ids of those that cannot be read.
///
/// # Errors
///
/// Fails if the table cannot be read.
pub async fn unfinished(exports: &Exports, now: DateTime<Utc>) -> Result<(Vec<Unfinished>, Vec<String>)> {
    let mut ids = exports.due(now + FAR).await.context("the table of exports cannot be read")?;
    // Ids sort by age.
    ids.sort_unstable();
    let read = stream::iter(ids)
        .map(async |id| match read_one(exports, &id, now).await {
            Ok(found) => Ok(found),
            Err(_) => Err(id),
        })
        .buffered(CONCURRENT_READS);
    let read: Vec<_> = read.collect().await;
    let (mut unfinished, mut unreadable) = (Vec::new(), Vec::new());
    for one in read {
        match one {
            Ok(found) => unfinished.extend(found),
            Err(id) => unreadable.push(id),
        }
    }
    Ok((unfinished, unreadable))
}

/// `None` if it was settled meanwhile.
async fn read_one(exports: &Exports, id: &str, now: DateTime<Utc>) -> Result<Option<Unfinished>> {
    let export = exports.get(id).await?.filter(|export| export.unsettled.is_some());
    let Some(export) = export else { return Ok(None) };
    let segments = match &export.next_segment {
        Some(first) => Some(Segments::count(&exports.segments(Some(first), &[]).await?, now)),
        None => None,
    };
    Ok(Some(Unfinished::of(export, segments, now)))
}

impl Unfinished {
    fn of(export: DataExport, segments: Option<Segments>, now: DateTime<Utc>) -> Self {
        Self {
            standing: Standing::of(&export, now),
            state: export.state.name(),
            age_seconds: (now - export.created_ts).num_seconds(),
            seconds_without_progress: (now - export.last_progress_ts()).num_seconds(),
            lease_ends_in_seconds: export.lease_until.map(|until| (until - now).num_seconds()),
            data_export_id: export.data_export_id,
            organization_id: export.organization_id,
            progress: export.progress,
            row_count: export.row_count,
            attempts: export.attempts,
            resends: export.resends,
            lease_owner: export.lease_owner,
            segments,
        }
    }
}

impl Standing {
    fn of(export: &DataExport, now: DateTime<Utc>) -> Self {
        if export.state.is_final() {
            Self::Settles
        } else if export.lease_until.is_some_and(|until| until > now) {
            Self::Runs
        } else if export.waits_for_turn() {
            Self::WaitsForTurn
        } else {
            Self::WaitsForWorker
        }
    }
}

impl Segments {
    fn count(segments: &[Segment], now: DateTime<Utc>) -> Self {
        let mut counted = Self::default();
        for segment in segments {
            match segment.state {
                State::Completed => counted.completed += 1,
                State::Failed => counted.failed += 1,
                _ if segment.lease_owner.is_some() && segment.is_leased(now) => counted.being_read += 1,
                _ => counted.waiting += 1,
            }
        }
        counted
    }
}
