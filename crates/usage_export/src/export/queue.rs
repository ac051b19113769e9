//! The queue of exports that wait for a worker. A message has an export's id, and whether it
//! only invites to read segments of it.

use std::time::Duration;

use aws_sdk_sqs::Client;
use serde_json::{Value, json};

use super::DataExport;
use crate::error::AwsError;

/// How long a caller waits for SQS.
const SEND_TIMEOUT: Duration = Duration::from_secs(3);

/// Sends messages to the worker's queue.
#[derive(Debug, Clone)]
pub struct ExportQueue {
    /// The client of SQS that every call goes through.
    pub client: Client,
    /// The URL of the queue.
    pub url: String,
}

impl ExportQueue {
    /// Sends the id of an export.
    ///
    /// # Errors
    ///
    /// As for [`ExportQueue::send_id`].
    pub async fn send(&self, export: &DataExport) -> Result<(), AwsError> {
        self.send_id(&export.organization_id, &export.data_export_id).await
    }

    /// Sends the id of an export of an organization. A second message for the same export does no harm.
    ///
    /// The message group is the organization: SQS lets an organization with a few messages go before one that has many
    /// waiting.
    /// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-fair-queues.html>
    ///
    /// # Errors
    ///
    /// SQS refuses or cannot be reached; the message may have been sent.
    pub async fn send_id(&self, organization_id: &str, data_export_id: &str) -> Result<(), AwsError> {
        self.send_body(organization_id, &json!({"data_export_id": data_export_id})).await
    }

    /// Invites another worker to read segments of an export. Should the message be lost, those who are there read them.
    ///
    /// # Errors
    ///
    /// As for [`ExportQueue::send_id`].
    pub async fn invite(&self, export: &DataExport) -> Result<(), AwsError> {
        let body = json!({"data_export_id": export.data_export_id, "is_invitation": true});
        self.send_body(&export.organization_id, &body).await
    }

    async fn send_body(&self, organization_id: &str, body: &Value) -> Result<(), AwsError> {
        self.client
            .send_message()
            .queue_url(&self.url)
            .message_group_id(organization_id)
            .message_body(body.to_string())
            .send()
            .await
            .map_err(AwsError::from_sdk("sqs:SendMessage"))?;
        Ok(())
    }

    /// Sends the id of an export, unless SQS fails or takes longer than a few seconds: the reconciler sends it then.
    pub async fn send_if_possible(&self, export: &DataExport) {
        self.send_id_if_possible(&export.organization_id, &export.data_export_id).await;
    }

    /// As [`ExportQueue::send_if_possible`].
    pub async fn send_id_if_possible(&self, organization_id: &str, data_export_id: &str) {
        let send = self.send_id(organization_id, data_export_id);
        let error = match tokio::time::timeout(SEND_TIMEOUT, send).await {
            Ok(Ok(())) => return,
            Ok(Err(error)) => error.to_string(),
            Err(late) => late.to_string(),
        };
        tracing::warn!(
            data_export_id,
            error,
            "the message of export {data_export_id} is left to the reconciler: {error}"
        );
    }
}
