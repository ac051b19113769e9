//! The worker: SQS → DynamoDB → CSV → S3 → email.
//!
//! Three layers, each testable alone:
//!
//! | layer               | module                                                                     |
//! | ------------------- | -------------------------------------------------------------------------- |
//! | take messages       | this one: a batch in, the messages to be delivered again out               |
//! | process one         | [`job`]: claim, run, finish, tell                                          |
//! | make the file       | [`run`] over [`plan`], [`read`], [`names`], [`part`], [`files`], [`upload`] |
//! | read a page         | [`tap`], [`scan`], [`shape`], [`json`], [`record`]                         |
//! | write its rows      | [`rows`] with the cells of [`columns`], [`known`], [`csv`]                 |
//!
//! [`email`] writes the emails, [`notify`] sends them.

use std::time::Duration;

use aws_lambda_events::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent, SqsMessage};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use usage_export::directory::Directory;
use usage_export::error::AwsError;
use usage_export::export::store::Exports;

pub mod buffers;
pub mod columns;
pub mod csv;
pub mod decimal;
pub mod email;
pub mod files;
pub mod job;
pub mod json;
pub mod known;
pub mod names;
pub mod notify;
pub mod part;
pub mod plan;
pub mod read;
pub mod record;
pub mod rows;
pub mod run;
pub mod scan;
pub mod shape;
pub mod tap;
pub mod text;
pub mod upload;

/// What the worker borrows.
pub struct Worker {
    /// The exports.
    pub exports: Exports,
    /// Workspaces, workbooks, members.
    pub directory: Directory,
    /// The usage records.
    pub reader: read::Reader,
    /// The files.
    pub files: files::Files,
    /// The emails.
    pub mailer: notify::Mailer,
    /// The queue, to say when a message comes again.
    pub sqs: aws_sdk_sqs::Client,
    /// Its URL.
    pub queue_url: String,
    /// Days that a file can be downloaded.
    pub file_days: u16,
    /// The clock: a lease outlives many readings of it.
    pub clock: fn() -> DateTime<Utc>,
}

/// What becomes of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disposition {
    /// Done: it can go.
    Acknowledge,
    /// It is to be delivered again, after this time.
    Again(Duration),
}

/// The body of a message. The export's record holds everything else.
#[derive(Debug, Deserialize)]
struct Message {
    data_export_id: String,
}

/// Handles a batch and reports the messages that are to be delivered again.
/// <https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html#services-sqs-batchfailurereporting>
pub async fn handle(worker: &Worker, event: SqsEvent, request_id: &str) -> SqsBatchResponse {
    let mut response = SqsBatchResponse::default();
    for message in event.records {
        let message_id = message.message_id.clone().unwrap_or_default();
        let owner = format!("{request_id}/{message_id}");
        if let Disposition::Again(after) = process(worker, &message, &owner).await {
            hide(worker, &message, after).await;
            let mut failure = BatchItemFailure::default();
            failure.item_identifier = message_id;
            response.batch_item_failures.push(failure);
        }
    }
    response
}

async fn process(worker: &Worker, message: &SqsMessage, owner: &str) -> Disposition {
    let body = message.body.as_deref().unwrap_or_default();
    let receives = receive_count(message);
    match serde_json::from_str::<Message>(body) {
        Ok(Message { data_export_id }) => job::process(worker, &data_export_id, owner, receives).await,
        Err(error) => {
            // It goes to the dead-letter queue once the queue's maxReceiveCount is reached.
            let message_id = message.message_id.as_deref().unwrap_or_default();
            tracing::error!(message_id, error = %error, "message {message_id} is not ours: {error}");
            Disposition::Again(Duration::from_secs(1))
        }
    }
}

/// How often the message was delivered, this time included.
fn receive_count(message: &SqsMessage) -> u32 {
    message.attributes.get("ApproximateReceiveCount").and_then(|count| count.parse().ok()).unwrap_or(1)
}

/// Says when a message comes again. Without it that is the queue's visibility time-out, which is as long as the worker
/// may run; so a failure here only costs time.
async fn hide(worker: &Worker, message: &SqsMessage, after: Duration) {
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
        tracing::warn!(error = %error, "the message keeps the queue's visibility time-out: {error}");
    }
}
