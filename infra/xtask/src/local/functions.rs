//! The functions, built for this machine and put where the SAM CLI expects the code of the template.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::{command, paths};

/// The packages of the functions, each with a binary of the same name. `CodeUri` in the template names their folders.
pub const FUNCTIONS: [&str; 5] =
    ["export_data", "export_reconciler", "export_status", "export_worker", "settings_page"];

/// The binary of a function.
pub struct Binary {
    name: String,
    path: PathBuf,
}

/// The message of `cargo build` that says where a binary is:
/// <https://doc.rust-lang.org/cargo/reference/external-tools.html#artifact-messages>.
#[derive(Deserialize)]
struct Artifact {
    target: Target,
    executable: Option<PathBuf>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
}

/// Builds the functions for this machine. Cargo shows its progress on the terminal.
///
/// # Errors
///
/// Fails if a function does not build or has no binary of its name.
pub async fn build() -> Result<Vec<Binary>> {
    let mut cargo = command::cargo();
    cargo.args(["build", "--release", "--message-format", "json-render-diagnostics"]);
    for function in FUNCTIONS {
        cargo.args(["--package", function]);
    }
    let output = cargo.stderr(Stdio::inherit()).output().await.context("cargo does not start")?;
    if !output.status.success() {
        bail!("the functions do not build");
    }
    let binaries: Vec<_> = String::from_utf8(output.stdout)?.lines().filter_map(binary).collect();
    match FUNCTIONS.iter().find(|name| !binaries.iter().any(|binary| binary.name == **name)) {
        Some(missing) => bail!("the package {missing} has no binary of that name"),
        None => Ok(binaries),
    }
}

fn binary(message: &str) -> Option<Binary> {
    let artifact: Artifact = serde_json::from_str(message).ok()?;
    Some(Binary { name: artifact.target.name, path: artifact.executable? })
}

/// Makes a folder with the template and the functions' code: a copy of template.yaml, and for each `CodeUri` in it a folder
/// with the executable file that Lambda's provided runtime starts, `bootstrap`:
/// <https://docs.aws.amazon.com/lambda/latest/dg/lambda-rust.html>.
///
/// Returns the path of the template.
///
/// # Errors
///
/// Fails if a file cannot be written.
pub fn lay_out(dir: &Path, binaries: &[Binary]) -> Result<PathBuf> {
    if dir.exists() {
        fs::remove_dir_all(dir).with_context(|| format!("{} cannot be removed", dir.display()))?;
    }
    for Binary { name, path } in binaries {
        let code = dir.join("functions").join(name);
        fs::create_dir_all(&code)?;
        fs::copy(path, code.join("bootstrap"))
            .with_context(|| format!("{} cannot be copied", path.display()))?;
    }
    let template = dir.join("template.yaml");
    fs::copy(paths::root().join("template.yaml"), &template)?;
    Ok(template)
}
