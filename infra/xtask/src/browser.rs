//! The browser of the settings page's tests: Chromium, driven over `WebDriver`.

use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail};
use rustix::process::geteuid;

use crate::emulator::Emulator;
use crate::{processes, server, tools};

const PROGRAMS: [&str; 2] = ["chromium", "chromedriver"];
/// Both packages at once, so that their versions are the same.
const INSTALL: [&str; 5] = ["install", "--yes", "--no-install-recommends", "chromium", "chromium-driver"];

/// Makes sure that the browser and its driver are there. Installs them where that is for us to do: as root of a
/// Debian, which mostly means in a container.
pub async fn ensure() -> Result<()> {
    let missing = missing().await;
    if missing.is_empty() {
        return Ok(());
    }
    let names = missing.join(" and ");
    if !geteuid().is_root() || !tools::exists("apt-get", &["--version"]).await {
        bail!(
            "{names} not found. The tests of the settings page need Chromium and its driver in the PATH; \
             on Debian: apt-get install chromium chromium-driver"
        );
    }
    println!("      {names} not found: installing with apt-get (a minute)");
    if apt_get(&INSTALL).await.is_err() {
        // Its lists of packages may be missing or old.
        apt_get(&["update"]).await.context("Chromium cannot be installed")?;
        apt_get(&INSTALL).await.context("Chromium cannot be installed")?;
    }
    Ok(())
}

async fn missing() -> Vec<&'static str> {
    let mut missing = Vec::new();
    for program in PROGRAMS {
        if !tools::exists(program, &["--version"]).await {
            missing.push(program);
        }
    }
    missing
}

async fn apt_get(args: &[&str]) -> Result<()> {
    let mut apt_get = tools::command("apt-get");
    tools::output(apt_get.args(args).env("DEBIAN_FRONTEND", "noninteractive")).await?;
    Ok(())
}

/// Starts browsers until dropped. They have the mark and the temporary folder of the emulator: they end and their
/// profiles go with it.
pub struct WebDriver {
    child: Child,
    pub url: String,
}

impl WebDriver {
    /// Starts it and waits until it answers.
    pub async fn start(emulator: &Emulator, state: &Path) -> Result<Self> {
        let port = server::free_port(0)?;
        let url = format!("http://127.0.0.1:{port}");
        let log = state.join("chromedriver.log");
        let child =
            command(emulator, port, File::create(&log)?).spawn().context("chromedriver does not start")?;
        let mut driver = Self { child, url };
        let status = format!("{}/status", driver.url);
        server::ready(&mut driver.child, "chromedriver", &status, &log).await?;
        Ok(driver)
    }
}

impl Drop for WebDriver {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// In an environment of its own, which the browsers inherit: no proxy, no settings of the caller. Unless told
/// otherwise it listens on loopback only.
fn command(emulator: &Emulator, port: u16, log: File) -> Command {
    let mut command = Command::new("chromedriver");
    command.arg(format!("--port={port}")).env_clear();
    command.envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
    command
        .env("HOME", &emulator.scratch)
        .env("TMPDIR", &emulator.scratch)
        .env(processes::MARK, &emulator.mark)
        .current_dir(&emulator.scratch)
        .stdin(Stdio::null())
        .stderr(log.try_clone().map_or_else(|_| Stdio::null(), Stdio::from))
        .stdout(log)
        // Ctrl-C in the terminal is for us: we end it in order.
        .process_group(0);
    command
}
