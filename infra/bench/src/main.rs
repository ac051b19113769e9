//! `cargo xtask bench`: the worker beside its peers, over the same data in one run.
//!
//! Every worker is a whole process that does the same export. A server in memory gives the usage records and takes the
//! file; the emulator has everything else. What is compared is processor time and memory, as the operating system
//! counts them; every file is compared byte by byte with the one that has to come out.

mod bench;
mod data;
mod directory;
mod plot;
mod process;
mod replay;
mod report;
mod runtime;
mod s3;
mod stages;
mod tables;
mod targets;
mod tls;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use chrono::Utc;
use clap::Parser;

/// The worker beside its peers. `cargo xtask bench` starts it with all that it needs.
#[derive(Debug, Parser)]
pub struct Options {
    /// What `cargo xtask` says of the system that it brought up: a file.
    #[arg(long)]
    pub outputs: PathBuf,
    /// The functions' binaries and those of the peers in Rust: a folder.
    #[arg(long)]
    pub binaries: PathBuf,
    /// The Python that has boto3.
    #[arg(long)]
    pub python: PathBuf,
    /// Where results go: a folder.
    #[arg(long)]
    pub results: PathBuf,
    /// Rows of the exports that are compared.
    #[arg(long, default_value_t = 1_000_000)]
    pub rows: usize,
    /// How often each worker runs; medians count.
    #[arg(long, default_value_t = 5)]
    pub runs: usize,
    /// Rows of the largest export, from which CPU per row and memory are drawn; 0 for none.
    #[arg(long, default_value_t = 10_000_000)]
    pub largest: usize,
    /// Compare these workers and measure nothing else.
    #[arg(long, value_delimiter = ',')]
    pub only: Vec<String>,
    /// Fail if a ratio is worse than two thirds of its target.
    #[arg(long)]
    pub gate: bool,
    /// Put the tables and the plot into docs/performance.md.
    #[arg(long)]
    pub docs: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> ExitCode {
    #[expect(clippy::disallowed_methods, reason = "main is where the wall clock is read")]
    let now = Utc::now();
    match run(now).await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("\nerror: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(now: chrono::DateTime<Utc>) -> Result<ExitCode> {
    let options = Options::parse();
    let findings = stages::all(&options, now).await?;
    report::write(&options, &findings)
}
