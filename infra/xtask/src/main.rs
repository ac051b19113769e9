//! `cargo xtask`: the system on this machine, and the chores of the project.
//!
//! [`commands`] has one module for each command, [`local`] the local system, [`prepare`] what is installed or built
//! before a command can work.
//!
//! The local system needs Linux (it finds its processes in `/proc`), Python 3.11 or newer and Node.js 18 or newer; no
//! Docker, no AWS account.

mod command;
mod commands;
mod local;
mod paths;
mod prepare;
mod terminal;

use std::process::ExitCode;

use anyhow::Result;
use chrono::{DateTime, Utc};
use clap::{Args, Parser, Subcommand};
use seed::SeedOptions;
use tokio::signal::unix::{SignalKind, signal};

use crate::commands::bench::{BenchOptions, bench};
use crate::commands::capacity::{CapacityOptions, capacity};
use crate::commands::demo::demo;
use crate::commands::deploy::deploy;
use crate::commands::faults::faults;
use crate::commands::fuzz::{FuzzOptions, fuzz};
use crate::commands::key::{KeyOptions, key};
use crate::commands::lint::lint;
use crate::commands::openapi::openapi;
use crate::commands::status::{StatusOptions, status};
use crate::commands::test::{Variant, screenshots, test, test_all};
use crate::commands::up::up;
use crate::commands::verify::{VerifyOptions, verify};
use crate::local::backend::Backend;

/// The system on this machine, and the chores of the project.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Bring the system up with sample data, run an export through it and show what comes out.
    Demo {
        #[command(flatten)]
        data: DataOptions,
        /// End when the export is done instead of staying up.
        #[arg(long)]
        exit: bool,
    },
    /// Bring the system up with sample data, until Ctrl-C.
    Up {
        #[command(flatten)]
        data: DataOptions,
        /// What stands in for AWS.
        #[arg(long, value_enum, default_value_t)]
        backend: Backend,
    },
    /// Run every test, also those that need a deployed stack: cargo test --workspace beside a stack of its own.
    Test {
        /// What the system is made of. With another than the default, only the tests of the system run.
        #[arg(long, value_enum, default_value_t, conflicts_with_all = ["all_backends"])]
        backend: Variant,
        /// Run the tests of the system with all of them, one after the other, and print a table.
        #[arg(long, conflicts_with = "args")]
        all_backends: bool,
        /// The same as --backend arm64. With packages it runs their tests, compiled for arm64: `-- -p query_csv`.
        #[arg(long, conflicts_with_all = ["backend", "all_backends"])]
        arm64: bool,
        /// Arguments for cargo test.
        #[arg(last = true)]
        args: Vec<String>,
    },
    /// Run exports while AWS fails and workers die, and say what held.
    Faults {
        /// Arguments for the program: --quick, --only, --seed, --timeout; --help shows them.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
    /// Take new pictures of the settings page for the README.
    Screenshots,
    /// Measure the worker beside its peers: processor time, memory, starts.
    Bench(BenchOptions),
    /// Write docs/capacity.md: what exports of different sizes take on AWS, in minutes and dollars.
    Capacity(CapacityOptions),
    /// Check the code: formatting, clippy, rustdoc, cfn-lint, sam validate, checkov, cargo-deny and cargo-machete, and that
    /// docs/capacity.md is up to date.
    Lint,
    /// Write the API document: docs/openapi.yaml, and the one that the settings page serves.
    Openapi,
    /// Feed random input to the fuzz targets, and make random requests of the API; fail if one finds a fault.
    Fuzz(FuzzOptions),
    /// Add sample data to the system that is up.
    Seed {
        #[command(flatten)]
        data: DataOptions,
    },
    /// Show queues, unfinished exports and the last failures, of the local system or of a stack on AWS.
    Status(StatusOptions),
    /// Make, list, revoke and rotate API keys, of the local system or of a stack on AWS.
    Key(KeyOptions),
    /// Recompute what the manifest of a downloaded CSV says, and compare; exit with 1 if anything differs.
    Verify(VerifyOptions),
    /// Build and deploy to AWS: sam build and sam deploy.
    Deploy {
        /// Arguments for sam deploy: the first time, --guided makes it ask for the parameters.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
}

#[derive(Args)]
struct DataOptions {
    /// Number of runs.
    #[arg(long, default_value_t = 20_000)]
    runs: usize,
    /// The same seed makes the same data.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

impl DataOptions {
    fn options(&self, now: DateTime<Utc>) -> SeedOptions {
        SeedOptions { runs: self.runs, seed: self.seed, now }
    }
}

impl Command {
    /// Whether Ctrl-C is the usual way to end it.
    fn stays_up(&self) -> bool {
        matches!(self, Self::Up { .. } | Self::Demo { exit: false, .. })
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    #[expect(clippy::disallowed_methods, reason = "main is where the wall clock is read")]
    let now = Utc::now();
    let command = Cli::parse().command;
    let stays_up = command.stays_up();
    // A signal drops the command's future, which ends every process that the command has started.
    let outcome = tokio::select! {
        outcome = run(command, now) => outcome,
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

async fn run(command: Command, now: DateTime<Utc>) -> Result<ExitCode> {
    match command {
        Command::Demo { data, exit } => demo(&data.options(now), exit).await?,
        Command::Up { data, backend } => up(&data.options(now), backend).await?,
        Command::Test { all_backends: true, .. } => return test_all().await,
        Command::Test { arm64: true, args, .. } => return test(Variant::Arm64, &args).await,
        Command::Test { backend, args, .. } => return test(backend, &args).await,
        Command::Faults { args } => return faults(&args).await,
        Command::Screenshots => return screenshots().await,
        Command::Bench(options) => return bench(&options, now).await,
        Command::Capacity(options) => return capacity(&options),
        Command::Lint => lint().await?,
        Command::Openapi => openapi()?,
        Command::Fuzz(options) => fuzz(&options, now).await?,
        Command::Seed { data } => commands::seed::seed(&data.options(now)).await?,
        Command::Status(options) => status(&options, now).await?,
        Command::Key(options) => key(&options, now).await?,
        Command::Verify(options) => return verify(&options),
        Command::Deploy { args } => deploy(&args).await?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Waits for a signal that ends programs, and returns the exit code that shells give such an end.
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
