//! `cargo xtask capacity`: what an export takes on AWS, in minutes and dollars, by a model that is fed with what was measured.
//!
//! [`inputs`] has what was measured, [`aws`] what AWS gives and charges, [`product`] what the product does. From them come the
//! [`time`] of an export, its [`parts`] and its [`bill`], in whole numbers. [`document`] writes docs/capacity.md.

mod aws;
mod bill;
mod document;
mod inputs;
mod money;
mod parts;
mod product;
mod shape;
mod tables;
mod time;
mod workload;

use std::fs;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Args;

use self::inputs::Inputs;

/// The sizes of the tables.
const ROWS: [u128; 5] = [10_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000];

/// What to compute.
#[derive(Args, Debug)]
pub struct CapacityOptions {
    /// Print what an export of so many rows takes, and write nothing.
    #[arg(long, conflicts_with = "check", value_parser = clap::value_parser!(u64).range(1..=1_000_000_000_000))]
    rows: Option<u64>,
    /// Write nothing; exit with 1 if docs/capacity.md is not what this command writes.
    #[arg(long)]
    check: bool,
}

/// Writes docs/capacity.md and prints its summary. The exit code of `--check` is 1 if the document is another one.
///
/// # Errors
///
/// Fails if a figure is missing, or a file cannot be read or written.
pub fn capacity(options: &CapacityOptions) -> Result<ExitCode> {
    if !options.check && options.rows.is_none() {
        inputs::update_file_sizes()?;
    }
    let inputs = inputs::read()?;
    if let Some(rows) = options.rows {
        print!("{}", document::summary(&inputs, &[rows.into()]));
        return Ok(ExitCode::SUCCESS);
    }
    let path = inputs::docs().join("capacity.md");
    let text = document::document(&inputs, &ROWS);
    if options.check {
        return Ok(compare(&fs::read_to_string(&path).unwrap_or_default(), &text));
    }
    fs::write(&path, text).context("docs/capacity.md cannot be written")?;
    print!("{}", document::summary(&inputs, &ROWS));
    Ok(ExitCode::SUCCESS)
}

fn compare(stored: &str, text: &str) -> ExitCode {
    if stored == text {
        println!("docs/capacity.md is up to date");
        return ExitCode::SUCCESS;
    }
    println!("docs/capacity.md is not what its inputs make: run cargo xtask capacity");
    ExitCode::FAILURE
}

#[cfg(test)]
mod tests;
