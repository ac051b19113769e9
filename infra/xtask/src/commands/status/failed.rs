//! Exports that failed.

use anyhow::{Context, Result};
use aws_sdk_dynamodb::Client;
use chrono::{DateTime, Utc};
use serde::Serialize;
use usage_export::dynamo::{Item, text};
use usage_export::export::{FailureReason, State};
use usage_export::timestamp;

/// One of them.
#[derive(Debug, Serialize)]
pub struct Failed {
    pub data_export_id: String,
    pub organization_id: String,
    pub finished_ts: String,
    /// `unknown` of an export that failed before records had it.
    pub reason: String,
}

/// The exports that failed since then, and how many were cancelled. There is no index of them: the table is read.
///
/// # Errors
///
/// Fails if the table cannot be read.
pub async fn failed(client: &Client, table: &str, since: DateTime<Utc>) -> Result<(Vec<Failed>, usize)> {
    let pages = client
        .scan()
        .table_name(table)
        .filter_expression("#state = :failed AND finished_ts >= :since AND attribute_exists(organization_id)")
        .projection_expression("data_export_id, organization_id, finished_ts, failure")
        .expression_attribute_names("#state", "state")
        .expression_attribute_values(":failed", text(State::Failed.name()))
        .expression_attribute_values(":since", text(timestamp::to_text(since)))
        .into_paginator()
        .items()
        .send();
    let items = pages.try_collect().await.context("the table of exports cannot be read")?;
    let found: Vec<_> = items.iter().map(Failed::read).collect();
    let (cancelled, mut failed): (Vec<_>, Vec<_>) =
        found.into_iter().partition(|export| export.reason == FailureReason::Cancelled.name());
    failed.sort_by(|a, b| b.finished_ts.cmp(&a.finished_ts));
    Ok((failed, cancelled.len()))
}

impl Failed {
    fn read(item: &Item) -> Self {
        let attribute = |name: &str| item.get(name).and_then(|value| value.as_s().ok()).cloned();
        Self {
            data_export_id: attribute("data_export_id").unwrap_or_default(),
            organization_id: attribute("organization_id").unwrap_or_default(),
            finished_ts: attribute("finished_ts").unwrap_or_default(),
            reason: attribute("failure").unwrap_or_else(|| "unknown".to_owned()),
        }
    }
}
