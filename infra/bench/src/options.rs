//! What to measure, and with which programs.

use std::path::PathBuf;

use clap::Parser;

/// The worker beside its peers. `cargo xtask bench` starts it with everything that it needs.
#[derive(Debug, Parser)]
pub struct Options {
    /// File `outputs.json` of the system that `cargo xtask` brought up.
    #[arg(long)]
    pub outputs: PathBuf,
    /// Folder with the binaries of the functions. The peers in Rust are beside this program.
    #[arg(long)]
    pub binaries: PathBuf,
    /// The Python that has boto3.
    #[arg(long)]
    pub python: PathBuf,
    /// Folder for the results.
    #[arg(long)]
    pub results: PathBuf,
    /// Rows of the exports that are compared.
    #[arg(long, default_value_t = 1_000_000)]
    pub rows: usize,
    /// How often each worker runs; the results are medians.
    #[arg(long, default_value_t = 5)]
    pub runs: usize,
    /// Rows of the largest export of the plot of CPU per row and memory; 0 for no plot.
    #[arg(long, default_value_t = 10_000_000)]
    pub largest: usize,
    /// Compare these workers and measure nothing else.
    #[arg(long, value_delimiter = ',')]
    pub only: Vec<String>,
    /// Measure only exports of a table with the limits of AWS.
    #[arg(long)]
    pub table: bool,
    /// Rows of the export of one partition.
    #[arg(long, default_value_t = 1_000_000)]
    pub partition_rows: usize,
    /// Rows of the export of many workspaces.
    #[arg(long, default_value_t = 10_000_000)]
    pub workspace_rows: usize,
    /// Fail if a figure is beyond the gate of CI.
    #[arg(long)]
    pub gate: bool,
    /// Put the tables and the plot into docs/performance.md.
    #[arg(long)]
    pub docs: Option<PathBuf>,
}
