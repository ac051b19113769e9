//! One delivery of a message by SQS: how long it stays hidden, and until when it may be worked on.

use std::time::Duration;

use aws_lambda_events::sqs::SqsMessage;
use chrono::{DateTime, Utc};
use usage_export::error::AwsError;

use crate::Worker;

/// One delivery of a message.
#[derive(Debug, Clone, Copy)]
pub struct Delivery<'a> {
    /// How many times the message was delivered, this time included.
    pub receives: u32,
    /// When Lambda ends the worker.
    /// <https://docs.aws.amazon.com/lambda/latest/dg/configuration-timeout.html>
    pub deadline: DateTime<Utc>,
    /// By which SQS knows the delivery; absent in an event that does not come from a queue.
    pub receipt_handle: Option<&'a str>,
}

impl<'a> Delivery<'a> {
    /// The delivery of this message to a worker that ends at `deadline`.
    pub fn new(message: &'a SqsMessage, deadline: DateTime<Utc>) -> Self {
        let receives = message.attributes.get("ApproximateReceiveCount").and_then(|count| count.parse().ok());
        Self { receives: receives.unwrap_or(1), deadline, receipt_handle: message.receipt_handle.as_deref() }
    }

    /// Hides the message for this time from now on; then SQS delivers it again, unless it was deleted. If the call fails,
    /// what was set before stays: at first that is the queue's visibility time-out.
    /// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibility.html>
    pub async fn hide(&self, worker: &Worker, time: Duration) {
        let Some(receipt_handle) = self.receipt_handle else { return };
        let changed = worker
            .queue
            .client
            .change_message_visibility()
            .queue_url(&worker.queue.url)
            .receipt_handle(receipt_handle)
            .visibility_timeout(i32::try_from(time.as_secs()).unwrap_or(i32::MAX))
            .send()
            .await;
        if let Err(error) = changed.map_err(AwsError::from_sdk("sqs:ChangeMessageVisibility")) {
            tracing::warn!(error = %error, "a message stays hidden as long as before: {error}");
        }
    }
}
