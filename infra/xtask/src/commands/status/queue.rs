//! How many messages the queues have.

use anyhow::{Context, Result};
use aws_sdk_sqs::types::QueueAttributeName::{
    self, ApproximateNumberOfMessages, ApproximateNumberOfMessagesDelayed,
    ApproximateNumberOfMessagesNotVisible,
};
use serde::Serialize;

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

impl Queue {
    /// Asks the queue with this address.
    ///
    /// # Errors
    ///
    /// Fails if it cannot be read.
    pub async fn read(sqs: &aws_sdk_sqs::Client, url: &str) -> Result<Self> {
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
