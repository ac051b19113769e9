//! Servers of others that run beside xtask on loopback: the emulator, the driver of the browser.

use std::fs::{self, File};
use std::net::TcpListener;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::processes;
use crate::paths;

const POLL_INTERVAL: Duration = Duration::from_millis(50);
/// They are ready in a second or ten; after this time something is wrong.
const READY_TIMEOUT: Duration = Duration::from_mins(1);
/// Lines of the server's log that an error shows.
const LOG_LINES: usize = 20;

/// Where a system keeps what its servers need. When it is dropped, every process ends that has its mark: also what servers
/// have started, however far the system had come.
pub struct Place {
    /// A folder for temporary files.
    pub scratch: PathBuf,
    /// The mark of the servers' processes, which those inherit that they start.
    pub mark: String,
    state_dir: PathBuf,
}

impl Place {
    /// The place of the system that keeps its state in this folder.
    ///
    /// # Errors
    ///
    /// Fails if the folder for temporary files cannot be made.
    pub fn new(state_dir: &Path) -> Result<Self> {
        let scratch = state_dir.join("tmp");
        fs::create_dir_all(&scratch)?;
        Ok(Self { scratch, mark: processes::mark_of(state_dir), state_dir: state_dir.to_owned() })
    }

    /// The command of a server. It gets an environment of its own, which what it starts inherits, so that no proxy and none
    /// of the caller's AWS settings gets in.
    pub fn command(&self, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new(program.as_ref());
        command.env_clear();
        command.envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
        command
            .env("HOME", &self.scratch)
            .env("TMPDIR", &self.scratch)
            .env(processes::MARK, &self.mark)
            .current_dir(&self.scratch)
            // In a process group of its own, Ctrl-C in the terminal reaches only xtask, which ends everything in order.
            .process_group(0);
        command
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        processes::end_marked(&self.mark);
        let _ = fs::remove_dir_all(&self.scratch);
    }
}

/// Runs until this is dropped.
pub struct Server(Child);

impl Server {
    /// Starts the server and waits until it answers at `ready_url`, with anything but 5xx. `name` is what errors call it, and its log.
    ///
    /// # Errors
    ///
    /// Fails if it does not start, ends, or does not answer within a minute; the error shows the end of the log.
    pub async fn start(place: &Place, name: &str, mut command: Command, ready_url: &str) -> Result<Self> {
        let log = place.state_dir.join(format!("{name}.log"));
        let file = File::create(&log)?;
        command.stdin(Stdio::null()).stderr(file.try_clone()?).stdout(file);
        let mut server = Self(command.spawn().with_context(|| format!("{name} does not start"))?);
        server.wait_until_ready(name, ready_url, &log).await?;
        Ok(server)
    }

    pub fn pid(&self) -> u32 {
        self.0.id()
    }

    async fn wait_until_ready(&mut self, name: &str, url: &str, log: &Path) -> Result<()> {
        let client = reqwest::Client::builder().no_proxy().build()?;
        let started = Instant::now();
        let tail = || format!("The end of {}:\n{}", log.display(), paths::last_lines(log, LOG_LINES));
        loop {
            // DynamoDB Local refuses every request that is not signed, which is an answer too.
            if client.get(url).send().await.is_ok_and(|response| !response.status().is_server_error()) {
                return Ok(());
            }
            if let Some(status) = self.0.try_wait()? {
                bail!("{name} ended ({status}). {}", tail());
            }
            if started.elapsed() > READY_TIMEOUT {
                bail!("{name} is not ready after {READY_TIMEOUT:?}. {}", tail());
            }
            tokio::time::sleep(POLL_INTERVAL).await;
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        // Takes its exit status, so that no zombie is left.
        let _ = self.0.wait();
    }
}

/// The URL of a server at this port.
pub fn url_of(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
}

/// Gives this port, or a free one where something listens at it.
///
/// # Errors
///
/// Fails if no port is free.
pub fn free_port(wanted: u16) -> Result<u16> {
    let listener = TcpListener::bind(("127.0.0.1", wanted)).or_else(|_| TcpListener::bind("127.0.0.1:0"));
    Ok(listener.context("no free port on 127.0.0.1")?.local_addr()?.port())
}
