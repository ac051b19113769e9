//! `cargo xtask demo`: an export through the whole system, and what comes out of it.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use chrono::{DateTime, Months, Utc};
use serde::Deserialize;

use crate::api::{Api, Download, Status};
use crate::local::{Local, Place, STEPS, shown, stay_up};
use crate::outputs::Outputs;
use crate::seed::SeedOptions;
use crate::terminal::{ProgressLine, Steps, size, thousands};
use crate::{stack, tools, usage};

const POLL_EVERY: Duration = Duration::from_millis(300);
/// Far more than the largest demo takes.
const EXPORT_TIMEOUT: Duration = Duration::from_mins(30);
/// The email goes out right after the export completes.
const EMAIL_TIMEOUT: Duration = Duration::from_secs(30);
/// Sample data goes back this far.
const MONTHS: Months = Months::new(18);
const LINES_SHOWN: usize = 6;
const USERS_SHOWN: usize = 12;

/// Brings the system up and exports; stays up unless told to exit.
pub async fn demo(options: &SeedOptions, exit: bool) -> Result<()> {
    let mut steps = Steps::new(STEPS + 2);
    let mut local = Local::bring_up(&Place::main(), &mut steps).await?;
    local.seed(options, &mut steps).await?;
    local.announce()?;
    export(&local, options, &mut steps).await?;
    if exit {
        return Ok(());
    }
    local.print_addresses();
    print_users(&local.outputs, options.now);
    stay_up().await
}

/// The keys of the sample data, and what to try with them.
pub fn print_users(outputs: &Outputs, now: DateTime<Utc>) {
    println!("  {:7} {:34} {:28} API key", "Role", "Email", "user_id");
    for user in outputs.users.iter().take(USERS_SHOWN) {
        println!("  {:7} {:34} {:28} {}", user.role, user.email, user.user_id, user.api_key);
    }
    if outputs.users.len() > USERS_SHOWN {
        println!("  and {} more in outputs.json", outputs.users.len() - USERS_SHOWN);
    }
    let Some(user) = outputs.users.first() else { return };
    println!("\nSign in as {}, an administrator:\n", user.email);
    println!("  {}", outputs.page_url);
    println!("  User ID  {}", user.user_id);
    println!("  API key  {}", user.api_key);
    println!("\nOr call the API:\n");
    println!("  curl -sS {}/export_data \\", outputs.api_url);
    println!("    -H 'Authorization: Bearer {}' -H 'Content-Type: application/json' \\", user.api_key);
    println!(
        "    -d '{{\"user_id\":\"{}\",\"export_fields\":[\"run_id\",\"credit_cost\"],\"start_date\":\"{}\",\
         \"end_date\":\"{}\",\"include_all_workspaces\":true}}'",
        user.user_id,
        (now - Months::new(1)).format("%Y-%m-%d"),
        now.format("%Y-%m-%d")
    );
    println!("  curl -sS -H 'Authorization: Bearer {}' \\", user.api_key);
    println!("    '{}/exports?user_id={}'\n", outputs.api_url, user.user_id);
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
    println!("      POST /export_data: {id}");
    let status = finished(&api, &id).await?;
    let wall = started.elapsed();
    let worker_usage = usage::of_function(&local.emulator.mark, &worker);
    steps.done(&status.state);
    if status.state != "COMPLETED" {
        let reason = status.error.map(|error| error.to_string()).unwrap_or_default();
        bail!("the export ended as {}: {reason} (why: the last lines of .local/emulator.log)", status.state);
    }
    let path = tools::state_dir().join("usage-data-export.csv");
    let download = api.download(&id, &path).await?;
    print_file(&path, &download)?;
    check(&path, &status, &download)?;
    println!(
        "      worker: {:.2} s of processor time in {:.2} s, {} of memory at its peak",
        worker_usage.cpu.as_secs_f64(),
        wall.as_secs_f64(),
        size(worker_usage.peak_memory_bytes)
    );
    print_email(&local.outputs.endpoint_url, &user.email).await
}

async fn finished(api: &Api<'_>, id: &str) -> Result<Status> {
    let (started, line) = (Instant::now(), ProgressLine::new());
    loop {
        let status = api.status(id).await?;
        if matches!(status.state.as_str(), "COMPLETED" | "FAILED") {
            line.clear();
            return Ok(status);
        }
        ensure!(
            started.elapsed() < EXPORT_TIMEOUT,
            "the export is still {} after {EXPORT_TIMEOUT:?}",
            status.state
        );
        let progress = status.progress.map(|percent| format!(" {percent} %")).unwrap_or_default();
        line.show(&format!("{}{progress}, {:.0} s", status.state, started.elapsed().as_secs_f64()));
        tokio::time::sleep(POLL_EVERY).await;
    }
}

fn print_file(path: &Path, download: &Download) -> Result<()> {
    let way = if download.redirected { "over a redirect to S3" } else { "in the answer itself" };
    println!("      GET /export_status…&download=true: {way}, {}", download.content_type);
    println!("      {} → {}\n", download.content_disposition, shown(path));
    for line in BufReader::new(File::open(path)?).lines().take(LINES_SHOWN) {
        println!("        {}", line?);
    }
    println!();
    Ok(())
}

/// What the status says must be what arrived.
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
    println!(
        "      status and download agree: {} rows, {} bytes, {}",
        thousands(rows),
        thousands(bytes),
        download.checksum
    );
    Ok(())
}

/// The emulator's list of sent emails, by account.
#[derive(Deserialize)]
struct Sent {
    messages: std::collections::HashMap<String, Vec<Email>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Email {
    to: Vec<String>,
    subject: String,
    body_text: String,
}

async fn print_email(endpoint_url: &str, address: &str) -> Result<()> {
    let email = email_to(endpoint_url, address).await?;
    println!("\n      Email to {}\n      Subject: {}\n", email.to.join(", "), email.subject);
    for line in email.body_text.lines() {
        println!("        {line}");
    }
    Ok(())
}

async fn email_to(endpoint_url: &str, address: &str) -> Result<Email> {
    let http = reqwest::Client::builder().no_proxy().build()?;
    let started = Instant::now();
    while started.elapsed() < EMAIL_TIMEOUT {
        let sent: Sent =
            http.get(format!("{endpoint_url}/_ministack/ses/messages")).send().await?.json().await?;
        let to_address = |email: &Email| email.to.iter().any(|to| to.contains(address));
        if let Some(email) = sent.messages.into_values().flatten().find(to_address) {
            return Ok(email);
        }
        tokio::time::sleep(POLL_EVERY).await;
    }
    bail!("no email to {address} within {EMAIL_TIMEOUT:?}")
}
