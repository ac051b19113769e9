//! `cargo xtask lint`: everything that reads the code without running it.

use anyhow::{Result, bail};
use tokio::process::Command;

use crate::venv::Venv;
use crate::{assets, tools};

/// Runs all, also after one has failed.
pub async fn lint() -> Result<()> {
    let mut failed = Vec::new();
    for (name, mut command) in checks().await? {
        println!("── {name}");
        match tools::run(&mut command).await {
            Ok(()) => println!("   fine"),
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
    // clippy and rustdoc compile the page, and it has them inside.
    assets::build().await?;
    let mut rustdoc = cargo(&["doc", "--workspace", "--no-deps", "--document-private-items"]);
    rustdoc.env("RUSTDOCFLAGS", "-D warnings");
    let mut cfn_lint = tools::command(Venv::ensure().await?.program("cfn-lint"));
    cfn_lint.arg("template.yaml");
    let mut checks = vec![
        ("formatting", cargo(&["fmt", "--all", "--check"])),
        ("clippy", cargo(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"])),
        ("rustdoc", rustdoc),
        ("cfn-lint", cfn_lint),
    ];
    if tools::exists("cargo-deny", &["--version"]).await {
        checks.push(("cargo deny", cargo(&["deny", "check"])));
    } else {
        println!("── cargo deny: skipped, it is not installed (cargo install --locked cargo-deny)");
    }
    Ok(checks)
}

fn cargo(args: &[&str]) -> Command {
    let mut cargo = tools::cargo();
    cargo.args(args);
    cargo
}
