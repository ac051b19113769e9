//! `cargo xtask lint`: everything that checks the code without running it.

use anyhow::{Result, bail};
use tokio::process::Command;

use crate::command;
use crate::prepare::cargo_tool::{DENY, MACHETE};
use crate::prepare::python::{CHECKOV, SAM, Venv};
use crate::prepare::sam::Sam;

/// The folders that have packages. cargo-machete would walk through `target` and every `node_modules` otherwise.
const PACKAGE_FOLDERS: [&str; 5] = ["clients", "crates", "functions", "infra", "tests"];
/// Leaves out `advisories`, because it needs a database outside crates.io; `deny.toml` says more.
const DENY_CHECKS: [&str; 4] = ["check", "bans", "licenses", "sources"];

/// Runs all checks, also after one has failed.
///
/// # Errors
///
/// Fails if a check fails, or a program that a check needs cannot be installed.
pub async fn lint() -> Result<()> {
    let mut failed = Vec::new();
    for (name, mut check) in checks().await? {
        println!("── {name}");
        match command::run(&mut check).await {
            Ok(()) => println!("   passed"),
            Err(error) => {
                println!("   {error:#}");
                failed.push(name);
            }
        }
    }
    if failed.is_empty() {
        return Ok(());
    }
    bail!("{} failed", failed.join(", "))
}

async fn checks() -> Result<Vec<(&'static str, Command)>> {
    let mut rustdoc = cargo(&["doc", "--workspace", "--no-deps", "--document-private-items"]);
    rustdoc.env("RUSTDOCFLAGS", "-D warnings");
    let mut cfn_lint = command::program(Venv::ensure(&SAM).await?.program("cfn-lint"));
    cfn_lint.args(["template.yaml", "infra/xtask/local.yaml"]);
    let mut sam_validate = Sam::ensure().await?.command();
    sam_validate.args(["validate", "--lint", "--region", "us-east-1"]);
    // What it finds and the project does otherwise is named in the template, beside the resource, with the reason.
    let mut checkov = command::program(Venv::ensure(&CHECKOV).await?.program("checkov"));
    checkov.args([
        "--framework",
        "cloudformation",
        "--file",
        "template.yaml",
        "--quiet",
        "--compact",
        "--skip-download",
    ]);
    let mut deny = DENY.ensure().await?;
    deny.args(DENY_CHECKS);
    let mut machete = MACHETE.ensure().await?;
    machete.args(PACKAGE_FOLDERS);
    Ok(vec![
        ("formatting", cargo(&["fmt", "--all", "--check"])),
        ("clippy", cargo(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"])),
        ("rustdoc", rustdoc),
        ("cfn-lint", cfn_lint),
        ("sam validate", sam_validate),
        ("checkov", checkov),
        ("cargo-deny", deny),
        ("cargo-machete", machete),
        ("docs/capacity.md", cargo(&["xtask", "capacity", "--check"])),
    ])
}

fn cargo(args: &[&str]) -> Command {
    let mut cargo = command::cargo();
    cargo.args(args);
    cargo
}
