//! `cargo xtask faults`: exports while AWS fails and workers die, beside systems of its own.

use std::process::ExitCode;

use anyhow::{Context, Result};
use serde_json::json;

use crate::command;
use crate::local::instance::Instance;
use crate::local::{Local, STEPS};
use crate::terminal::Steps;

/// How many scenarios run beside each other, each against a system of its own. Most of the time they wait, but a few use all
/// that two cores have.
const SYSTEMS: usize = 4;

/// Runs the scenarios of `tests/faults`. `args` go to its program, whose exit code is returned.
///
/// # Errors
///
/// Fails if a system cannot be brought up, or cargo does not start.
pub async fn faults(args: &[String]) -> Result<ExitCode> {
    let mut steps = Steps::new(SYSTEMS * STEPS + 1);
    let (mut locals, mut systems) = (Vec::new(), Vec::new());
    for number in 1..=SYSTEMS {
        let (instance, proxy_port) = Instance::faults(number)?;
        let local = Local::bring_up(&instance, &mut steps).await?;
        local.announce()?;
        systems.push(json!({
            "outputs": local.outputs_path,
            // The program starts the proxy: until then functions cannot call AWS, and nobody makes them.
            "proxy_port": proxy_port,
            "emulator_pid": local.emulator.pid(),
        }));
        locals.push(local);
    }
    steps.begin("Running the scenarios");
    let mut cargo = command::cargo();
    cargo.args(["run", "--package", "faults", "--"]).args(args);
    cargo.env("USAGE_EXPORT_SYSTEMS", serde_json::to_string(&systems)?);
    let status = cargo.status().await.context("cargo does not start")?;
    steps.done(if status.success() { "all of it holds" } else { "failed" });
    Ok(command::exit_code(status))
}
