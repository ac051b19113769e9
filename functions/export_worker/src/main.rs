//! Reads the configuration and makes the clients once, then handles batches of messages.

use std::time::Duration;

use aws_lambda_events::sqs::SqsEvent;
use chrono::{DateTime, Utc};
use export_worker::Worker;
use export_worker::sink::bucket::Bucket;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use notification::Mailer;
use usage_export::config::{
    self, Queue, Reads, Retention, Stack, TableNames, Turns, UsageRecordsTable, Workers,
};
use usage_export::directory::Directory;
use usage_export::export::queue::ExportQueue;
use usage_export::export::store::Exports;
use usage_records::budget::ReadBudget;
use usage_records::pace::Pace;
use usage_records::query::UsageRecords;

/// How long a call to AWS may take before the SDK retries it: enough for a part of 8 MiB at 140 kB/s.
const ATTEMPT_TIMEOUT: Duration = Duration::from_mins(1);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    usage_export::logging::init();
    usage_export::metrics::init(Stack::from_env()?);
    let aws = usage_export::aws::config(ATTEMPT_TIMEOUT).await?;
    #[expect(clippy::disallowed_methods, reason = "main hands out the clock")]
    let clock = Utc::now;
    let dynamodb = aws_sdk_dynamodb::Client::new(&aws);
    let (tables, usage_records) = (TableNames::from_env()?, UsageRecordsTable::from_env()?);
    let exports = Exports::new(dynamodb.clone(), tables.exports);
    let units_per_second = Reads::from_env()?.max_units;
    let budget = ReadBudget { exports: exports.clone(), units_per_second, clock };
    let worker = &Worker {
        exports,
        directory: Directory::new(dynamodb.clone(), tables.directory),
        usage_records: UsageRecords {
            client: dynamodb,
            table: usage_records.name,
            read_ahead: usage_records.read_ahead,
            pace: Pace::new(budget),
        },
        bucket: Bucket::new(&aws, config::Bucket::from_env()?.name),
        mailer: Mailer::from_env(&aws)?,
        queue: ExportQueue { client: aws_sdk_sqs::Client::new(&aws), url: Queue::from_env()?.url },
        max_running: Turns::from_env()?.max_running,
        checkpoint_interval: export_worker::CHECKPOINT_INTERVAL,
        splitting: Workers::from_env()?.into(),
        file_days: Retention::from_env()?.file_days,
        clock,
    };
    lambda_runtime::run(service_fn(move |event: LambdaEvent<SqsEvent>| async move {
        let deadline: DateTime<Utc> = event.context.deadline().into();
        Ok::<_, Error>(export_worker::handle(worker, event.payload, deadline).await)
    }))
    .await
}
