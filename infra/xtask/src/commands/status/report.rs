//! What is read of a deployment.

use anyhow::Result;
use aws_sdk_dynamodb::Client;
use chrono::{DateTime, Utc};
use serde::Serialize;
use usage_export::export::store::Exports;
use usage_export::timestamp;

use super::failed::{Failed, failed};
use super::queue::{Queue, Queues};
use super::unfinished::{Unfinished, unfinished};
use crate::commands::deployment::Deployment;

/// How a deployment is.
#[derive(Debug, Serialize)]
pub struct Report {
    pub deployment: String,
    pub now: String,
    pub queues: Queues,
    /// Exports with something left to do, the oldest first; 500 at most.
    pub unfinished: Vec<Unfinished>,
    /// Those of them whose record cannot be read.
    pub unreadable: Vec<String>,
    pub failed_since: String,
    /// Exports that failed since then, the last first.
    pub failed: Vec<Failed>,
    /// How many were cancelled since then: they are not among the failed ones.
    pub cancelled: usize,
}

impl Report {
    /// Reads it, with the exports that failed since that time.
    ///
    /// # Errors
    ///
    /// Fails if a queue or the table of exports cannot be read.
    pub async fn take(deployment: &Deployment, since: DateTime<Utc>, now: DateTime<Utc>) -> Result<Self> {
        let client = Client::new(&deployment.dynamodb);
        let exports = Exports::new(client.clone(), deployment.exports_table.clone());
        let (unfinished, unreadable) = unfinished(&exports, now).await?;
        let (failed, cancelled) = failed(&client, &deployment.exports_table, since).await?;
        let sqs = aws_sdk_sqs::Client::new(&deployment.sqs);
        let queues = Queues {
            exports: Queue::read(&sqs, &deployment.queue_url).await?,
            dead_letters: Queue::read(&sqs, &deployment.dead_letter_queue_url).await?,
        };
        Ok(Self {
            deployment: deployment.name.clone(),
            now: timestamp::to_text(now),
            queues,
            unfinished,
            unreadable,
            failed_since: timestamp::to_text(since),
            failed,
            cancelled,
        })
    }
}
