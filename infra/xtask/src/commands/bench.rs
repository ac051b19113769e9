//! `cargo xtask bench`: builds the benchmark and its peers, and runs it beside a system of its own.

mod ablate;
mod email;

use std::process::ExitCode;

use anyhow::{Context, Result};
use chrono::{DateTime, Utc};
use clap::Args;

use crate::local::instance::Instance;
use crate::local::{self, Local};
use crate::prepare::npm;
use crate::prepare::python::{EMULATOR, Venv};
use crate::terminal::Steps;
use crate::{command, paths};

/// The number of steps before the measurements.
const STEPS: usize = local::STEPS + 2;

/// What to measure. Most of it is passed on to the benchmark.
#[derive(Args, Debug)]
pub struct BenchOptions {
    /// Rows of the exports that are compared.
    #[arg(long, default_value_t = 1_000_000)]
    rows: usize,
    /// How often each worker runs; the results are medians.
    #[arg(long, default_value_t = 5)]
    runs: usize,
    /// Rows of the largest export of the plot of CPU per row and memory; 0 for no plot.
    #[arg(long, default_value_t = 10_000_000)]
    largest: usize,
    /// Compare these workers (`export_worker`, `naive`, `boto3`, `node`, `floor`) and measure nothing else.
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    #[command(flatten)]
    instead: InsteadOptions,
    /// Fail if a figure is beyond the gate of CI.
    #[arg(long)]
    gate: bool,
    /// Measure only what each technique of the page reader saves, by switching it off. With --docs, also write the table
    /// into the design note of its crate.
    #[arg(long)]
    ablate: bool,
    /// Write the tables and the plot of docs/performance.md anew.
    #[arg(long)]
    docs: bool,
}

/// What to measure instead of the workers beside each other.
#[derive(Args, Debug)]
struct InsteadOptions {
    /// Measure only how long it takes from a request to its email, on the local system.
    #[arg(long, conflicts_with_all = ["table", "ablate"])]
    email: bool,
    /// Measure only exports of a table with the limits of AWS, with one worker and with several. With --docs, also write
    /// their table into docs/performance.md.
    #[arg(long, conflicts_with = "ablate")]
    table: bool,
    /// With --table: rows of the export of one partition.
    #[arg(long, default_value_t = 1_000_000)]
    partition_rows: usize,
    /// With --table: rows of the export of 50 workspaces in twelve months.
    #[arg(long, default_value_t = 10_000_000)]
    workspace_rows: usize,
}

/// Measures, and returns the exit code of the benchmark. Results are in `target/bench`.
///
/// # Errors
///
/// Fails if something does not build or the system cannot be brought up.
pub async fn bench(options: &BenchOptions, now: DateTime<Utc>) -> Result<ExitCode> {
    if options.instead.email {
        email::measure(now).await?;
        return Ok(ExitCode::SUCCESS);
    }
    if options.ablate {
        ablate::ablate(options.docs).await?;
        return Ok(ExitCode::SUCCESS);
    }
    let instance = Instance::bench();
    let mut steps = Steps::new(STEPS);
    steps.begin("Building the benchmark and its peers in Rust");
    let profile = if options.gate { "gate" } else { "release" };
    command::run(command::cargo().args(["build", "--profile", profile, "--package", "bench", "--bins"]))
        .await?;
    steps.done("built");
    steps.begin("Installing the packages of the peer in Node.js");
    npm::install(&paths::root().join("infra/bench/peers/node")).await?;
    steps.done("installed");
    let local = Local::bring_up(&instance, &mut steps).await?;
    local.announce()?;
    let mut bench = command::program(paths::target_dir().join(profile).join("bench"));
    bench
        .arg("--outputs")
        .arg(&local.outputs_path)
        .arg("--binaries")
        .arg(paths::target_dir().join("release"))
        .arg("--python")
        .arg(Venv::ensure(&EMULATOR).await?.program("python"))
        .arg("--results")
        .arg(paths::target_dir().join("bench"))
        .args(["--rows", &options.rows.to_string(), "--runs", &options.runs.to_string()])
        .args(["--largest", &options.largest.to_string()]);
    if !options.only.is_empty() {
        bench.args(["--only", &options.only.join(",")]);
    }
    if options.instead.table {
        bench
            .arg("--table")
            .args(["--partition-rows", &options.instead.partition_rows.to_string()])
            .args(["--workspace-rows", &options.instead.workspace_rows.to_string()]);
    }
    if options.gate {
        bench.arg("--gate");
    }
    if options.docs {
        bench.arg("--docs").arg(paths::root().join("docs"));
    }
    let status = bench.status().await.context("the benchmark does not start")?;
    Ok(command::exit_code(status))
}
