//! `cargo xtask deploy`: to AWS, with the SAM CLI.

use anyhow::{Context, Result, bail};

use crate::command;
use crate::prepare::assets;

/// Builds and deploys. `args` go to `sam deploy`: the first time, `--guided` makes it ask for the parameters.
///
/// # Errors
///
/// Fails if sam or cargo-lambda is not installed, if the functions do not build, or if AWS refuses the deployment.
pub async fn deploy(args: &[String]) -> Result<()> {
    require("sam", &["--version"], "pip install aws-sam-cli (or see https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/install-sam-cli.html)").await?;
    require(
        "cargo-lambda",
        &["lambda", "--version"],
        "pip install cargo-lambda (or see https://www.cargo-lambda.info/guide/installation.html)",
    )
    .await?;
    assets::build().await?;
    command::run(command::program("sam").arg("build")).await?;
    let deploy = command::run(command::program("sam").arg("deploy").args(args)).await;
    deploy.context("sam says above what AWS refused")
}

async fn require(program: &str, args: &[&str], install: &str) -> Result<()> {
    if !command::exists(program, args).await {
        bail!("{program} is not installed: {install}");
    }
    Ok(())
}
