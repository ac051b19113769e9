//! The emulator of AWS: `MiniStack`, on loopback.

use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result};

use super::{aws, processes, server};
use crate::prepare::python::Venv;

/// Runs until it is dropped.
pub struct Emulator {
    child: Child,
    /// A folder for temporary files, also for other processes that have the mark.
    pub scratch: PathBuf,
    /// The mark of its process and of the functions that it starts.
    pub mark: String,
    pub endpoint_url: String,
}

impl Emulator {
    /// Starts the emulator and waits until it answers. Functions call AWS at `proxy_port` if there is one, else at the
    /// emulator itself.
    ///
    /// # Errors
    ///
    /// Fails if it does not start, ends, or does not answer in time.
    pub async fn start(venv: &Venv, state_dir: &Path, port: u16, proxy_port: Option<u16>) -> Result<Self> {
        let scratch = state_dir.join("tmp");
        fs::create_dir_all(&scratch)?;
        let mark = processes::mark_of(state_dir);
        let endpoint_url = url_of(port);
        let log = state_dir.join("emulator.log");
        let child = command(venv, &scratch, &mark, port, File::create(&log)?)
            // Where functions call AWS.
            .env("AWS_ENDPOINT_URL", url_of(proxy_port.unwrap_or(port)))
            .spawn()
            .context("the emulator does not start")?;
        let mut emulator = Self { child, scratch, mark, endpoint_url };
        let ready = format!("{}/_ministack/ready", emulator.endpoint_url);
        server::wait_until_ready(&mut emulator.child, "the emulator", &ready, &log).await?;
        Ok(emulator)
    }

    /// Its process, which is the parent of the functions' processes.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        processes::end_marked(&self.mark);
        // The process has ended; this takes its exit status, so that no zombie is left.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.scratch);
    }
}

fn url_of(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
}

/// The emulator's command. It gets an environment of its own, which the functions inherit, so that none of the caller's
/// AWS settings gets in.
fn command(venv: &Venv, scratch: &Path, mark: &str, port: u16, log: File) -> Command {
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
        // The host in queue URLs. A name would be looked up, and might be found at ::1.
        .env("MINISTACK_HOST", "127.0.0.1")
        .env("MINISTACK_REGION", aws::REGION)
        // Each function has the permissions of its role and no others, as on AWS.
        .env("AUTH", "true")
        .env("LOG_LEVEL", "INFO")
        .env("PYTHONUNBUFFERED", "1")
        // These services would listen on ports of their own.
        .env("SFTP_ENABLED", "0")
        .env("IOT_MTLS_ENABLED", "0")
        .current_dir(scratch)
        .stdin(Stdio::null())
        .stderr(log.try_clone().map_or_else(|_| Stdio::null(), Stdio::from))
        .stdout(log)
        // In a process group of its own, Ctrl-C in the terminal reaches only xtask, which ends everything in order.
        .process_group(0);
    command
}
