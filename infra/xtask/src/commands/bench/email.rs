//! `cargo xtask bench --email`: how long it takes from a request to its email, on the local system.
//!
//! The whole way is walked: the gateway, `export_data`, the queue, the worker, the bucket and the email, all in the emulator. Most of
//! the time is the emulator's, so the figure says something beside that of another version, measured on the same machine.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use chrono::{DateTime, Utc};
use seed::{MONTHS, SeedOptions};

use crate::commands::demo::api::Api;
use crate::local::instance::Instance;
use crate::local::{Local, STEPS};
use crate::terminal::{Steps, note};

/// Runs of the sample data. The first user's organization has about half of them.
const RUNS: usize = 20_000;
/// Exports that are measured, after one that starts the functions.
const EXPORTS: usize = 21;
const POLL_INTERVAL: Duration = Duration::from_millis(5);
const TIMEOUT: Duration = Duration::from_mins(2);

/// Brings a system up, makes exports one after the other, and prints the times from request to email.
///
/// # Errors
///
/// Fails if the system cannot be brought up or an export does not complete.
pub async fn measure(now: DateTime<Utc>) -> Result<()> {
    let mut steps = Steps::new(STEPS + 2);
    let mut local = Box::pin(Local::bring_up(&Instance::bench(), &mut steps)).await?;
    local.seed(&SeedOptions { runs: RUNS, seed: 1, now }, &mut steps).await?;
    steps.begin("Exporting, from request to email");
    let user = local.outputs.users.first().context("the sample data has no users")?;
    let api = Api::new(&local.outputs.api_url, user)?;
    let emails = reqwest::Client::builder().no_proxy().build()?;
    let day = |time: DateTime<Utc>| time.format("%Y-%m-%d").to_string();
    let (mut seconds, mut rows) = (Vec::new(), None);
    for _ in 0..=EXPORTS {
        let began = Instant::now();
        let id = api.post_export(&day(now - MONTHS), &day(now)).await?;
        wait_for_email(&emails, &local.outputs.emails_url, &id, began).await?;
        seconds.push(began.elapsed().as_secs_f64());
        let status = api.status(&id).await?;
        ensure!(status.state == "COMPLETED", "the export ended as {}", status.state);
        rows = status.row_count;
    }
    steps.done("done");
    // The first one starts the functions.
    let first = seconds.remove(0);
    seconds.sort_unstable_by(f64::total_cmp);
    let (rows, median, slowest) = (rows.unwrap_or_default(), seconds[EXPORTS / 2], seconds[EXPORTS - 1]);
    note(&format!(
        "{rows} rows, from POST to email: {median:.3} s (median of {EXPORTS}, slowest {slowest:.3} s); with cold functions {first:.3} s"
    ));
    Ok(())
}

async fn wait_for_email(http: &reqwest::Client, url: &str, id: &str, began: Instant) -> Result<()> {
    while began.elapsed() < TIMEOUT {
        if http.get(url).send().await?.text().await?.contains(id) {
            return Ok(());
        }
        tokio::time::sleep(POLL_INTERVAL).await;
    }
    bail!("no email about export {id} within {TIMEOUT:?}")
}
