//! `cargo xtask demo`: one export through the whole system, and what comes out of it.

pub mod api;

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use chrono::{DateTime, Utc};
use indicatif::{DecimalBytes, HumanCount};
use seed::{MONTHS, SeedOptions};
use serde::Deserialize;

use self::api::{Api, Download, Status};
use super::up::{print_how_to_use, stay_up};
use crate::local::backend::Backend;
use crate::local::instance::Instance;
use crate::local::processes::usage_of_function;
use crate::local::{Local, STEPS, stack};
use crate::paths;
use crate::terminal::{Steps, note, spinner};

const POLL_INTERVAL: Duration = Duration::from_millis(300);
/// Far longer than the largest demo takes.
const EXPORT_TIMEOUT: Duration = Duration::from_mins(30);
/// The email is sent right after the export completes.
const EMAIL_TIMEOUT: Duration = Duration::from_secs(30);
/// Lines of the CSV that are shown.
const LINES_SHOWN: usize = 6;

/// Brings the system up, exports all sample data and shows the file and the email. Stays up unless told to exit.
///
/// # Errors
///
/// Fails if the system cannot be brought up, or if the export does not complete with the file that its status describes.
pub async fn demo(options: &SeedOptions, exit: bool) -> Result<()> {
    let mut steps = Steps::new(STEPS + 2);
    let mut local = Local::bring_up(&Instance::main(Backend::Ministack), &mut steps).await?;
    local.seed(options, &mut steps).await?;
    local.announce()?;
    export(&local, options, &mut steps).await?;
    if exit {
        return Ok(());
    }
    print_how_to_use(&local, options.now);
    stay_up().await;
    Ok(())
}

async fn export(local: &Local, options: &SeedOptions, steps: &mut Steps) -> Result<()> {
    let user = local.outputs.users.first().context("the sample data has no users")?;
    steps.begin(&format!("Exporting {} months of every workspace as {}", MONTHS.as_u32(), user.email));
    let cloudformation = aws_sdk_cloudformation::Client::new(&local.sdk);
    let worker = stack::physical_id(&cloudformation, "ExportWorkerFunction").await?;
    let started = Instant::now();
    let day = |time: DateTime<Utc>| time.format("%Y-%m-%d").to_string();
    let api = Api::new(&local.outputs.api_url, user)?;
    let id = api.post_export(&day(options.now - MONTHS), &day(options.now)).await?;
    note(&format!("POST /export_data: {id}"));
    let status = wait_until_final(&api, &id).await?;
    let wall = started.elapsed();
    let worker_usage = usage_of_function(&local.emulator.place.mark, &worker);
    steps.done(&status.state);
    if status.state != "COMPLETED" {
        let reason = status.error.map(|error| error.to_string()).unwrap_or_default();
        bail!(
            "the export ended as {}: {reason} (the last lines of .local/emulator.log say why)",
            status.state
        );
    }
    let path = paths::state_dir().join("usage-data-export.csv");
    let download = api.download(&id, &path).await?;
    print_file(&path, &download)?;
    check(&path, &status, &download)?;
    note(&format!(
        "worker: {:.2} s of processor time in {:.2} s, {} of memory at its peak",
        worker_usage.cpu.as_secs_f64(),
        wall.as_secs_f64(),
        DecimalBytes(worker_usage.peak_memory_bytes)
    ));
    print_email(&local.outputs.emails_url, &user.email).await
}

async fn wait_until_final(api: &Api<'_>, id: &str) -> Result<Status> {
    let (started, spinner) = (Instant::now(), spinner());
    loop {
        let status = api.status(id).await?;
        if matches!(status.state.as_str(), "COMPLETED" | "FAILED") {
            return Ok(status);
        }
        ensure!(
            started.elapsed() < EXPORT_TIMEOUT,
            "the export is still {} after {EXPORT_TIMEOUT:?}",
            status.state
        );
        let progress = status.progress.map(|percent| format!(" {percent} %")).unwrap_or_default();
        spinner.set_message(format!("{}{progress}", status.state));
        tokio::time::sleep(POLL_INTERVAL).await;
    }
}

fn print_file(path: &Path, download: &Download) -> Result<()> {
    let way = if download.redirected { "by a redirect to S3" } else { "in the answer itself" };
    note(&format!("GET /export_status…&download=true: {way}, {}", download.content_type));
    note(&format!("{} → {}\n", download.content_disposition, paths::shown(path)));
    for line in BufReader::new(File::open(path)?).lines().take(LINES_SHOWN) {
        note(&format!("  {}", line?));
    }
    println!();
    Ok(())
}

/// Compares what the status says about the file with the file.
fn check(path: &Path, status: &Status, download: &Download) -> Result<()> {
    let mut rows = 0;
    for record in csv::Reader::from_path(path)?.into_byte_records() {
        record.context("the download is not a CSV")?;
        rows += 1;
    }
    ensure!(status.row_count == Some(rows), "row_count is {:?}, but {rows} rows arrived", status.row_count);
    let bytes = download.size_bytes;
    ensure!(status.size_bytes == Some(bytes), "size_bytes is {:?}, but {bytes} arrived", status.size_bytes);
    let said = status.checksum.as_deref();
    ensure!(said == Some(&download.checksum), "checksum is {said:?}, but {} arrived", download.checksum);
    note(&format!(
        "status and download agree: {} rows, {} bytes, {}",
        HumanCount(rows),
        HumanCount(bytes),
        download.checksum
    ));
    Ok(())
}

/// The emulator's list of sent emails, by account.
#[derive(Deserialize)]
struct SentEmails {
    messages: HashMap<String, Vec<Email>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Email {
    to: Vec<String>,
    subject: String,
    body_text: String,
}

async fn print_email(emails_url: &str, address: &str) -> Result<()> {
    let email = wait_for_email(emails_url, address).await?;
    println!();
    note(&format!("Email to {}", email.to.join(", ")));
    note(&format!("Subject: {}\n", email.subject));
    for line in email.body_text.lines() {
        note(&format!("  {line}"));
    }
    Ok(())
}

async fn wait_for_email(emails_url: &str, address: &str) -> Result<Email> {
    let http = reqwest::Client::builder().no_proxy().build()?;
    let started = Instant::now();
    while started.elapsed() < EMAIL_TIMEOUT {
        let sent: SentEmails = http.get(emails_url).send().await?.json().await?;
        let to_address = |email: &Email| email.to.iter().any(|to| to.contains(address));
        if let Some(email) = sent.messages.into_values().flatten().find(to_address) {
            return Ok(email);
        }
        tokio::time::sleep(POLL_INTERVAL).await;
    }
    bail!("no email to {address} within {EMAIL_TIMEOUT:?}")
}
