//! `cargo xtask bench`: a system of its own, the peers' packages, and then the benchmark.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Args;

use crate::local::{self, Local, Place};
use crate::terminal::Steps;
use crate::venv::Venv;
use crate::{assets, tools};

/// Steps before the measurements.
const STEPS: usize = local::STEPS + 2;

/// What is measured.
#[derive(Args, Debug)]
pub struct BenchOptions {
    /// Rows of the exports that are compared.
    #[arg(long, default_value_t = 1_000_000)]
    rows: usize,
    /// How often each worker runs; medians count.
    #[arg(long, default_value_t = 5)]
    runs: usize,
    /// Rows of the largest export, from which CPU per row and memory are drawn; 0 for none.
    #[arg(long, default_value_t = 10_000_000)]
    largest: usize,
    /// Compare these workers (`export_worker`, `naive`, `boto3`, `node`, `floor`) and measure nothing else.
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// Fail if a figure is worse than what CI holds.
    #[arg(long)]
    gate: bool,
    /// Write the tables and the plots of docs/performance.md anew.
    #[arg(long)]
    docs: bool,
}

/// Runs it; its results are in target/bench.
pub async fn bench(options: &BenchOptions) -> Result<ExitCode> {
    let place = Place::bench();
    let mut steps = Steps::new(STEPS);
    steps.begin("Building the benchmark and its peers in Rust");
    tools::run(tools::cargo().args(["build", "--release", "--package", "bench", "--bins"])).await?;
    steps.done("built");
    steps.begin("Installing the packages of the peer in Node.js");
    assets::install(&tools::root().join("infra/bench/peers/node")).await?;
    steps.done("installed");
    let local = Local::bring_up(&place, &mut steps).await?;
    local.announce()?;
    let release = target_dir().join("release");
    let mut bench = tools::command(release.join("bench"));
    bench
        .arg("--outputs")
        .arg(&local.outputs_path)
        .arg("--binaries")
        .arg(&release)
        .arg("--python")
        .arg(Venv::ensure().await?.program("python"))
        .arg("--results")
        .arg(target_dir().join("bench"))
        .args(["--rows", &options.rows.to_string(), "--runs", &options.runs.to_string()])
        .args(["--largest", &options.largest.to_string()]);
    if !options.only.is_empty() {
        bench.args(["--only", &options.only.join(",")]);
    }
    if options.gate {
        bench.arg("--gate");
    }
    if options.docs {
        bench.arg("--docs").arg(tools::root().join("docs"));
    }
    let status = bench.status().await.context("the benchmark does not start")?;
    Ok(ExitCode::from(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1)))
}

/// Where cargo builds.
fn target_dir() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| tools::root().join("target"), PathBuf::from)
}
