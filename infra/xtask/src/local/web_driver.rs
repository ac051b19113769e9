//! The driver of the browser for the tests of the settings page: chromedriver, which speaks `WebDriver`.

use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result};

use super::emulator::Emulator;
use super::{processes, server};

/// Starts browsers until it is dropped. The browsers have the mark and the temporary folder of the emulator: they end,
/// and their profiles are removed, when the emulator is dropped.
pub struct WebDriver {
    child: Child,
    pub url: String,
}

impl WebDriver {
    /// Starts the driver and waits until it answers.
    ///
    /// # Errors
    ///
    /// Fails if it does not start, ends, or does not answer in time.
    pub async fn start(emulator: &Emulator, state_dir: &Path) -> Result<Self> {
        let port = server::free_port(0)?;
        let url = format!("http://127.0.0.1:{port}");
        let log = state_dir.join("chromedriver.log");
        let child =
            command(emulator, port, File::create(&log)?).spawn().context("chromedriver does not start")?;
        let mut driver = Self { child, url };
        let status = format!("{}/status", driver.url);
        server::wait_until_ready(&mut driver.child, "chromedriver", &status, &log).await?;
        Ok(driver)
    }
}

impl Drop for WebDriver {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The driver's command. It gets an environment of its own, which the browsers inherit: no proxy and no settings of the
/// caller. By default it listens on loopback only.
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
        // In a process group of its own, Ctrl-C in the terminal reaches only xtask, which ends everything in order.
        .process_group(0);
    command
}
