//! The worker: from a message of SQS to a CSV file in S3 and an email.
//!
//! | module                       | what it does                                                                     |
//! | ---------------------------- | -------------------------------------------------------------------------------- |
//! | this one                     | takes a batch of messages, returns those that are to be delivered again          |
//! | [`job`]                      | processes one message: claims the export, makes the file, finishes, notifies     |
//! | [`job::plan`], [`job::pipeline`] | the partitions of an export; from their pages to the file                    |
//! | [`source`]                   | reads usage records and the names that are joined to them                        |
//! | [`sink`]                     | uploads the file                                                                 |
//! | [`notify`], [`email`]        | sends the one email of an outcome; writes it                                     |

use std::time::Duration;

use aws_lambda_events::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent, SqsMessage};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use usage_export::directory::Directory;
use usage_export::error::AwsError;
use usage_export::export::store::Exports;

pub mod email;
pub mod job;
pub mod notify;
pub mod sink;
pub mod source;

/// The clients and settings that every message is processed with.
pub struct Worker {
    /// The table of exports: states, leases, checkpoints.
    pub exports: Exports,
    /// The directory of workspaces, workbooks and members.
    pub directory: Directory,
    /// The table of usage records.
    pub usage_records: source::query::UsageRecords,
    /// The bucket that the files are written to.
    pub bucket: sink::bucket::Bucket,
    /// Sends the emails about outcomes.
    pub mailer: notify::Mailer,
    /// A client of SQS, to delay redeliveries.
    pub sqs: aws_sdk_sqs::Client,
    /// The URL of the queue that the messages come from.
    pub queue_url: String,
    /// How many days a file can be downloaded.
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

/// The body of a message. Everything else is in the export's record.
#[derive(Debug, Deserialize)]
struct Message {
    data_export_id: String,
}

/// Processes a batch of messages one by one and reports those that are to be delivered again. `request_id` identifies this
/// worker as lease owner.
/// <https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html#services-sqs-batchfailurereporting>
pub async fn handle(worker: &Worker, event: SqsEvent, request_id: &str) -> SqsBatchResponse {
    let mut response = SqsBatchResponse::default();
    for message in event.records {
        let message_id = message.message_id.clone().unwrap_or_default();
        let lease_owner = format!("{request_id}/{message_id}");
        if let Disposition::Retry(after) = process(worker, &message, &lease_owner).await {
            delay_redelivery(worker, &message, after).await;
            let mut failure = BatchItemFailure::default();
            failure.item_identifier = message_id;
            response.batch_item_failures.push(failure);
        }
    }
    response
}

async fn process(worker: &Worker, message: &SqsMessage, lease_owner: &str) -> Disposition {
    let body = message.body.as_deref().unwrap_or_default();
    let receives = receive_count(message);
    match serde_json::from_str::<Message>(body) {
        Ok(Message { data_export_id }) => job::process(worker, &data_export_id, lease_owner, receives).await,
        Err(error) => {
            // SQS moves it to the dead-letter queue after the queue's maxReceiveCount.
            let message_id = message.message_id.as_deref().unwrap_or_default();
            tracing::error!(message_id, error = %error, "message {message_id} does not name an export: {error}");
            Disposition::Retry(Duration::from_secs(1))
        }
    }
}

/// How many times the message was delivered, this time included.
fn receive_count(message: &SqsMessage) -> u32 {
    message.attributes.get("ApproximateReceiveCount").and_then(|count| count.parse().ok()).unwrap_or(1)
}

/// Sets when the message is delivered again. If that fails, it is after the queue's visibility time-out, which is longer
/// than a worker may run: the failure costs time only.
async fn delay_redelivery(worker: &Worker, message: &SqsMessage, after: Duration) {
    let Some(receipt_handle) = &message.receipt_handle else { return };
    let changed = worker
        .sqs
        .change_message_visibility()
        .queue_url(&worker.queue_url)
        .receipt_handle(receipt_handle)
        .visibility_timeout(i32::try_from(after.as_secs()).unwrap_or(i32::MAX))
        .send()
        .await;
    if let Err(error) = changed.map_err(AwsError::from_sdk("sqs:ChangeMessageVisibility")) {
        tracing::warn!(error = %error, "the redelivery waits for the queue's visibility time-out: {error}");
    }
}
