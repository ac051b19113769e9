//! Wiring: configuration and clients once, then requests.

use std::time::Duration;

use chrono::Utc;
use export_data::Context;
use lambda_http::{Error, Request, service_fn};
use usage_export::audit::AuditTrail;
use usage_export::config::{Audit, Limits, Queue, Requests, Stack, TableNames};
use usage_export::directory::Directory;
use usage_export::export::queue::ExportQueue;
use usage_export::export::store::Exports;
use usage_export::export::submit::Submitter;
use usage_export::rate_limit::RateLimit;

/// How long one attempt of a call to AWS may take: two of them fit the function's 15 seconds, with
/// room for other calls.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(4);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    usage_export::logging::init();
    usage_export::metrics::init(Stack::from_env()?);
    let aws = usage_export::aws::config(ATTEMPT_TIMEOUT).await?;
    let dynamodb = aws_sdk_dynamodb::Client::new(&aws);
    let tables = TableNames::from_env()?;
    let audit = Audit::from_env()?;
    let directory = Directory::new(dynamodb.clone(), tables.directory);
    let context = &Context {
        directory: directory.clone(),
        rate_limit: RateLimit::new(dynamodb.clone(), tables.exports.clone(), Requests::from_env()?.of_a_key),
        submitter: Submitter {
            directory,
            audit_trail: AuditTrail::new(dynamodb.clone(), audit.table, audit.days),
            exports: Exports::new(dynamodb, tables.exports),
            queue: ExportQueue { client: aws_sdk_sqs::Client::new(&aws), url: Queue::from_env()?.url },
            active_limit: Limits::from_env()?.active_exports,
        },
    };
    #[expect(clippy::disallowed_methods, reason = "main reads the clock, once a request")]
    lambda_http::run(service_fn(move |request: Request| async move {
        Ok::<_, Error>(export_data::handle(context, request, Utc::now()).await)
    }))
    .await
}
