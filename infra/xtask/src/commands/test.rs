//! `cargo xtask test` and `cargo xtask screenshots`: tests beside a system of their own.

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};

use crate::local::functions::Processor;
use crate::local::web_driver::WebDriver;
use crate::local::{Instance, Local, STEPS};
use crate::prepare::debian::{CHROMIUM, QEMU_ARM64};
use crate::terminal::Steps;
use crate::{command, paths};

/// Runs all tests of the workspace. `args` go to `cargo test`, whose exit code is returned.
///
/// # Errors
///
/// Fails if the system or the browser's driver cannot be brought up, or cargo does not start.
pub async fn test(args: &[String]) -> Result<ExitCode> {
    run_tests(args, Processor::Own, None).await
}

/// Runs the tests of the deployed system with functions that are built for arm64, under qemu. Each file is compared with the
/// same oracle as those of this processor, byte by byte.
///
/// # Errors
///
/// Fails as [`test()`] does, and if qemu cannot be installed.
pub async fn test_arm64(args: &[String]) -> Result<ExitCode> {
    QEMU_ARM64.ensure().await?;
    let integration = ["--test", "integration"].map(str::to_owned);
    run_tests(&[&integration[..], args].concat(), Processor::Arm64, None).await
}

/// Takes the pictures of the README anew: a test of the browser takes them.
///
/// # Errors
///
/// Fails as [`test()`] does.
pub async fn screenshots() -> Result<ExitCode> {
    let test = ["--test", "browser", "for_the_readme"].map(str::to_owned);
    run_tests(&test, Processor::Own, Some(&paths::root().join("docs"))).await
}

/// `pictures` is the folder for the pictures of the README, if a test is to take them.
async fn run_tests(args: &[String], processor: Processor, pictures: Option<&Path>) -> Result<ExitCode> {
    let instance = Instance::test(processor);
    let mut steps = Steps::new(STEPS + 2);
    steps.begin("Looking for Chromium and its driver");
    CHROMIUM.ensure().await?;
    steps.done("found");
    let local = Local::bring_up(&instance, &mut steps).await?;
    let driver = WebDriver::start(&local.emulator, &instance.state_dir).await?;
    local.announce()?;
    steps.begin("Testing");
    let mut cargo = command::cargo();
    cargo.args(["test", "--workspace", "--no-fail-fast"]).args(args);
    cargo.env("USAGE_EXPORT_OUTPUTS", &local.outputs_path).env("USAGE_EXPORT_WEBDRIVER", &driver.url);
    cargo.envs(pictures.map(|folder| ("USAGE_EXPORT_README_PICTURES", folder)));
    let status = cargo.status().await.context("cargo does not start")?;
    steps.done(if status.success() { "passed" } else { "failed" });
    Ok(command::exit_code(status))
}
