//! The browser for the tests of the settings page: Chromium and its driver.

use anyhow::{Context, Result, bail};
use rustix::process::geteuid;

use crate::{command, terminal};

const PROGRAMS: [&str; 2] = ["chromium", "chromedriver"];
/// Installs both packages at once, so that their versions are the same.
const INSTALL: [&str; 5] = ["install", "--yes", "--no-install-recommends", "chromium", "chromium-driver"];

/// Makes sure that the browser and its driver are there. Installs them with apt-get if the user is root, which mostly
/// means: in a container.
///
/// # Errors
///
/// Fails if they are missing and may not or cannot be installed; the error says how to install them.
pub async fn ensure() -> Result<()> {
    let missing = missing().await;
    if missing.is_empty() {
        return Ok(());
    }
    let names = missing.join(" and ");
    if !geteuid().is_root() || !command::exists("apt-get", &["--version"]).await {
        bail!(
            "{names} not found. The tests of the settings page need Chromium and its driver in the PATH; \
             on Debian: apt-get install chromium chromium-driver"
        );
    }
    terminal::note(&format!("{names} not found: installing with apt-get (a minute)"));
    let _spinner = terminal::spinner();
    if apt_get(&INSTALL).await.is_err() {
        // The lists of packages may be missing or old.
        apt_get(&["update"]).await.context("Chromium cannot be installed")?;
        apt_get(&INSTALL).await.context("Chromium cannot be installed")?;
    }
    Ok(())
}

async fn missing() -> Vec<&'static str> {
    let mut missing = Vec::new();
    for program in PROGRAMS {
        if !command::exists(program, &["--version"]).await {
            missing.push(program);
        }
    }
    missing
}

async fn apt_get(args: &[&str]) -> Result<()> {
    let mut apt_get = command::program("apt-get");
    command::output(apt_get.args(args).env("DEBIAN_FRONTEND", "noninteractive")).await?;
    Ok(())
}
