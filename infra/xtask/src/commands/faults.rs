//! `cargo xtask faults`: exports while AWS fails and workers die, beside a system of its own.

use std::process::ExitCode;

use anyhow::{Context, Result};

use crate::command;
use crate::local::{Instance, Local, STEPS};
use crate::terminal::Steps;

/// Runs the scenarios of `tests/faults`. `args` go to its program, whose exit code is returned.
///
/// # Errors
///
/// Fails if the system cannot be brought up, or cargo does not start.
pub async fn faults(args: &[String]) -> Result<ExitCode> {
    let (instance, proxy_port) = Instance::faults()?;
    let mut steps = Steps::new(STEPS + 1);
    let local = Local::bring_up(&instance, &mut steps).await?;
    local.announce()?;
    steps.begin("Running the scenarios");
    let mut cargo = command::cargo();
    cargo.args(["run", "--package", "faults", "--"]).args(args);
    cargo.env("USAGE_EXPORT_OUTPUTS", &local.outputs_path);
    // The program starts the proxy: until then functions cannot call AWS, and nobody makes them.
    cargo.env("USAGE_EXPORT_PROXY_PORT", proxy_port.to_string());
    cargo.env("USAGE_EXPORT_EMULATOR_PID", local.emulator.pid().to_string());
    let status = cargo.status().await.context("cargo does not start")?;
    steps.done(if status.success() { "all of it holds" } else { "failed" });
    Ok(command::exit_code(status))
}
