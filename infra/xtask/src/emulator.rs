//! The emulator of AWS: `MiniStack`, on loopback.

use std::fs::{self, File};
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::venv::Venv;
use crate::{aws, processes};

const LOOK_EVERY: Duration = Duration::from_millis(50);
/// It is ready in a second or two.
const TIMEOUT: Duration = Duration::from_mins(1);
/// Lines of its log that an error shows.
const LOG_LINES: usize = 20;

/// Runs until dropped.
pub struct Emulator {
    child: Child,
    scratch: PathBuf,
    /// The mark of its processes and of the functions that it starts.
    pub mark: String,
    pub endpoint_url: String,
}

impl Emulator {
    /// Starts it and waits until it answers.
    pub async fn start(venv: &Venv, state: &Path, port: u16) -> Result<Self> {
        let scratch = state.join("tmp");
        fs::create_dir_all(&scratch)?;
        let mark = mark(state);
        let endpoint_url = format!("http://127.0.0.1:{port}");
        let log = state.join("emulator.log");
        let child = command(venv, &scratch, &mark, port, &endpoint_url, File::create(&log)?)
            .spawn()
            .context("the emulator does not start")?;
        let mut emulator = Self { child, scratch, mark, endpoint_url };
        emulator.ready(&log).await?;
        Ok(emulator)
    }

    async fn ready(&mut self, log: &Path) -> Result<()> {
        let client = reqwest::Client::builder().no_proxy().build()?;
        let url = format!("{}/_ministack/ready", self.endpoint_url);
        let started = Instant::now();
        loop {
            if client.get(&url).send().await.is_ok_and(|response| response.status().is_success()) {
                return Ok(());
            }
            if let Some(status) = self.child.try_wait()? {
                bail!("the emulator ended ({status}). The end of {}:\n{}", log.display(), tail(log));
            }
            if started.elapsed() > TIMEOUT {
                bail!(
                    "the emulator is not ready after {TIMEOUT:?}. The end of {}:\n{}",
                    log.display(),
                    tail(log)
                );
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        processes::end_marked(&self.mark);
        // It has ended: this only takes its exit status, so that no zombie is left.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.scratch);
    }
}

/// The mark of the processes of the system that keeps its state here.
pub fn mark(state: &Path) -> String {
    state.display().to_string()
}

/// The port, or a free one where something else listens.
pub fn free_port(wanted: u16) -> Result<u16> {
    let listener = TcpListener::bind(("127.0.0.1", wanted)).or_else(|_| TcpListener::bind("127.0.0.1:0"));
    Ok(listener.context("no free port on 127.0.0.1")?.local_addr()?.port())
}

/// In an environment of its own, which the functions inherit: nothing of the caller's AWS settings gets in.
fn command(venv: &Venv, scratch: &Path, mark: &str, port: u16, endpoint_url: &str, log: File) -> Command {
    let mut command = Command::new(venv.program("python"));
    command.args(["-m", "ministack"]).env_clear();
    for name in ["PATH", "HOME"] {
        command.envs(std::env::var_os(name).map(|value| (name, value)));
    }
    command
        .env("TMPDIR", scratch)
        .env(processes::MARK, mark)
        .env("GATEWAY_PORT", port.to_string())
        .env("BIND_HOST", "127.0.0.1")
        // In queue URLs. A name would be looked up, and might be found at ::1.
        .env("MINISTACK_HOST", "127.0.0.1")
        .env("MINISTACK_REGION", aws::REGION)
        // Functions call AWS here.
        .env("AWS_ENDPOINT_URL", endpoint_url)
        // Each function has the permissions of its role and no others, as on AWS.
        .env("AUTH", "true")
        .env("LOG_LEVEL", "INFO")
        .env("PYTHONUNBUFFERED", "1")
        // Services that would listen on ports of their own.
        .env("SFTP_ENABLED", "0")
        .env("IOT_MTLS_ENABLED", "0")
        .current_dir(scratch)
        .stdin(Stdio::null())
        .stderr(log.try_clone().map_or_else(|_| Stdio::null(), Stdio::from))
        .stdout(log)
        // Ctrl-C in the terminal is for us: we end it in order.
        .process_group(0);
    command
}

fn tail(log: &Path) -> String {
    let text = fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(LOG_LINES)..].join("\n")
}
