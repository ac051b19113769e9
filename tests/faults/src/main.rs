//! Runs the scenarios against the systems that `cargo xtask faults` has brought up, and prints what held.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Parser;
use faults::lane::{Settings, SystemUnderTest, run_all};
use faults::report::{Row, print_table};
use faults::world::Limits;

/// Exports while AWS fails and workers die.
#[derive(Parser)]
#[command(name = "cargo xtask faults", bin_name = "cargo xtask faults")]
struct Options {
    /// Fewer and smaller exports: some minutes instead of an hour.
    #[arg(long)]
    quick: bool,
    /// Only scenarios whose names contain this text. May be given several times.
    #[arg(long, value_name = "TEXT")]
    only: Vec<String>,
    /// Decides which calls are hit and what is exported; random by default. The order of calls is not decided by it.
    #[arg(long)]
    seed: Option<u64>,
    /// How long exports may take to end, in seconds.
    #[arg(long, default_value_t = 300, value_name = "SECONDS")]
    timeout: u64,
    /// How long emails and left-overs may take after that, in seconds.
    #[arg(long, default_value_t = 180, value_name = "SECONDS")]
    settle: u64,
    /// How long a dead worker's message stays out of sight, in seconds.
    #[arg(long, default_value_t = 20, value_name = "SECONDS")]
    visibility: u64,
    /// How long a worker is frozen or its call is late, in seconds: longer than a lease.
    #[arg(long, default_value_t = 75, value_name = "SECONDS")]
    freeze: u64,
}

fn main() -> ExitCode {
    let options = Options::parse();
    let seed = options.seed.unwrap_or_else(|| fastrand::u64(..));
    let systems = std::env::var("USAGE_EXPORT_SYSTEMS").ok();
    let systems: Vec<SystemUnderTest> = systems
        .and_then(|systems| serde_json::from_str(&systems).ok())
        .unwrap_or_else(|| panic!("USAGE_EXPORT_SYSTEMS is not set: run this with `cargo xtask faults`"));
    let limits = Limits {
        end: Duration::from_secs(options.timeout),
        settle: Duration::from_secs(options.settle),
        beyond_lease: Duration::from_secs(options.freeze),
        visibility: Duration::from_secs(options.visibility),
    };
    println!("seed {seed}");
    let began = Instant::now();
    let rows = run_all(&systems, Settings { limits, quick: options.quick, seed }, &options.only);
    print_table(&rows);
    println!("\n{} scenarios in {:.0} s", rows.len(), began.elapsed().as_secs_f64());
    if rows.is_empty() {
        println!("no scenario has such a name");
    } else if rows.iter().all(Row::holds) {
        return ExitCode::SUCCESS;
    }
    println!("To run with the same random numbers: --seed {seed}");
    ExitCode::FAILURE
}
