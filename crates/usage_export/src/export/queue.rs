//! The queue of exports that wait for a worker. A message has an export's id and nothing else.

use aws_sdk_sqs::Client;
use serde_json::json;

use super::DataExport;
use crate::error::AwsError;

/// Sends messages to the worker's queue.
#[derive(Debug, Clone)]
pub struct ExportQueue {
    /// The client of SQS that every call goes through.
    pub client: Client,
    /// The URL of the queue.
    pub url: String,
}

impl ExportQueue {
    /// Sends the id of an export. A second message for the same export does no harm.
    ///
    /// The message group is the organization: SQS lets an organization with a few messages go before one that has many
    /// waiting.
    /// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-fair-queues.html>
    ///
    /// # Errors
    ///
    /// SQS refuses or cannot be reached; the message may have been sent.
    pub async fn send(&self, export: &DataExport) -> Result<(), AwsError> {
        let body = json!({"data_export_id": export.data_export_id}).to_string();
        self.client
            .send_message()
            .queue_url(&self.url)
            .message_group_id(&export.organization_id)
            .message_body(body)
            .send()
            .await
            .map_err(AwsError::from_sdk("sqs:SendMessage"))?;
        Ok(())
    }
}
