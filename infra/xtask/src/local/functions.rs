//! The functions, built and put where the SAM CLI expects the code of the template.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::prepare::debian::ARM64_ROOT;
use crate::prepare::python::{CARGO_LAMBDA, Venv};
use crate::{command, paths};

/// The packages of the functions, each with a binary of the same name. `CodeUri` in the template names their folders.
const FUNCTIONS: [&str; 5] =
    ["export_data", "export_reconciler", "export_status", "export_worker", "settings_page"];

/// Starts a binary for arm64, which lies beside it, on another processor.
const START_ARM64: &str =
    "#!/bin/sh\nexec qemu-aarch64-static -L ROOT \"$(dirname \"$0\")/function\" \"$@\"\n";

/// What functions are built for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Processor {
    /// That of this machine.
    Own,
    /// arm64 on another machine, which qemu runs: what AWS gets by default.
    Arm64,
}

impl Processor {
    /// Its name in the template's parameter `Architecture`.
    ///
    /// # Errors
    ///
    /// Fails if Lambda has no processors like that of this machine.
    pub fn architecture(self) -> Result<&'static str> {
        match (self, std::env::consts::ARCH) {
            (Self::Arm64, _) | (Self::Own, "aarch64") => Ok("arm64"),
            (Self::Own, "x86_64") => Ok("x86_64"),
            (Self::Own, other) => bail!("Lambda has no {other} processors"),
        }
    }
}

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

/// Builds the functions. Cargo shows its progress on the terminal.
///
/// # Errors
///
/// Fails if a function does not build or has no binary of its name, or if cargo-lambda cannot be installed.
pub async fn build(processor: Processor) -> Result<Vec<Binary>> {
    match processor {
        Processor::Own => build_for_this_machine().await,
        Processor::Arm64 => build_for_arm64().await,
    }
}

/// As `sam build` does it, but all at once.
async fn build_for_arm64() -> Result<Vec<Binary>> {
    let mut cargo = command::cargo();
    cargo
        .args(["lambda", "build", "--release", "--arm64"])
        .env("PATH", Venv::ensure(&CARGO_LAMBDA).await?.path());
    for function in FUNCTIONS {
        cargo.args(["--package", function]);
    }
    command::run(&mut cargo).await?;
    let path = |name: &str| paths::target_dir().join("lambda").join(name).join("bootstrap");
    Ok(FUNCTIONS.map(|name| Binary { name: name.to_owned(), path: path(name) }).into())
}

async fn build_for_this_machine() -> Result<Vec<Binary>> {
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
/// For another processor, `bootstrap` has qemu start the binary. Returns the path of the template.
///
/// # Errors
///
/// Fails if a file cannot be written.
pub fn lay_out(dir: &Path, binaries: &[Binary], processor: Processor) -> Result<PathBuf> {
    if dir.exists() {
        fs::remove_dir_all(dir).with_context(|| format!("{} cannot be removed", dir.display()))?;
    }
    for Binary { name, path } in binaries {
        let code = dir.join("functions").join(name);
        fs::create_dir_all(&code)?;
        let bootstrap = code.join("bootstrap");
        let binary = if processor == Processor::Own { bootstrap.clone() } else { code.join("function") };
        fs::copy(path, binary).with_context(|| format!("{} cannot be copied", path.display()))?;
        if processor == Processor::Arm64 {
            fs::write(&bootstrap, START_ARM64.replace("ROOT", ARM64_ROOT))?;
            fs::set_permissions(&bootstrap, fs::Permissions::from_mode(0o755))?;
        }
    }
    let template = dir.join("template.yaml");
    fs::copy(paths::root().join("template.yaml"), &template)?;
    Ok(template)
}
