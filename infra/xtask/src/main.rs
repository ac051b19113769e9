//! `cargo xtask`: the system on this machine, and the project's chores.
//!
//! The local system needs Linux (it finds its processes in `/proc`), Python 3.10 or newer and Node.js 18 or newer; no
//! Docker, no AWS account.

mod api;
mod assets;
mod aws;
mod bench;
mod browser;
mod claim;
mod demo;
mod deploy;
mod emulator;
mod lint;
mod local;
mod outputs;
mod package;
mod processes;
mod proxy;
mod seed;
mod server;
mod stack;
mod terminal;
mod tools;
mod usage;
mod venv;

use std::process::ExitCode;

use anyhow::Result;
use chrono::{DateTime, Utc};
use clap::{Args, Parser, Subcommand};
use tokio::signal::unix::{SignalKind, signal};

use seed::SeedOptions;

/// The system on this machine, and the project's chores.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Bring the system up with sample data, run an export through it and show what comes out.
    Demo {
        #[command(flatten)]
        data: Data,
        /// End when the export is done instead of staying up.
        #[arg(long)]
        exit: bool,
    },
    /// Bring the system up with sample data, until Ctrl-C.
    Up {
        #[command(flatten)]
        data: Data,
    },
    /// Run every test, also those that need a deployed stack: cargo test --workspace beside a stack of its own.
    Test {
        /// Passed on to cargo test.
        #[arg(last = true)]
        args: Vec<String>,
    },
    /// Take the pictures of the settings page in the README anew.
    Screenshots,
    /// Measure the worker beside its peers: processor time, memory, starts.
    Bench(bench::BenchOptions),
    /// Formatting, clippy, rustdoc, cfn-lint and cargo deny.
    Lint,
    /// Bundle the script and the style sheet of the settings page: npm ci, then build.mjs.
    Assets,
    /// Add sample data to the system that is up.
    Seed {
        #[command(flatten)]
        data: Data,
    },
    /// Build and deploy to AWS: sam build and sam deploy.
    Deploy {
        /// Passed on to sam deploy: the first time, --guided asks for the parameters.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
}

#[derive(Args)]
struct Data {
    /// Runs to make up.
    #[arg(long, default_value_t = 20_000)]
    runs: usize,
    /// The same seed makes the same data.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

impl Data {
    fn options(&self, now: DateTime<Utc>) -> SeedOptions {
        SeedOptions { runs: self.runs, seed: self.seed, now }
    }
}

impl Verb {
    /// Whether Ctrl-C is the usual way to end it.
    fn stays_up(&self) -> bool {
        matches!(self, Self::Up { .. } | Self::Demo { exit: false, .. })
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    #[expect(clippy::disallowed_methods, reason = "main is where the wall clock is read")]
    let now = Utc::now();
    let verb = Cli::parse().verb;
    let stays_up = verb.stays_up();
    // Leaving the select drops what was running, and with it every process that it started.
    let outcome = tokio::select! {
        outcome = run(verb, now) => outcome,
        code = interrupted() => {
            println!("\nEnded.");
            Ok(ExitCode::from(if stays_up { 0 } else { code }))
        }
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("\nerror: {error:#}");
        ExitCode::FAILURE
    })
}

async fn run(verb: Verb, now: DateTime<Utc>) -> Result<ExitCode> {
    match verb {
        Verb::Demo { data, exit } => demo::demo(&data.options(now), exit).await?,
        Verb::Up { data } => local::up(&data.options(now)).await?,
        Verb::Test { args } => return local::test(&args).await,
        Verb::Screenshots => return local::screenshots().await,
        Verb::Bench(options) => return bench::bench(&options).await,
        Verb::Lint => lint::lint().await?,
        Verb::Assets => assets::build().await?,
        Verb::Seed { data } => local::add_data(&data.options(now)).await?,
        Verb::Deploy { args } => deploy::deploy(&args).await?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Waits for a signal to end; gives the exit code that shells use for it.
async fn interrupted() -> u8 {
    let (Ok(mut interrupt), Ok(mut terminate), Ok(mut hang_up)) =
        (signal(SignalKind::interrupt()), signal(SignalKind::terminate()), signal(SignalKind::hangup()))
    else {
        return std::future::pending().await;
    };
    let number = tokio::select! {
        _ = interrupt.recv() => SignalKind::interrupt(),
        _ = terminate.recv() => SignalKind::terminate(),
        _ = hang_up.recv() => SignalKind::hangup(),
    };
    u8::try_from(128 + number.as_raw_value()).unwrap_or(1)
}
