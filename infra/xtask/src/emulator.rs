//! The emulator of AWS: `MiniStack`, on loopback.

use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result};

use crate::venv::Venv;
use crate::{aws, processes, server};

/// Runs until dropped.
pub struct Emulator {
    child: Child,
    /// For temporary files, also those of others that have the mark.
    pub scratch: PathBuf,
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
        let ready = format!("{}/_ministack/ready", emulator.endpoint_url);
        server::ready(&mut emulator.child, "the emulator", &ready, &log).await?;
        Ok(emulator)
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
