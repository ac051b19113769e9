//! Wiring: configuration and clients once, then requests.

use std::time::Duration;

use chrono::Utc;
use lambda_http::Error;
use settings_page::AppState;
use usage_export::config::{parsed_or, required};
use usage_export::directory::Directory;
use usage_export::export::download::ExportFiles;
use usage_export::export::store::Exports;
use usage_export::export::submit::Submitter;

/// How long one call to AWS may take before it is tried again: two tries fit the function's 15 seconds.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(4);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    usage_export::logging::init();
    let aws = usage_export::aws::config(ATTEMPT_TIMEOUT).await?;
    let dynamodb = aws_sdk_dynamodb::Client::new(&aws);
    let directory = Directory::new(dynamodb.clone(), required("DIRECTORY_TABLE")?);
    let exports = Exports::new(dynamodb, required("EXPORTS_TABLE")?);
    #[expect(clippy::disallowed_methods, reason = "main gives the handlers the wall clock")]
    let clock = Utc::now;
    let state = AppState {
        directory: directory.clone(),
        exports: exports.clone(),
        submitter: Submitter {
            directory,
            exports,
            sqs: aws_sdk_sqs::Client::new(&aws),
            queue_url: required("QUEUE_URL")?,
            active_limit: parsed_or("ACTIVE_EXPORT_LIMIT", 5)?,
        },
        files: ExportFiles { s3: aws_sdk_s3::Client::new(&aws), bucket: required("BUCKET")? },
        origin: required("PAGE_URL")?.trim_end_matches('/').to_owned(),
        clock,
    };
    lambda_http::run(settings_page::service(state)).await
}
