//! Several workers that take the events of one queue.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::timeout;

use super::queue::{Content, Queue};
use super::runtime::{Call, Server};
use super::{ANSWER_TIMEOUT, Process, Used, Worker};

/// How often it is looked whether all processes live.
const LOOK: Duration = Duration::from_millis(200);

/// What the workers of a run used.
#[derive(Debug, Clone)]
pub struct PoolUsed {
    /// When the first event was there to be taken.
    pub started: Instant,
    /// What each worker used.
    pub workers: Vec<Used>,
}

/// Starts the workers, and once all have polled puts the event into the queue and calls `started`; waits until the queue
/// is empty, and ends the workers. Their logs are written to the folder `logs`.
///
/// # Errors
///
/// Fails if a worker does not start, ends, or reports an error, or the queue is not empty after 15 minutes. The error
/// has the end of the log of the first worker.
pub async fn run(
    workers: &[Worker],
    queue: &Arc<Queue>,
    event: Content,
    logs: &Path,
    started: impl FnOnce(Instant),
) -> Result<PoolUsed> {
    let (send, mut calls) = unbounded_channel();
    let (mut servers, mut processes, mut log_paths) = (Vec::new(), Vec::new(), Vec::new());
    for (index, worker) in workers.iter().enumerate() {
        let server = Server::start(Arc::clone(queue), send.clone()).await?;
        let log = logs.join(format!("{}-{}.log", worker.name, index + 1));
        let (process, log) = worker.start(server.address, log)?;
        servers.push(server);
        processes.push(process);
        log_paths.push(log);
    }
    let outcome = timeout(ANSWER_TIMEOUT, async {
        for _ in workers {
            let call = next(&mut calls, &processes).await?;
            ensure!(matches!(call, Call::Polls), "a worker did something else than poll: {call:?}");
        }
        let now = Instant::now();
        started(now);
        queue.send(event, Duration::ZERO);
        while !queue.is_empty() {
            match next(&mut calls, &processes).await? {
                Call::Polls => {}
                Call::Responds(id, answer) => queue.answered(&id, &answer)?,
                Call::Fails(error) => bail!("a worker failed: {}", String::from_utf8_lossy(&error)),
            }
        }
        Ok(now)
    })
    .await
    .context("the queue was not empty in time");
    let used: Vec<_> = processes.into_iter().map(Process::end).collect();
    let started = outcome.flatten().map_err(|error| with_logs(workers, &error, &log_paths))?;
    Ok(PoolUsed { started, workers: used.into_iter().collect::<Result<_>>()? })
}

/// Waits for the next call, as long as all processes live.
async fn next(calls: &mut UnboundedReceiver<Call>, processes: &[Process]) -> Result<Call> {
    loop {
        if let Ok(call) = timeout(LOOK, calls.recv()).await {
            return call.context("no server is left");
        }
        ensure!(processes.iter().all(|process| process.peak_bytes().is_some()), "a process ended");
    }
}

fn with_logs(workers: &[Worker], error: &anyhow::Error, logs: &[PathBuf]) -> anyhow::Error {
    workers[0].with_log(error, &logs[0])
}
