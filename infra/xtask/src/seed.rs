//! Sample data: three organizations and eighteen months of their runs.
//!
//! Everything follows from the seed and the day, so seeding again on the same day writes the same items again, and
//! seeding with more runs adds to those that are there. Runs are made one at a time while they are written: memory
//! does not grow with their number.

mod calendar;
mod costs;
mod directory;
mod generator;
mod item;
mod keys;
mod names;
mod organization;
mod places;
mod plan;
mod runs;
mod weighted;
mod write;

use aws_sdk_dynamodb::Client;
use chrono::{DateTime, Utc};
use fastrand::Rng;
use serde::{Deserialize, Serialize};

use self::{directory::Directory, runs::Runs};

/// What to seed.
#[derive(Debug, Clone)]
pub struct SeedOptions {
    /// Number of runs, over all organizations.
    pub runs: usize,
    /// The same seed gives the same data. API keys follow from it too, so whoever knows the seed knows the keys:
    /// where others can reach the tables it has to be a secret random number.
    pub seed: u64,
    /// The runs end where this day begins.
    pub now: DateTime<Utc>,
}

/// A user to try the system with, and a key that may act as them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeededUser {
    /// The user's organization.
    pub organization_id: String,
    /// The user; for an organization key, one of those it may act as.
    pub user_id: String,
    /// The user's email address.
    pub email: String,
    /// `admin` or `member`.
    pub role: String,
    /// The key itself. It is stored nowhere: the tables only hold its SHA-256.
    pub api_key: String,
}

/// Writes the sample data. `progress` hears how many items of how many are written.
///
/// Returned, in this order: two administrators of the first organization with a personal key each, a member of it who
/// is not an administrator, its organization key, an administrator of the second organization, and one of the third,
/// which is not on the enterprise tier.
pub async fn seed(
    dynamodb: &Client,
    usage_records_table: &str,
    directory_table: &str,
    options: &SeedOptions,
    progress: impl Fn(usize, usize),
) -> anyhow::Result<Vec<SeededUser>> {
    let (directory, runs_rng) = directory(options);
    let items = directory.items();
    let (directory_items, total) = (items.len(), items.len() + options.runs);
    write::write_items(dynamodb, directory_table, items.into_iter(), |written| progress(written, total))
        .await?;

    let runs = Runs::new(&directory, options.now.date_naive(), runs_rng).take(options.runs);
    let runs = runs.map(|run| run.to_item());
    let report = |written| progress(directory_items + written, total);
    write::write_items(dynamodb, usage_records_table, runs, report).await?;
    Ok(directory.seeded_users())
}

/// The directory, and the random numbers of the runs: these have their own, so that one more random choice in the
/// directory does not change every run.
fn directory(options: &SeedOptions) -> (Directory, Rng) {
    let mut rng = Rng::with_seed(options.seed);
    let runs_rng = rng.fork();
    (Directory::generate(&mut rng, options.now.date_naive()), runs_rng)
}

#[cfg(test)]
mod tests;
