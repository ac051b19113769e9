//! What the emulator holds: the directory, and a record for each export that the product is to make.

use anyhow::{Context, Result};
use aws_config::{BehaviorVersion, Region};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::Credentials;
use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;
use serde_json::json;
use usage_export::timestamp;

use crate::data::directory::{Directory, ORGANIZATION_ID};

/// `outputs.json`: addresses and names of the system that `cargo xtask` brought up.
#[derive(Debug, Clone, Deserialize)]
pub struct Outputs {
    /// URL of the emulator.
    pub endpoint_url: String,
    /// The origin of the API and of the settings page.
    pub api_url: String,
    /// Name of the bucket of the files.
    pub bucket: String,
    /// URL of the queue.
    pub queue_url: String,
    /// Names of the tables.
    pub tables: TableNames,
}

/// Names of the tables.
#[derive(Debug, Clone, Deserialize)]
pub struct TableNames {
    /// The table `UsageRecords`.
    pub usage_records: String,
    /// The table `Directory`.
    pub directory: String,
    /// The table `Exports`.
    pub exports: String,
}

/// Makes a client of the emulator.
pub async fn client(outputs: &Outputs) -> Client {
    let config = aws_config::defaults(BehaviorVersion::latest())
        .region(Region::from_static("us-east-1"))
        .endpoint_url(&outputs.endpoint_url)
        .credentials_provider(Credentials::new("test", "test", None, None, "emulator"));
    Client::new(&config.load().await)
}

/// What an export asks for.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    /// Ids of its fields.
    pub fields: &'a [&'a str],
    /// Its first and last instant, in the text form of the tables.
    pub interval: (String, String),
}

/// Puts the record of an export, as the API does when it takes a request in.
///
/// # Errors
///
/// Fails if the table refuses the record.
pub async fn put_export(
    dynamodb: &Client,
    table: &str,
    directory: &Directory,
    id: &str,
    request: &Request<'_>,
    now: DateTime<Utc>,
) -> Result<()> {
    let record = json!({
        "data_export_id": id,
        "organization_id": ORGANIZATION_ID,
        "user_id": directory.users[0].id,
        "state": "REQUESTED",
        "created_ts": timestamp::to_text(now),
        "request": {
            "fields": request.fields,
            "interval": {"start": request.interval.0, "end": request.interval.1},
            "scope": {
                "all_workspaces": true,
                "personal_workspaces": true,
                "workspace_ids": [],
                "entity_ids": [],
            },
        },
        "attempts": 0,
        "progress": 0,
        "row_count": 0,
        "ttl": (now + TimeDelta::days(90)).timestamp(),
    });
    let item = serde_dynamo::aws_sdk_dynamodb_1::to_item(record)?;
    let put = dynamodb.put_item().table_name(table).set_item(Some(item)).send().await;
    put.context("the export cannot be put")?;
    Ok(())
}
