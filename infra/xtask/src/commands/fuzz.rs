//! `cargo xtask fuzz`: feeds random input to the fuzz targets and fails if one finds a fault.

use std::path::PathBuf;

use anyhow::{Context, Result, bail, ensure};
use clap::Args;

use crate::prepare::cargo_tool::FUZZ;
use crate::{command, paths};

/// The package of the fuzz targets. It is not of the workspace, because nothing else needs libFuzzer.
const FUZZ_DIR: &str = "crates/query_csv/fuzz";
/// Stable Rust has no sanitizers. Panics and failed assertions are found without them.
const SANITIZER: [&str; 2] = ["--sanitizer", "none"];

/// What to fuzz, and for how long.
#[derive(Args, Debug)]
pub struct FuzzOptions {
    /// Fuzz each target for this many seconds, after it is built.
    #[arg(long, default_value_t = 30)]
    seconds: u32,
    /// Fuzz only this target [default: all].
    target: Option<String>,
}

/// Builds the targets, then runs each of them for the given time.
///
/// # Errors
///
/// Fails if there is no such target, if one does not build, or if one finds a fault. libFuzzer prints the input that
/// shows the fault, and where it has saved it.
pub async fn fuzz(options: &FuzzOptions) -> Result<()> {
    let all = targets().await?;
    let targets = match &options.target {
        Some(wanted) => {
            ensure!(all.contains(wanted), "there is no fuzz target {wanted}, only {}", all.join(", "));
            std::slice::from_ref(wanted)
        }
        None => &all[..],
    };
    for target in targets {
        println!("── {target}, {} s", options.seconds);
        let mut run = FUZZ.ensure().await?;
        run.args(["run", "--fuzz-dir"]).arg(fuzz_dir()).args(SANITIZER).arg(target);
        run.arg("--").arg(format!("-max_total_time={}", options.seconds));
        command::run(&mut run).await.with_context(|| {
            format!(
                "the fuzz target {target} found a fault or does not build; turn what it found into a test"
            )
        })?;
    }
    Ok(())
}

async fn targets() -> Result<Vec<String>> {
    let mut list = FUZZ.ensure().await?;
    let output = command::output(list.args(["list", "--fuzz-dir"]).arg(fuzz_dir())).await?;
    let targets: Vec<_> = String::from_utf8(output.stdout)?.lines().map(str::to_owned).collect();
    if targets.is_empty() {
        bail!("{FUZZ_DIR} has no fuzz targets");
    }
    Ok(targets)
}

fn fuzz_dir() -> PathBuf {
    paths::root().join(FUZZ_DIR)
}
