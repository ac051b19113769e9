//! Data for the tables `UsageRecords` and `Directory` of a local system.
//!
//! [`seed`] writes sample data: three organizations and the runs of eighteen months. `cargo xtask up`, `demo` and
//! `seed` call it. [`records`] and [`write_items`] are what it shares with the benchmark: the shape of each item
//! (`docs/data.md`), its keys, and the writing of many items in batches. The benchmark generates its own runs; its module
//! `data` says why.
//!
//! Everything follows from the seed and the day: seeding again on the same day writes the same items again, and seeding
//! with more runs adds to those that are there. Runs are generated one at a time while they are written, so memory does
//! not grow with their number.

pub mod records;
mod sample;
mod write;

use aws_sdk_dynamodb::Client;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

pub use crate::write::write_items;

/// How many months before [`SeedOptions::now`] the runs of the sample data begin.
pub const MONTHS: chrono::Months = chrono::Months::new(18);

/// What to seed.
#[derive(Debug, Clone)]
pub struct SeedOptions {
    /// Number of runs, over all organizations.
    pub runs: usize,
    /// The same seed gives the same data. API keys follow from it too, so whoever knows the seed knows the keys:
    /// where others can reach the tables, it has to be a secret random number.
    pub seed: u64,
    /// The runs end where this day (UTC) begins.
    pub now: DateTime<Utc>,
}

/// A user to try the system with, and a key that may act as them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeededUser {
    /// Id of the user's organization.
    pub organization_id: String,
    /// Id of the user; with an organization key, of one of the users whom it may act as.
    pub user_id: String,
    /// The user's email address.
    pub email: String,
    /// `admin` or `member`.
    pub role: String,
    /// The key itself. No table has it: they hold only its SHA-256.
    pub api_key: String,
}

/// Writes the sample data. `progress` is called with the number of items written so far and the number of all items.
///
/// The returned users are, in this order: two administrators of the first organization with a personal key each, a
/// member of it who is not an administrator, an administrator of it with the organization's key, an administrator of
/// the second organization, and one of the third organization, which is not on the enterprise tier.
///
/// # Errors
///
/// Fails as [`write_items`] does. Items written until then stay; the same call writes them again unchanged.
pub async fn seed(
    dynamodb: &Client,
    usage_records_table: &str,
    directory_table: &str,
    options: &SeedOptions,
    progress: impl Fn(usize, usize),
) -> anyhow::Result<Vec<SeededUser>> {
    let (directory, runs_rng) = sample::directory(options);
    let items = directory.items();
    let (directory_items, total) = (items.len(), items.len() + options.runs);
    write_items(dynamodb, directory_table, items.into_iter(), |written| progress(written, total)).await?;

    let runs = sample::runs(&directory, options, runs_rng).map(|run| run.to_item());
    let report = |written| progress(directory_items + written, total);
    write_items(dynamodb, usage_records_table, runs, report).await?;
    Ok(directory.seeded_users())
}
