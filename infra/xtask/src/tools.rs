//! Where things are, and running other programs.

use std::ffi::OsString;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Output;

use anyhow::{Context, Result, bail};
use tokio::process::Command;

/// The root of the repository.
pub fn root() -> &'static Path {
    // The manifest is two folders down: infra/xtask.
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("infra/xtask is two folders down")
}

/// What the local system keeps: ignored by git, safe to delete while nothing is up.
pub fn state_dir() -> PathBuf {
    root().join(".local")
}

/// The cargo that runs this, so that the toolchain is the same.
pub fn cargo() -> Command {
    command(std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo")))
}

/// A program that is run in the repository's root and ends with us.
pub fn command(program: impl Into<OsString>) -> Command {
    let mut command = Command::new(program.into());
    command.current_dir(root()).kill_on_drop(true);
    command
}

/// Runs it with our terminal; an error says what failed.
pub async fn run(command: &mut Command) -> Result<()> {
    let shown = shown(command);
    let status = command.status().await.with_context(|| format!("{shown} does not start"))?;
    if !status.success() {
        bail!("{shown} failed ({status})");
    }
    Ok(())
}

/// Runs it and gives what it printed; an error has what it printed to stderr.
pub async fn output(command: &mut Command) -> Result<Output> {
    let shown = shown(command);
    let output = command.output().await.with_context(|| format!("{shown} does not start"))?;
    if !output.status.success() {
        let printed = [&output.stdout[..], &output.stderr[..]].concat();
        bail!("{shown} failed ({}):\n{}", output.status, String::from_utf8_lossy(&printed).trim_end());
    }
    Ok(output)
}

/// Whether the program is there and answers to these arguments.
pub async fn exists(program: impl Into<OsString>, args: &[&str]) -> bool {
    let output = command(program).args(args).output().await;
    output.is_ok_and(|output| output.status.success())
}

/// Removes the file; that it isn't there is fine.
pub fn remove_file(path: &Path) -> Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).with_context(|| format!("{} cannot be removed", path.display()))
        }
        _ => Ok(()),
    }
}

fn shown(command: &Command) -> String {
    let command = command.as_std();
    let program = Path::new(command.get_program()).file_name().unwrap_or_default().to_string_lossy();
    let args: Vec<_> = command.get_args().map(|arg| arg.to_string_lossy()).collect();
    format!("`{program} {}`", args.join(" "))
}
