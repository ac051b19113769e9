//! Hands functions what is in queues outside the emulator, as Lambda's event source mappings do:
//! <https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html>.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use anyhow::{Context, Result};
use aws_config::SdkConfig;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{Message, MessageSystemAttributeName};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::resources::at;
use crate::local::aws::REGION;

/// The longest that a call waits for a message; short, so that the end of the system waits for none of them.
const WAIT_SECONDS: i32 = 5;
/// Between two tries to receive while the queue does not answer.
const PAUSE: Duration = Duration::from_millis(500);
/// Batches at the same time where a mapping does not say how many.
const CONCURRENCY: u32 = 2;

/// Goes on until this is dropped.
pub struct EventSources {
    _tasks: JoinSet<()>,
}

/// Those that the emulator has for the functions:
/// <https://docs.aws.amazon.com/lambda/latest/api/API_ListEventSourceMappings.html>.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Mappings {
    event_source_mappings: Vec<Mapping>,
}

#[derive(Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Mapping {
    event_source_arn: String,
    function_arn: String,
    batch_size: i32,
    #[serde(default)]
    scaling_config: ScalingConfig,
}

#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ScalingConfig {
    maximum_concurrency: Option<u32>,
}

/// What the functions answer:
/// <https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html#services-sqs-batchfailurereporting>.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    #[serde(default)]
    batch_item_failures: Vec<Failure>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Failure {
    item_identifier: String,
}

impl EventSources {
    /// Begins to receive, for each mapping of the emulator, from the queue of the same name at `sqs_url`.
    pub(super) async fn start(lambda_url: &str, emulator: &SdkConfig, sqs_url: &str) -> Result<Self> {
        let http = reqwest::Client::builder().no_proxy().build()?;
        let url = format!("{lambda_url}/2015-03-31/event-source-mappings/");
        let found: Mappings =
            http.get(url).send().await?.json().await.context("mappings cannot be listed")?;
        let client = Client::new(&at(emulator, sqs_url));
        let mut tasks = JoinSet::new();
        for mapping in found.event_source_mappings {
            let name = mapping.event_source_arn.rsplit(':').next().unwrap_or_default();
            let queue_url = client.get_queue_url().queue_name(name).send().await?.queue_url;
            let source = EventSource {
                client: client.clone(),
                http: http.clone(),
                queue_url: queue_url.with_context(|| format!("there is no queue {name}"))?,
                invoke_url: format!("{lambda_url}/2015-03-31/functions/{}/invocations", mapping.function_arn),
                mapping: mapping.clone(),
            };
            for _ in 0..mapping.scaling_config.maximum_concurrency.unwrap_or(CONCURRENCY) {
                tasks.spawn(source.clone().serve());
            }
        }
        Ok(Self { _tasks: tasks })
    }
}

#[derive(Clone)]
struct EventSource {
    client: Client,
    http: reqwest::Client,
    queue_url: String,
    invoke_url: String,
    mapping: Mapping,
}

impl EventSource {
    async fn serve(self) {
        loop {
            // What goes wrong is tried again: a message stays in the queue until it is deleted.
            if self.serve_batch().await.is_err() {
                tokio::time::sleep(PAUSE).await;
            }
        }
    }

    async fn serve_batch(&self) -> Result<()> {
        let received = self
            .client
            .receive_message()
            .queue_url(&self.queue_url)
            .max_number_of_messages(self.mapping.batch_size)
            .wait_time_seconds(WAIT_SECONDS)
            .message_system_attribute_names(MessageSystemAttributeName::All)
            .send()
            .await?;
        let messages = received.messages.unwrap_or_default();
        if messages.is_empty() {
            return Ok(());
        }
        let records: Vec<_> = messages.iter().map(|message| self.record(message)).collect();
        let invoked = self.http.post(&self.invoke_url).json(&json!({"Records": records})).send().await?;
        // A function that ended with an error has handled none of them.
        if !invoked.status().is_success() || invoked.headers().contains_key("x-amz-function-error") {
            return Ok(());
        }
        let answer: Answer = invoked.json::<Option<_>>().await?.unwrap_or_default();
        let failed: HashSet<_> =
            answer.batch_item_failures.into_iter().map(|failure| failure.item_identifier).collect();
        for message in messages {
            if !failed.contains(message.message_id().unwrap_or_default()) {
                let delete = self.client.delete_message().queue_url(&self.queue_url);
                delete.set_receipt_handle(message.receipt_handle).send().await?;
            }
        }
        Ok(())
    }

    /// A message as functions get it.
    fn record(&self, message: &Message) -> Value {
        let attributes = message.attributes().into_iter().flatten();
        let attributes: HashMap<_, _> = attributes.map(|(name, value)| (name.as_str(), value)).collect();
        json!({
            "messageId": message.message_id(),
            "receiptHandle": message.receipt_handle(),
            "body": message.body(),
            "attributes": attributes,
            "messageAttributes": {},
            "md5OfBody": message.md5_of_body(),
            "eventSource": "aws:sqs",
            "eventSourceARN": self.mapping.event_source_arn,
            "awsRegion": REGION,
        })
    }
}
