//! A worker as a whole process, and how much processor time and memory the operating system says it used.

pub mod pool;
pub mod queue;
mod runtime;

use std::fs::File;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use procfs::process::Process as ProcfsProcess;
use wait4::Wait4 as _;

use self::runtime::Runtime;

/// Far longer than any worker takes.
const ANSWER_TIMEOUT: Duration = Duration::from_mins(15);
/// Lines of its log that are shown when a worker fails.
const LOG_LINES: usize = 10;
/// What a function finds in its environment on Lambda, and the region and credentials of the emulator.
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

/// A program that makes exports.
#[derive(Debug, Clone)]
pub struct Worker {
    /// Its name in the results.
    pub name: &'static str,
    /// Program and arguments.
    pub command: Vec<PathBuf>,
    /// Variables of its environment, besides those of every worker.
    pub environment: Vec<(String, String)>,
}

/// What a process used since its `exec`.
#[derive(Debug, Clone, Copy)]
pub struct Used {
    /// User and system time.
    pub cpu: Duration,
    /// Time from the event to its answer; of a start, from `exec` to the first poll.
    pub wall: Duration,
    /// The most resident memory.
    pub peak_bytes: u64,
}

impl Worker {
    /// Starts the worker, gives it the event, waits for its answer and its next poll, and ends it. Its log is written to
    /// the folder `logs`.
    ///
    /// # Errors
    ///
    /// Fails if the worker does not start, ends, reports an error, or does not answer within 15 minutes. The error has
    /// the end of the log.
    pub async fn run(&self, event: Bytes, logs: &Path) -> Result<(Used, Bytes)> {
        let mut runtime = Runtime::start(Some(event)).await?;
        let (process, log) = self.start(runtime.server.address, logs.join(self.log_name()))?;
        let answered = async {
            runtime.wait_for_poll().await?;
            let started = Instant::now();
            let answer = runtime.wait_for_answer().await?;
            anyhow::Ok((started.elapsed(), answer))
        };
        let outcome = process.wait_for(answered).await;
        let used = process.end();
        let (wall, answer) = outcome.map_err(|error| self.with_log(&error, &log))?;
        Ok((Used { wall, ..used? }, answer))
    }

    /// Starts the worker, waits for its first poll, and ends it.
    ///
    /// # Errors
    ///
    /// Fails as [`Self::run`] does.
    pub async fn cold_start(&self, logs: &Path) -> Result<Used> {
        let mut runtime = Runtime::start(None).await?;
        let started = Instant::now();
        let (process, log) = self.start(runtime.server.address, logs.join(self.log_name()))?;
        let outcome = process.wait_for(runtime.wait_for_poll()).await;
        let wall = started.elapsed();
        let used = process.end();
        outcome.map_err(|error| self.with_log(&error, &log))?;
        Ok(Used { wall, ..used? })
    }

    /// Adds the end of the log to an error, because it says more.
    fn with_log(&self, error: &anyhow::Error, log: &Path) -> anyhow::Error {
        let text = std::fs::read_to_string(log).unwrap_or_default();
        let lines: Vec<_> = text.lines().collect();
        let tail = lines[lines.len().saturating_sub(LOG_LINES)..].join("\n");
        anyhow::anyhow!("{}: {error:#}; the end of {}:\n{tail}", self.name, log.display())
    }

    fn log_name(&self) -> String {
        format!("{}.log", self.name)
    }

    fn start(&self, runtime: SocketAddr, log: PathBuf) -> Result<(Process, PathBuf)> {
        let file = File::create(&log)?;
        let mut command = Command::new(&self.command[0]);
        command
            .args(&self.command[1..])
            // None of the caller's AWS settings gets in.
            .env_clear()
            .envs(["PATH", "HOME"].iter().filter_map(|name| Some((*name, std::env::var_os(name)?))))
            .envs(ENVIRONMENT)
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .env("AWS_LAMBDA_RUNTIME_API", runtime.to_string())
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file);
        let child =
            command.spawn().with_context(|| format!("{} does not start", self.command[0].display()))?;
        Ok((Process(Some(child)), log))
    }
}

/// A process that is ended when it is dropped.
struct Process(Option<Child>);

impl Process {
    /// Waits for something that the process is to do, as long as it lives.
    async fn wait_for<T>(&self, wanted: impl Future<Output = Result<T>>) -> Result<T> {
        let ended = async {
            // A process that has ended has no memory any more.
            while self.peak_bytes().is_some() {
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        };
        tokio::select! {
            outcome = wanted => outcome,
            () = ended => bail!("the process ended"),
            () = tokio::time::sleep(ANSWER_TIMEOUT) => bail!("no answer after {ANSWER_TIMEOUT:?}"),
        }
    }

    /// Ends the process and returns what it used.
    fn end(mut self) -> Result<Used> {
        let peak_bytes = self.peak_bytes().context("the process ended")?;
        let mut child = self.0.take().context("the process ended")?;
        child.kill()?;
        let rusage = child.wait4()?.rusage;
        Ok(Used { cpu: rusage.utime + rusage.stime, wall: Duration::ZERO, peak_bytes })
    }

    /// The most resident memory of this program alone; `None` once it has ended. `ru_maxrss` of `wait4` would not do: it
    /// begins with what the parent had.
    fn peak_bytes(&self) -> Option<u64> {
        let pid = i32::try_from(self.0.as_ref()?.id()).ok()?;
        // procfs counts in kB of 1,024 bytes, as the kernel does.
        Some(ProcfsProcess::new(pid).ok()?.status().ok()?.vmhwm? * 1024)
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
