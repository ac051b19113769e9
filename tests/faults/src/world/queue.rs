//! What scenarios do with the queue between the API and the worker.

use std::time::Duration;

use aws_sdk_sqs::types::QueueAttributeName;
use integration_tests::system::system;

/// Sets how long messages are out of sight after a worker has got them, and how long new ones wait before it can.
pub async fn set_times(visibility: Duration, delay: Duration) {
    system()
        .sqs
        .set_queue_attributes()
        .queue_url(&system().outputs.queue_url)
        .attributes(QueueAttributeName::VisibilityTimeout, visibility.as_secs().to_string())
        .attributes(QueueAttributeName::DelaySeconds, delay.as_secs().to_string())
        .send()
        .await
        .unwrap();
}

/// Deletes all messages.
pub async fn purge() {
    system().sqs.purge_queue().queue_url(&system().outputs.queue_url).send().await.unwrap();
}

/// Sends a message with this body.
pub async fn send(body: &str) {
    let queue = &system().outputs.queue_url;
    system().sqs.send_message().queue_url(queue).message_body(body).send().await.unwrap();
}
