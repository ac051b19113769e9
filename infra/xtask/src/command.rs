//! Running other programs.

use std::ffi::OsString;
use std::path::Path;
use std::process::{ExitCode, ExitStatus, Output};

use anyhow::{Context, Result, bail};
use tokio::process::Command;

use crate::paths;

/// The cargo that runs this program, so that the toolchain is the same.
///
/// It does not get what `cargo run` tells this program of its own package: the build script of ring watches those variables,
/// so that ring and the clients of AWS would be compiled again whenever they are there or not.
pub fn cargo() -> Command {
    let mut cargo = program(std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo")));
    for (name, _) in std::env::vars_os() {
        if name
            .to_str()
            .is_some_and(|name| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_"))
        {
            cargo.env_remove(name);
        }
    }
    cargo
}

/// A program that runs in the repository's root and is ended when this one ends.
pub fn program(name: impl Into<OsString>) -> Command {
    let mut command = Command::new(name.into());
    command.current_dir(paths::root()).kill_on_drop(true);
    command
}

/// Runs the command with this program's terminal.
///
/// # Errors
///
/// Fails if the command does not start or ends with another exit code than 0; the error shows the command.
pub async fn run(command: &mut Command) -> Result<()> {
    let shown = shown(command);
    let status = command.status().await.with_context(|| format!("{shown} does not start"))?;
    if !status.success() {
        bail!("{shown} failed ({status})");
    }
    Ok(())
}

/// Runs the command and returns what it printed.
///
/// # Errors
///
/// Fails as [`run`] does; the error also shows what the command printed.
pub async fn output(command: &mut Command) -> Result<Output> {
    let shown = shown(command);
    let output = command.output().await.with_context(|| format!("{shown} does not start"))?;
    if !output.status.success() {
        let printed = [&output.stdout[..], &output.stderr[..]].concat();
        bail!("{shown} failed ({}):\n{}", output.status, String::from_utf8_lossy(&printed).trim_end());
    }
    Ok(output)
}

/// Whether the program exists and succeeds with these arguments.
pub async fn exists(name: impl Into<OsString>, args: &[&str]) -> bool {
    let output = program(name).args(args).output().await;
    output.is_ok_and(|output| output.status.success())
}

/// The exit code of another program as that of this one; 1 if a signal ended it.
pub fn exit_code(status: ExitStatus) -> ExitCode {
    ExitCode::from(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1))
}

fn shown(command: &Command) -> String {
    let command = command.as_std();
    let program = Path::new(command.get_program()).file_name().unwrap_or_default().to_string_lossy();
    let args: Vec<_> = command.get_args().map(|arg| arg.to_string_lossy()).collect();
    format!("`{program} {}`", args.join(" "))
}
