//! What the emulator holds: the directory, and a record for each export that the product is to do.

use anyhow::{Context, Result};
use aws_config::{BehaviorVersion, Region};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::Credentials;
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde::Deserialize;
use serde_json::json;

use crate::directory::{Directory, ORGANIZATION};

/// What `cargo xtask` says of the system that it brought up.
#[derive(Debug, Clone, Deserialize)]
pub struct Outputs {
    /// The emulator.
    pub endpoint_url: String,
    /// The origin of the API and of the settings page.
    pub api_url: String,
    /// The bucket of the files.
    pub bucket: String,
    /// The queue.
    pub queue_url: String,
    /// The tables.
    pub tables: TableNames,
}

/// Names of the tables.
#[derive(Debug, Clone, Deserialize)]
pub struct TableNames {
    /// Usage records.
    pub usage_records: String,
    /// Directory.
    pub directory: String,
    /// Exports.
    pub exports: String,
}

/// A client of the emulator.
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
    /// Columns.
    pub fields: &'a [&'a str],
    /// First and last instant.
    pub interval: (String, String),
}

/// Puts an export that was accepted, as the API does it.
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
        "organization_id": ORGANIZATION,
        "user_id": directory.users[0].id,
        "state": "REQUESTED",
        "created_ts": now.to_rfc3339_opts(SecondsFormat::Millis, true),
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
