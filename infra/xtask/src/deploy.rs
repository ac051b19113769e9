//! `cargo xtask deploy`: to AWS, with the SAM CLI.

use anyhow::{Context, Result, bail};

use crate::{assets, tools};

/// Builds and deploys. The first time, `--guided` makes sam ask for the parameters.
pub async fn deploy(args: &[String]) -> Result<()> {
    require("sam", &["--version"], "pip install aws-sam-cli (or see https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/install-sam-cli.html)").await?;
    require(
        "cargo-lambda",
        &["lambda", "--version"],
        "pip install cargo-lambda (or see https://www.cargo-lambda.info/guide/installation.html)",
    )
    .await?;
    assets::build().await?;
    tools::run(tools::command("sam").arg("build")).await?;
    let deploy = tools::run(tools::command("sam").arg("deploy").args(args)).await;
    deploy.context("sam says above what AWS refused")
}

async fn require(program: &str, args: &[&str], install: &str) -> Result<()> {
    if !tools::exists(program, args).await {
        bail!("{program} is not installed: {install}");
    }
    Ok(())
}
