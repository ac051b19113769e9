//! `cargo xtask deploy`: to AWS, with the SAM CLI.

use anyhow::{Context, Result};

use crate::command;
use crate::prepare::sam::Sam;

/// Builds and deploys. `args` go to `sam deploy`: the first time, `--guided` makes it ask for the parameters.
///
/// # Errors
///
/// Fails if the SAM CLI or cargo-lambda cannot be installed, if the functions do not build, or if AWS refuses the deployment.
pub async fn deploy(args: &[String]) -> Result<()> {
    let sam = Sam::ensure_with_build().await?;
    command::run(sam.command().arg("build")).await?;
    let deploy = command::run(sam.command().arg("deploy").args(args)).await;
    deploy.context("sam says above what AWS refused")
}
