//! Servers of others that run beside us, on loopback: the emulator, the driver of the browser.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::Child;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

const LOOK_EVERY: Duration = Duration::from_millis(50);
/// They are ready in a second or two.
const TIMEOUT: Duration = Duration::from_mins(1);
/// Lines of its log that an error shows.
const LOG_LINES: usize = 20;

/// The port, or a free one where something else listens.
pub fn free_port(wanted: u16) -> Result<u16> {
    let listener = TcpListener::bind(("127.0.0.1", wanted)).or_else(|_| TcpListener::bind("127.0.0.1:0"));
    Ok(listener.context("no free port on 127.0.0.1")?.local_addr()?.port())
}

/// Waits until it answers at this URL. `name` is what errors call it.
pub async fn ready(child: &mut Child, name: &str, url: &str, log: &Path) -> Result<()> {
    let client = reqwest::Client::builder().no_proxy().build()?;
    let started = Instant::now();
    loop {
        if client.get(url).send().await.is_ok_and(|response| response.status().is_success()) {
            return Ok(());
        }
        if let Some(status) = child.try_wait()? {
            bail!("{name} ended ({status}). The end of {}:\n{}", log.display(), tail(log));
        }
        if started.elapsed() > TIMEOUT {
            bail!("{name} is not ready after {TIMEOUT:?}. The end of {}:\n{}", log.display(), tail(log));
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

fn tail(log: &Path) -> String {
    let text = fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(LOG_LINES)..].join("\n")
}
