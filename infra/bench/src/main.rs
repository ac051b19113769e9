//! `cargo xtask bench`: the worker beside its peers, over the same data in one run.
//!
//! Every worker is a whole process that makes the same export. A server in memory answers queries for the usage records
//! and takes the file; the emulator has everything else. What is compared is processor time and memory, as the
//! operating system counts them; every file is compared byte by byte with the one that must come out.
//!
//! [`stages`] says what is measured in which order, [`table`] what is measured of a table that has the limits of AWS. [`mod@bench`] makes one run: it serves the [`data`] by the
//! [`services`] and starts a [`worker`]. [`report`] compares the [`findings`] with their targets.

mod bench;
mod data;
mod findings;
mod options;
mod report;
mod services;
mod stages;
mod table;
mod worker;

use std::process::ExitCode;

use anyhow::Result;
use chrono::{DateTime, Utc};
use clap::Parser;

use crate::options::Options;

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

async fn run(now: DateTime<Utc>) -> Result<ExitCode> {
    let options = Options::parse();
    if options.table {
        let findings = table::measure(&options, now).await?;
        table::report::write(&options, &findings)?;
        return Ok(ExitCode::SUCCESS);
    }
    let findings = stages::measure(&options, now).await?;
    report::write(&options, &findings)
}
