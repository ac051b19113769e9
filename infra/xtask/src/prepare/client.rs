//! The client for the command line, which tests run against the system.

use std::path::PathBuf;

use anyhow::Result;

use crate::{command, paths};

/// Builds the client, and returns its path.
///
/// # Errors
///
/// Fails if it does not build.
pub async fn build() -> Result<PathBuf> {
    let mut cargo = command::cargo();
    command::run(cargo.args(["build", "--quiet", "--package", "usage_export_cli"])).await?;
    Ok(paths::target_dir().join("debug/usage-export"))
}
