//! `cargo xtask verify`: recomputes what the manifest of a downloaded file says, and compares.
//!
//! [`figures`] reads the file with the csv crate and bigdecimal, and shares no code with what wrote it. [`comparison`] holds
//! the figures against the manifest.

mod comparison;
mod figures;

use std::collections::BTreeSet;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use clap::Args;
use usage_export::export::manifest::{Manifest, SCHEMA_VERSION};

use self::comparison::Comparison;
use self::figures::Figures;

/// Which file to verify.
#[derive(Args, Debug)]
pub struct VerifyOptions {
    /// The downloaded CSV.
    file: PathBuf,
    /// Its manifest [default: FILE with .manifest.json instead of .csv].
    #[arg(long, value_name = "FILE")]
    manifest: Option<PathBuf>,
}

/// Verifies a file and prints a table. The exit code is 1 if a figure differs.
///
/// # Errors
///
/// Fails if the file or the manifest cannot be read, or if this program does not know the manifest's version.
pub fn verify(options: &VerifyOptions) -> Result<ExitCode> {
    let default = options.file.with_extension("manifest.json");
    let comparison = compare(&options.file, options.manifest.as_ref().unwrap_or(&default))?;
    print!("{comparison}");
    Ok(if comparison.agrees() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn compare(file: &Path, manifest: &Path) -> Result<Comparison> {
    let manifest = read_manifest(manifest).with_context(|| format!("the manifest {}", manifest.display()))?;
    let workspaces = manifest.scope.workspaces.iter().map(|workspace| workspace.workspace_id.as_str());
    let known: BTreeSet<_> =
        workspaces.chain(manifest.totals.workspaces.keys().map(String::as_str)).collect();
    let figures = File::open(file).map_err(Into::into).and_then(|file| Figures::read(file, &known));
    let figures = figures.with_context(|| format!("the file {}", file.display()))?;
    Ok(Comparison::new(&manifest, &figures))
}

fn read_manifest(path: &Path) -> Result<Manifest> {
    let manifest: Manifest = serde_json::from_slice(&std::fs::read(path)?)?;
    let version = manifest.schema_version;
    ensure!(version == SCHEMA_VERSION, "has version {version}, but only {SCHEMA_VERSION} is known here");
    Ok(manifest)
}

#[cfg(test)]
mod tests;
