//! Tests of single packages, compiled for arm64 and run under qemu: the code that reads and writes bytes has other instructions
//! there. They need no system, and a minute instead of six.

use anyhow::Result;
use tokio::process::Command;

use crate::command;
use crate::prepare::debian::{ARM64_ROOT, QEMU_ARM64};
use crate::prepare::python::{CARGO_LAMBDA, Venv};

const TARGET: &str = "aarch64-unknown-linux-gnu";

/// Whether these arguments of `cargo test` name packages.
pub fn are_named(args: &[String]) -> bool {
    args.iter()
        .take_while(|arg| *arg != "--")
        .any(|arg| arg.starts_with("-p") || arg.starts_with("--package"))
}

/// The command that runs the tests of the packages that `args` name.
///
/// # Errors
///
/// Fails if the target, qemu or cargo-zigbuild cannot be installed.
pub async fn tests_on_arm64(args: &[String]) -> Result<Command> {
    QEMU_ARM64.ensure().await?;
    let venv = Venv::ensure(&CARGO_LAMBDA).await?;
    if command::exists("rustup", &["--version"]).await {
        command::output(command::program("rustup").args(["target", "add", TARGET])).await?;
    }
    let mut cargo = command::program(venv.program("cargo-zigbuild"));
    cargo.args(["test", "--target", TARGET]).args(args);
    let runner = format!("qemu-aarch64-static -L {ARM64_ROOT}");
    cargo.env("PATH", venv.path()).env("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER", runner);
    Ok(cargo)
}
