//! Wiring: configuration and clients once, then events.

use std::time::Duration;

use chrono::Utc;
use export_reconciler::Reconciler;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use notification::Mailer;
use serde_json::Value;
use usage_export::config::{DeadLetterQueue, Queue, Stack, TableNames};
use usage_export::directory::Directory;
use usage_export::export::queue::ExportQueue;
use usage_export::export::store::Exports;

/// How long one attempt of a call to AWS may take.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(5);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    usage_export::logging::init();
    usage_export::metrics::init(Stack::from_env()?);
    let aws = usage_export::aws::config(ATTEMPT_TIMEOUT).await?;
    let dynamodb = aws_sdk_dynamodb::Client::new(&aws);
    let tables = TableNames::from_env()?;
    let reconciler = &Reconciler {
        exports: Exports::new(dynamodb.clone(), tables.exports),
        directory: Directory::new(dynamodb, tables.directory),
        mailer: Mailer::from_env(&aws)?,
        queue: ExportQueue { client: aws_sdk_sqs::Client::new(&aws), url: Queue::from_env()?.url },
        dead_letter_queue_url: DeadLetterQueue::from_env()?.url,
    };
    #[expect(clippy::disallowed_methods, reason = "main reads the clock, once an event")]
    lambda_runtime::run(service_fn(move |event: LambdaEvent<Value>| async move {
        Ok::<_, Error>(export_reconciler::handle(reconciler, event.payload, Utc::now()).await?)
    }))
    .await
}
