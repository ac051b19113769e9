//! The worker: from a message of SQS to a CSV file in S3 and an email.
//!
//! | module                       | what it does                                                                     |
//! | ---------------------------- | -------------------------------------------------------------------------------- |
//! | this one                     | takes a batch of messages, returns those that are to be delivered again          |
//! | [`delivery`]                 | one delivery of a message: hides it from other workers                           |
//! | [`job`]                      | processes one message: claims the export, makes the file, finishes, notifies     |
//! | [`job::turn`]                | lets so many exports of an organization run at the same time                     |
//! | [`job::handover`]            | when a worker stops reading                                                      |
//! | [`job::heartbeat`]           | renews the lease while the file is made                                          |
//! | [`job::setup`], [`job::stored_plan`] | which partitions an export reads                                         |
//! | [`job::pipeline`]            | makes the file of an export: reads its first segment, joins the others          |
//! | [`job::lanes`], [`job::segment`], [`job::board`] | read segments, several at the same time                      |
//! | [`job::invited`], [`job::share`] | a worker that only reads segments; how many of them there may be            |
//! | [`job::piece`], [`job::reader`], [`job::writer`] | from the pages of an export or a segment to its file; splits |
//! | [`job::progress`]            | how far an export is, and when it will be finished                               |
//! | [`sink`]                     | uploads the file                                                                 |
//!
//! The crate `usage_records` reads what it writes: usage records and the names that are joined to them.

use std::time::Duration;

use aws_lambda_events::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent};
use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;
use usage_export::config::Workers;
use usage_export::directory::Directory;
use usage_export::export::queue::ExportQueue;
use usage_export::export::store::Exports;
use usage_records::query::UsageRecords;

pub mod delivery;
pub mod job;
pub mod sink;

pub use delivery::Delivery;

/// The clients and settings that every message is processed with.
pub struct Worker {
    /// The table of exports: states, leases, checkpoints.
    pub exports: Exports,
    /// The directory of workspaces, workbooks and members.
    pub directory: Directory,
    /// The table of usage records.
    pub usage_records: UsageRecords,
    /// The bucket that the files are written to.
    pub bucket: sink::bucket::Bucket,
    /// Sends the emails about outcomes.
    pub mailer: notification::Mailer,
    /// The queue that the messages come from.
    pub queue: ExportQueue,
    /// How many exports of an organization may run at the same time.
    pub max_running: u32,
    /// How much time passes, at least, between the checkpoints of two parts.
    pub checkpoint_interval: TimeDelta,
    /// How large exports are split.
    pub splitting: Splitting,
    /// How many days a file can be downloaded: those of the bucket's lifecycle rule.
    pub file_days: u16,
    /// Reads the clock. It is a function because a worker lives longer than a lease and has to read it many times.
    pub clock: fn() -> DateTime<Utc>,
}

/// Whether SQS deletes a message or delivers it again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disposition {
    /// The message is done, and SQS deletes it.
    Acknowledge,
    /// The message is to be delivered again after this time.
    Retry(Duration),
}

/// How much time passes, at least, between the checkpoints of two parts. A worker that dies has read so much in vain.
pub const CHECKPOINT_INTERVAL: TimeDelta = TimeDelta::seconds(1);

/// How many segments a worker reads at the same time: with more it would need more than 96 MiB.
const LANES: usize = 6;

/// How a worker splits an export that proves large.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Splitting {
    /// How many segments a worker reads at the same time. Each has up to two parts in memory, of 5 MiB.
    pub lanes: usize,
    /// How many workers may read segments of one export at the same time.
    pub max_workers: u32,
    /// How many pages a segment should have at least when an export is first split; half of it after that, a third for lanes that are idle.
    pub min_pages: u32,
}

impl From<Workers> for Splitting {
    fn from(Workers { max_workers, segment_pages }: Workers) -> Self {
        Self { lanes: LANES, max_workers, min_pages: segment_pages }
    }
}

/// The body of a message. Everything else is in the export's record.
#[derive(Debug, Deserialize)]
struct Message {
    data_export_id: String,
    /// Whether it invites to read segments of an export that another worker owns.
    #[serde(default)]
    is_invitation: bool,
}

/// Processes a batch of messages one by one, until this worker ends at `deadline`, and reports those that are to be delivered
/// again.
/// <https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html#services-sqs-batchfailurereporting>
pub async fn handle(worker: &Worker, event: SqsEvent, deadline: DateTime<Utc>) -> SqsBatchResponse {
    let mut response = SqsBatchResponse::default();
    for message in event.records {
        let delivery = Delivery::new(&message, deadline);
        let body = message.body.as_deref().unwrap_or_default();
        if let Disposition::Retry(after) = process(worker, body, &delivery).await {
            delivery.hide(worker, after).await;
            let mut failure = BatchItemFailure::default();
            failure.item_identifier = message.message_id.unwrap_or_default();
            response.batch_item_failures.push(failure);
        }
    }
    response
}

async fn process(worker: &Worker, body: &str, delivery: &Delivery<'_>) -> Disposition {
    match serde_json::from_str::<Message>(body) {
        // On the heap, because it is large.
        Ok(Message { data_export_id, is_invitation: false }) => {
            Box::pin(job::process(worker, &data_export_id, delivery)).await
        }
        Ok(Message { data_export_id, is_invitation: true }) => {
            job::invited::process(worker, &data_export_id, delivery).await
        }
        Err(error) => {
            // SQS moves it to the dead-letter queue after the queue's maxReceiveCount.
            tracing::error!(error = %error, "a message does not name an export: {error}");
            Disposition::Retry(Duration::from_secs(1))
        }
    }
}
