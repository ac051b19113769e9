//! Fuzz targets: programs of libFuzzer, which stable Rust builds without its sanitizers.

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use tokio::process::Command;

use crate::prepare::cargo_tool::FUZZ;
use crate::{command, paths};

/// The packages of the fuzz targets. They are not of the workspace, because nothing else needs libFuzzer.
const PACKAGES: [&str; 2] = ["crates/query_csv/fuzz", "crates/usage_export/fuzz"];

/// Stable Rust has no sanitizers. Panics and failed assertions are found without them.
const SANITIZER: [&str; 2] = ["--sanitizer", "none"];

/// A fuzz target.
#[derive(Debug)]
pub struct Target {
    package: PathBuf,
    name: String,
}

impl Target {
    /// Every target there is.
    ///
    /// # Errors
    ///
    /// Fails if cargo-fuzz cannot be installed, or a package has no targets.
    pub async fn all() -> Result<Vec<Self>> {
        let mut targets = Vec::new();
        for package in PACKAGES.map(|package| paths::root().join(package)) {
            let mut list = FUZZ.ensure().await?;
            let output = command::output(list.args(["list", "--fuzz-dir"]).arg(&package)).await?;
            let names = String::from_utf8(output.stdout)?;
            ensure!(!names.is_empty(), "{} has no fuzz targets", package.display());
            let name = |name: &str| Self { package: package.clone(), name: name.to_owned() };
            targets.extend(names.lines().map(name));
        }
        Ok(targets)
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Builds it.
    ///
    /// # Errors
    ///
    /// Fails if it does not build.
    pub async fn build(&self) -> Result<()> {
        command::run(&mut self.command("build").await?).await
    }

    /// Runs it for some seconds, and prints how many inputs it has tried.
    ///
    /// # Errors
    ///
    /// Fails if it finds a fault. The error has what libFuzzer printed: the input that shows the fault, and where it is saved.
    pub async fn run(&self, seconds: u32) -> Result<()> {
        let name = &self.name;
        let mut run = self.command("run").await?;
        run.arg("--").arg(format!("-max_total_time={seconds}"));
        let output = command::output(&mut run).await.with_context(|| {
            format!("the fuzz target {name} found a fault; turn what it found into a test")
        })?;
        let printed = String::from_utf8_lossy(&output.stderr);
        let done = printed.lines().rfind(|line| line.starts_with("Done ")).unwrap_or("no count of runs");
        println!("── {name}: {done}");
        Ok(())
    }

    async fn command(&self, action: &str) -> Result<Command> {
        let mut fuzz = FUZZ.ensure().await?;
        fuzz.args([action, "--fuzz-dir"]).arg(&self.package).args(SANITIZER);
        // One folder for all packages: libFuzzer and what they share is compiled once.
        fuzz.arg("--target-dir").arg(paths::target_dir().join("fuzz")).arg(&self.name);
        Ok(fuzz)
    }
}
