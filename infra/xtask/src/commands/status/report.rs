//! What is read of a deployment.

use anyhow::{Context, Result};
use aws_sdk_dynamodb::Client;
use aws_sdk_sqs::types::QueueAttributeName::{
    self, ApproximateNumberOfMessages, ApproximateNumberOfMessagesDelayed,
    ApproximateNumberOfMessagesNotVisible,
};
use chrono::{DateTime, TimeDelta, Utc};
use futures::stream::{self, StreamExt as _};
use serde::Serialize;
use usage_export::dynamo::{Item, text};
use usage_export::export::store::Exports;
use usage_export::export::{DataExport, Segment, State};
use usage_export::timestamp;

use crate::commands::deployment::Deployment;

/// Exports that are read at the same time.
const CONCURRENT_READS: usize = 8;

/// Later than any time at which an export is looked at.
const FAR: TimeDelta = TimeDelta::days(3650);

/// How a deployment is.
#[derive(Debug, Serialize)]
pub struct Report {
    pub deployment: String,
    pub now: String,
    pub queues: Queues,
    /// Exports with something left to do, the oldest first; 500 at most.
    pub unfinished: Vec<Unfinished>,
    /// Those of them whose record cannot be read.
    pub unreadable: Vec<String>,
    pub failed_since: String,
    /// Exports that failed since then, the last first.
    pub failed: Vec<Failed>,
    /// How many were cancelled since then: they are not among the failed ones.
    pub cancelled: usize,
}

#[derive(Debug, Serialize)]
pub struct Queues {
    pub exports: Queue,
    pub dead_letters: Queue,
}

/// About how many messages a queue has.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub struct Queue {
    pub visible: u64,
    pub in_flight: u64,
    pub delayed: u64,
}

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

#[derive(Debug, Serialize)]
pub struct Failed {
    pub data_export_id: String,
    pub organization_id: String,
    pub finished_ts: String,
    /// `unknown` of an export that failed before records had it.
    pub reason: String,
}

impl Report {
    /// Reads it, with the exports that failed since that time.
    ///
    /// # Errors
    ///
    /// Fails if a queue or the table of exports cannot be read.
    pub async fn take(deployment: &Deployment, since: DateTime<Utc>, now: DateTime<Utc>) -> Result<Self> {
        let client = Client::new(&deployment.dynamodb);
        let exports = Exports::new(client.clone(), deployment.exports_table.clone());
        let (unfinished, unreadable) = unfinished(&exports, now).await?;
        let (failed, cancelled) = failed(&client, &deployment.exports_table, since).await?;
        let sqs = aws_sdk_sqs::Client::new(&deployment.sqs);
        let queues = Queues {
            exports: Queue::read(&sqs, &deployment.queue_url).await?,
            dead_letters: Queue::read(&sqs, &deployment.dead_letter_queue_url).await?,
        };
        Ok(Self {
            deployment: deployment.name.clone(),
            now: timestamp::to_text(now),
            queues,
            unfinished,
            unreadable,
            failed_since: timestamp::to_text(since),
            failed,
            cancelled,
        })
    }
}

impl Queue {
    async fn read(sqs: &aws_sdk_sqs::Client, url: &str) -> Result<Self> {
        let [visible, in_flight, delayed] = [
            ApproximateNumberOfMessages,
            ApproximateNumberOfMessagesNotVisible,
            ApproximateNumberOfMessagesDelayed,
        ];
        let names = [&visible, &in_flight, &delayed].map(Clone::clone);
        let read = sqs.get_queue_attributes().queue_url(url).set_attribute_names(Some(names.into()));
        let attributes = read.send().await.with_context(|| format!("the queue {url} cannot be read"))?;
        let attributes = attributes.attributes.unwrap_or_default();
        let number = |name: &QueueAttributeName| {
            attributes.get(name).and_then(|number| number.parse().ok()).unwrap_or_default()
        };
        Ok(Self { visible: number(&visible), in_flight: number(&in_flight), delayed: number(&delayed) })
    }
}

/// The exports that are not settled, and the ids of those that cannot be read.
async fn unfinished(exports: &Exports, now: DateTime<Utc>) -> Result<(Vec<Unfinished>, Vec<String>)> {
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

/// The exports that failed since then, and how many were cancelled. There is no index of them: the table is read.
async fn failed(client: &Client, table: &str, since: DateTime<Utc>) -> Result<(Vec<Failed>, usize)> {
    let pages = client
        .scan()
        .table_name(table)
        .filter_expression("#state = :failed AND finished_ts >= :since AND attribute_exists(organization_id)")
        .projection_expression("data_export_id, organization_id, finished_ts, failure")
        .expression_attribute_names("#state", "state")
        .expression_attribute_values(":failed", text(State::Failed.name()))
        .expression_attribute_values(":since", text(timestamp::to_text(since)))
        .into_paginator()
        .items()
        .send();
    let items = pages.try_collect().await.context("the table of exports cannot be read")?;
    let found: Vec<_> = items.iter().map(Failed::read).collect();
    let (cancelled, mut failed): (Vec<_>, Vec<_>) =
        found.into_iter().partition(|export| export.reason == "cancelled");
    failed.sort_by(|a, b| b.finished_ts.cmp(&a.finished_ts));
    Ok((failed, cancelled.len()))
}

impl Failed {
    fn read(item: &Item) -> Self {
        let attribute = |name: &str| item.get(name).and_then(|value| value.as_s().ok()).cloned();
        Self {
            data_export_id: attribute("data_export_id").unwrap_or_default(),
            organization_id: attribute("organization_id").unwrap_or_default(),
            finished_ts: attribute("finished_ts").unwrap_or_default(),
            reason: attribute("failure").unwrap_or_else(|| "unknown".to_owned()),
        }
    }
}
