//! Runs the scenarios against the system that `cargo xtask faults` has brought up, and prints what held.

#![expect(clippy::unwrap_used, reason = "a panic is how a test reports")]

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use faults::killer::Killer;
use faults::proxy::{Faults, Proxy};
use faults::report::print_table;
use faults::scenario::run_all;
use faults::world::{Limits, World};
use integration_tests::system::system;

/// Exports while AWS fails and workers die.
#[derive(Parser)]
#[command(name = "cargo xtask faults", bin_name = "cargo xtask faults")]
struct Options {
    /// Fewer and smaller exports: some minutes instead of an hour or two.
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
    let mut holds = false;
    integration_tests::run(async { holds = run(&options, seed).await });
    if holds {
        return ExitCode::SUCCESS;
    }
    println!("\nTo run with the same random numbers: --seed {seed}");
    ExitCode::FAILURE
}

/// Whether everything held.
async fn run(options: &Options, seed: u64) -> bool {
    let faults = Faults::new(seed);
    let killer = Killer::new(variable("USAGE_EXPORT_EMULATOR_PID"));
    let port = variable("USAGE_EXPORT_PROXY_PORT");
    let _proxy = Proxy::start(port, &system().outputs.endpoint_url, faults.clone(), killer).await.unwrap();
    let limits = Limits {
        end: Duration::from_secs(options.timeout),
        settle: Duration::from_secs(options.settle),
        beyond_lease: Duration::from_secs(options.freeze),
        visibility: Duration::from_secs(options.visibility),
    };
    let world = World::new(faults, limits, options.quick, seed);
    println!("seed {seed}");
    let rows = run_all(&world, &options.only).await;
    print_table(&rows);
    let several = world.count_several_emails().await;
    if several > 0 {
        println!("\nBROKEN: at the end {several} exports have several emails");
    }
    if rows.is_empty() {
        println!("no scenario has such a name");
    }
    !rows.is_empty() && several == 0 && rows.iter().all(faults::report::Row::holds)
}

/// A number that `cargo xtask faults` tells this program.
fn variable<T: std::str::FromStr>(name: &str) -> T {
    let value = std::env::var(name).ok().and_then(|value| value.parse().ok());
    value.unwrap_or_else(|| panic!("{name} is not set to a number: run this with `cargo xtask faults`"))
}
