//! Waiting for servers of others that run beside xtask on loopback: the emulator, the driver of the browser.

use std::net::TcpListener;
use std::path::Path;
use std::process::Child;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::paths;

const POLL_INTERVAL: Duration = Duration::from_millis(50);
/// They are ready in a second or two; after this time something is wrong.
const READY_TIMEOUT: Duration = Duration::from_mins(1);
/// Lines of the server's log that an error shows.
const LOG_LINES: usize = 20;

/// Gives this port, or a free one where something listens at it.
///
/// # Errors
///
/// Fails if no port is free.
pub fn free_port(wanted: u16) -> Result<u16> {
    let listener = TcpListener::bind(("127.0.0.1", wanted)).or_else(|_| TcpListener::bind("127.0.0.1:0"));
    Ok(listener.context("no free port on 127.0.0.1")?.local_addr()?.port())
}

/// Waits until the server answers 2xx at this URL. `name` is what errors call it.
///
/// # Errors
///
/// Fails if the process ends or does not answer within a minute; the error shows the end of the log.
pub async fn wait_until_ready(child: &mut Child, name: &str, url: &str, log: &Path) -> Result<()> {
    let client = reqwest::Client::builder().no_proxy().build()?;
    let started = Instant::now();
    let tail = || format!("The end of {}:\n{}", log.display(), paths::last_lines(log, LOG_LINES));
    loop {
        if client.get(url).send().await.is_ok_and(|response| response.status().is_success()) {
            return Ok(());
        }
        if let Some(status) = child.try_wait()? {
            bail!("{name} ended ({status}). {}", tail());
        }
        if started.elapsed() > READY_TIMEOUT {
            bail!("{name} is not ready after {READY_TIMEOUT:?}. {}", tail());
        }
        tokio::time::sleep(POLL_INTERVAL).await;
    }
}
