//! The queue that events come from: of SQS messages, or of events that are no messages.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Result, ensure};
use bytes::Bytes;
use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// How long a message is hidden that a worker gave back.
const HIDDEN: Duration = Duration::from_secs(1);
/// How often a message is delivered before SQS would move it to the dead-letter queue: as in `template.yaml`.
const MAX_RECEIVES: u32 = 20;

/// What an event is made of.
#[derive(Debug, Clone)]
pub enum Content {
    /// The event itself.
    Event(Bytes),
    /// The body of a message, which is wrapped as SQS does it.
    Message(String),
}

/// A message until it has been acknowledged.
#[derive(Debug)]
struct Message {
    content: Content,
    receives: u32,
}

/// Hands events to idle workers.
#[derive(Debug)]
pub struct Queue {
    messages: Mutex<HashMap<String, Message>>,
    sent: AtomicU64,
    ready: UnboundedSender<String>,
    next: tokio::sync::Mutex<UnboundedReceiver<String>>,
}

impl Queue {
    /// An empty one.
    pub fn new() -> Arc<Self> {
        let (ready, next) = unbounded_channel();
        Arc::new(Self {
            messages: Mutex::default(),
            sent: AtomicU64::new(0),
            ready,
            next: tokio::sync::Mutex::new(next),
        })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Message>> {
        self.messages.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes an event, to be delivered after this time, and returns its id.
    pub fn send(self: &Arc<Self>, content: Content, delay: Duration) -> String {
        let id = format!("message-{}", self.sent.fetch_add(1, Ordering::Relaxed) + 1);
        self.lock().insert(id.clone(), Message { content, receives: 0 });
        self.deliver(id.clone(), delay);
        id
    }

    fn deliver(self: &Arc<Self>, id: String, delay: Duration) {
        if delay.is_zero() {
            let _ = self.ready.send(id);
            return;
        }
        let queue = Arc::clone(self);
        tokio::spawn(async move {
            tokio::time::sleep(delay).await;
            let _ = queue.ready.send(id);
        });
    }

    /// Waits for the next event, and returns its id too.
    pub async fn receive(&self) -> (String, Bytes) {
        loop {
            let id = self.next.lock().await.recv().await.expect("the queue has a sender");
            if let Some(message) = self.lock().get_mut(&id) {
                message.receives += 1;
                let event = match &message.content {
                    Content::Event(event) => event.clone(),
                    Content::Message(body) => event(&id, body, message.receives),
                };
                return (id, event);
            }
        }
    }

    /// Takes the answer to the event with this id. What the answer does not give back is done.
    ///
    /// # Errors
    ///
    /// Fails if an event was given back too often.
    pub fn answered(self: &Arc<Self>, id: &str, answer: &[u8]) -> Result<()> {
        let answer: Value = serde_json::from_slice(answer).unwrap_or_default();
        let failures = answer["batchItemFailures"].as_array();
        if failures.is_none_or(Vec::is_empty) {
            self.lock().remove(id);
            return Ok(());
        }
        let receives = self.lock().get(id).map_or(0, |message| message.receives);
        ensure!(receives < MAX_RECEIVES, "{id} was given back {receives} times");
        self.deliver(id.to_owned(), HIDDEN);
        Ok(())
    }

    /// Whether every event that was sent is done.
    pub fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }

    /// How many events were sent.
    pub fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }
}

/// The event that Lambda makes of a message.
/// <https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html>
pub fn event(id: &str, body: &str, receives: u32) -> Bytes {
    let event = json!({"Records": [{
        "messageId": id,
        "receiptHandle": "bench",
        "body": body,
        "attributes": {"ApproximateReceiveCount": receives.to_string()},
        "messageAttributes": {},
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-1:000000000000:bench",
        "awsRegion": "us-east-1",
    }]});
    event.to_string().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_message_comes_again_until_it_is_done() {
        let queue = Queue::new();
        let sent = queue.send(Content::Message("{}".to_owned()), Duration::ZERO);
        for receives in 1..=2 {
            let (id, event) = queue.receive().await;
            let event: Value = serde_json::from_slice(&event).unwrap();
            let record = &event["Records"][0];
            assert_eq!((&id, record["messageId"].as_str()), (&sent, Some(sent.as_str())));
            assert_eq!(record["attributes"]["ApproximateReceiveCount"], receives.to_string());
            let given_back = json!({"batchItemFailures": [{"itemIdentifier": id}]}).to_string();
            queue.answered(&id, given_back.as_bytes()).unwrap();
        }
        let (id, _) = queue.receive().await;
        assert!(!queue.is_empty());
        queue.answered(&id, b"{\"batchItemFailures\":[]}").unwrap();
        assert!(queue.is_empty());
    }
}
