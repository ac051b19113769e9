//! A worker as a whole process, and what the operating system says that it used.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use wait4::Wait4 as _;

use crate::runtime::Runtime;

/// Nothing here takes so long.
const TIMEOUT: Duration = Duration::from_mins(15);
/// Lines of a log that are shown when its program fails.
const SAID: usize = 10;
/// What a function finds in its environment on Lambda, and the tables' region.
const ENVIRONMENT: [(&str, &str); 9] = [
    ("AWS_LAMBDA_FUNCTION_NAME", "bench"),
    ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "512"),
    ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
    ("AWS_LAMBDA_LOG_GROUP_NAME", "bench"),
    ("AWS_LAMBDA_LOG_STREAM_NAME", "bench"),
    ("AWS_REGION", "us-east-1"),
    ("AWS_DEFAULT_REGION", "us-east-1"),
    ("AWS_ACCESS_KEY_ID", "test"),
    ("AWS_SECRET_ACCESS_KEY", "test"),
];

/// A program that does exports.
#[derive(Debug, Clone)]
pub struct Worker {
    /// Its name in the results.
    pub name: &'static str,
    /// Program and arguments.
    pub command: Vec<PathBuf>,
    /// More of its environment.
    pub environment: Vec<(String, String)>,
}

/// What a process used from `exec` on.
#[derive(Debug, Clone, Copy)]
pub struct Used {
    /// User and system time.
    pub cpu: Duration,
    /// From the event to its answer; of a cold start, from `exec` to the first poll.
    pub wall: Duration,
    /// The most resident memory.
    pub peak_bytes: u64,
}

impl Worker {
    /// Starts it, gives it the event, waits for its answer and its next poll, and ends it.
    pub async fn run(&self, event: Bytes, logs: &Path) -> Result<(Used, Bytes)> {
        let mut runtime = Runtime::start(Some(event)).await?;
        let (process, log) = self.start(&runtime, logs)?;
        let answered = async {
            runtime.first_poll().await?;
            let started = Instant::now();
            let answer = runtime.answered().await?;
            anyhow::Ok((started.elapsed(), answer))
        };
        let outcome = process.until(answered).await;
        let used = process.end();
        let (wall, answer) = outcome.map_err(|error| self.failed(&error, &log))?;
        Ok((Used { wall, ..used? }, answer))
    }

    /// Starts it, waits for its first poll, and ends it.
    pub async fn cold_start(&self, logs: &Path) -> Result<Used> {
        let mut runtime = Runtime::start(None).await?;
        let started = Instant::now();
        let (process, log) = self.start(&runtime, logs)?;
        let outcome = process.until(runtime.first_poll()).await;
        let wall = started.elapsed();
        let used = process.end();
        outcome.map_err(|error| self.failed(&error, &log))?;
        Ok(Used { wall, ..used? })
    }

    /// The error, and the end of the log, which says more.
    fn failed(&self, error: &anyhow::Error, log: &Path) -> anyhow::Error {
        let text = std::fs::read_to_string(log).unwrap_or_default();
        let lines: Vec<_> = text.lines().collect();
        let said = lines[lines.len().saturating_sub(SAID)..].join("\n");
        anyhow::anyhow!("{}: {error:#}; the end of {}:\n{said}", self.name, log.display())
    }

    fn start(&self, runtime: &Runtime, logs: &Path) -> Result<(Process, PathBuf)> {
        let log = logs.join(format!("{}.log", self.name));
        let file = File::create(&log)?;
        let mut command = Command::new(&self.command[0]);
        command
            .args(&self.command[1..])
            // Nothing of the caller's AWS settings gets in.
            .env_clear()
            .envs(["PATH", "HOME"].iter().filter_map(|name| Some((*name, std::env::var_os(name)?))))
            .envs(ENVIRONMENT)
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .env("AWS_LAMBDA_RUNTIME_API", runtime.address.to_string())
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file);
        let child =
            command.spawn().with_context(|| format!("{} does not start", self.command[0].display()))?;
        Ok((Process(Some(child)), log))
    }
}

/// Ended when dropped.
struct Process(Option<Child>);

impl Process {
    /// Waits for it, as long as the process lives.
    async fn until<T>(&self, wanted: impl Future<Output = Result<T>>) -> Result<T> {
        let gone = async {
            // A zombie has no memory any more.
            while self.peak_bytes().is_some() {
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        };
        tokio::select! {
            outcome = wanted => outcome,
            () = gone => bail!("the process ended"),
            () = tokio::time::sleep(TIMEOUT) => bail!("no answer after {TIMEOUT:?}"),
        }
    }

    /// Ends it.
    fn end(mut self) -> Result<Used> {
        let peak_bytes = self.peak_bytes().context("the process ended")?;
        let mut child = self.0.take().context("the process ended")?;
        child.kill()?;
        let rusage = child.wait4()?.rusage;
        Ok(Used { cpu: rusage.utime + rusage.stime, wall: Duration::ZERO, peak_bytes })
    }

    /// The most resident memory of this program alone: `ru_maxrss` begins with what its parent had.
    fn peak_bytes(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.0.as_ref()?.id())).ok()?;
        let kibibytes = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        Some(kibibytes.trim().strip_suffix(" kB")?.parse::<u64>().ok()? * 1024)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Some(mut child) = self.0.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
