//! What the emulator holds: the directory, and a record for each export that the product is to make.

use anyhow::{Result, ensure};
use aws_config::{BehaviorVersion, Region};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::Credentials;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::json;
use usage_export::export::DataExport;
use usage_export::export::store::Exports;
use usage_export::export::store::create::Created;

use crate::data::directory::ORGANIZATION_ID;

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
    /// Who did what with exports.
    pub audit: String,
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
    /// Ids of its workspaces; every workspace if there are none.
    pub workspace_ids: &'a [&'a str],
}

/// Creates an export as the API does when it takes a request in.
///
/// # Errors
///
/// Fails if the request cannot be read, or the table refuses the export.
pub async fn create_export(
    exports: &Exports,
    user_id: &str,
    request: &Request<'_>,
    now: DateTime<Utc>,
) -> Result<DataExport> {
    let is_everywhere = request.workspace_ids.is_empty();
    let request = serde_json::from_value(json!({
        "fields": request.fields,
        "interval": {"start": request.interval.0, "end": request.interval.1},
        "scope": {
            "all_workspaces": is_everywhere,
            "personal_workspaces": is_everywhere,
            "workspace_ids": request.workspace_ids,
            "entity_ids": [],
        },
    }))?;
    let export = DataExport::new(ORGANIZATION_ID, user_id, request, now);
    let created = exports.create(&export, None, u32::MAX, None).await?;
    ensure!(created == Created::New, "the export was not created: {created:?}");
    Ok(export)
}
