//! Wiring: configuration and clients once, then requests.

use std::time::Duration;

use chrono::Utc;
use lambda_http::Error;
use settings_page::AppState;
use usage_export::audit::AuditTrail;
use usage_export::config::{
    Audit, Bucket, Limits, Origin, Queue, Requests, Sharing, Stack, TableNames, UsageRecordsTable,
};
use usage_export::directory::Directory;
use usage_export::export::download::ExportFiles;
use usage_export::export::queue::ExportQueue;
use usage_export::export::store::Exports;
use usage_export::export::submit::Submitter;
use usage_export::rate_limit::RateLimit;
use usage_records::pace::Pace;
use usage_records::query::UsageRecords;

/// How long one call to AWS may take before it is tried again: two tries fit the function's 15 seconds.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(4);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    usage_export::logging::init();
    usage_export::metrics::init(Stack::from_env()?);
    let aws = usage_export::aws::config(ATTEMPT_TIMEOUT).await?;
    let dynamodb = aws_sdk_dynamodb::Client::new(&aws);
    let tables = TableNames::from_env()?;
    let directory = Directory::new(dynamodb.clone(), tables.directory);
    let audit = Audit::from_env()?;
    let audit_trail = AuditTrail::new(dynamodb.clone(), audit.table, audit.days);
    let exports_table = tables.exports;
    let exports = Exports::new(dynamodb.clone(), exports_table.clone());
    let UsageRecordsTable { name, read_ahead } = UsageRecordsTable::from_env()?;
    #[expect(clippy::disallowed_methods, reason = "main gives the handlers the wall clock")]
    let clock = Utc::now;
    let state = AppState {
        directory: directory.clone(),
        rate_limit: RateLimit::new(dynamodb.clone(), exports_table, Requests::from_env()?.of_a_key),
        usage_records: UsageRecords { client: dynamodb, table: name, read_ahead, pace: Pace::default() },
        exports: exports.clone(),
        submitter: Submitter {
            directory,
            exports,
            audit_trail,
            queue: ExportQueue { client: aws_sdk_sqs::Client::new(&aws), url: Queue::from_env()?.url },
            active_limit: Limits::from_env()?.active_exports,
        },
        files: ExportFiles { s3: aws_sdk_s3::Client::new(&aws), bucket: Bucket::from_env()?.name },
        sharing: Sharing::from_env()?,
        origin: Origin::from_env()?,
        clock,
    };
    lambda_http::run(settings_page::service(state)).await
}
