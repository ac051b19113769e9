//! `cargo xtask status`: what a person on call wants to see of a deployment. It has no emails, no names and no keys, and changes nothing.

mod failed;
mod queue;
mod report;
mod text;
mod unfinished;

use anyhow::Result;
use chrono::{DateTime, TimeDelta, Utc};
use clap::Args;

use self::report::Report;
use super::deployment::Deployment;

/// Of which deployment, and in which form.
#[derive(Args)]
pub struct StatusOptions {
    /// Name of a stack on AWS, in the account and region of your credentials. Without it: the local system that is up.
    #[arg(long)]
    stack: Option<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    /// Hours for which failed exports are looked back at. To find them, all of the table of exports is read.
    #[arg(long, default_value_t = 24)]
    failed_hours: u16,
}

/// Prints how the deployment is.
///
/// # Errors
///
/// Fails if it cannot be found, or if AWS refuses a call.
pub async fn status(options: &StatusOptions, now: DateTime<Utc>) -> Result<()> {
    let deployment = Deployment::find(options.stack.as_deref()).await?;
    let since = now - TimeDelta::hours(options.failed_hours.into());
    let report = Report::take(&deployment, since, now).await?;
    if options.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        print!("{}", text::text(&report));
    }
    Ok(())
}
