//! The processes of the local system: found by a mark in their environment, ended by their ids.
//!
//! The emulator starts the functions, and a running function outlives an emulator that was killed. They inherit the
//! environment of the emulator, so one variable in it marks them all.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use procfs::process::{Process, all_processes};
use procfs::{ProcResult, ticks_per_second};
use rustix::process::{Pid, Signal, kill_process};

/// The variable that marks them. Its value says to which system they belong: the folder of its state.
pub const MARK: &str = "USAGE_EXPORT_LOCAL";
/// The variable in which Lambda, and the emulator, tell a function its name.
const FUNCTION_NAME: &str = "AWS_LAMBDA_FUNCTION_NAME";

/// How long a process may take to end after SIGTERM. Then it gets SIGKILL.
const TERM_TIMEOUT: Duration = Duration::from_secs(2);
/// Between two looks at which processes are left.
const POLL_INTERVAL: Duration = Duration::from_millis(25);

/// What processes have used since they started.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Usage {
    /// User and system time.
    pub cpu: Duration,
    /// The most resident memory.
    pub peak_memory_bytes: u64,
}

/// The mark of the processes of the system that keeps its state in this folder.
pub fn mark_of(state_dir: &Path) -> String {
    state_dir.display().to_string()
}

/// Ends every process with this mark, and returns when they are gone or after four seconds.
pub fn end_marked(mark: &str) {
    let started = Instant::now();
    let mut told = HashSet::new();
    // Looks for all of them each time, because one that is ending may have just started another.
    while started.elapsed() < 2 * TERM_TIMEOUT {
        let left = marked(mark);
        if left.is_empty() {
            return;
        }
        let kill = started.elapsed() >= TERM_TIMEOUT;
        for process in left {
            if kill {
                send(process.pid, Signal::KILL);
            } else if told.insert(process.pid) {
                send(process.pid, Signal::TERM);
            }
        }
        sleep(POLL_INTERVAL);
    }
}

/// What the processes of one function have used: the sum of their processor times, and the peak of the one that had the
/// most memory. Zero if the function has no process.
pub fn usage_of_function(mark: &str, function: &str) -> Usage {
    marked(mark)
        .iter()
        .filter(|process| has_variable(process, FUNCTION_NAME, function))
        // One that has ended since cannot be read.
        .filter_map(|process| usage(process).ok())
        .fold(Usage::default(), |sum, one| Usage {
            cpu: sum.cpu + one.cpu,
            peak_memory_bytes: sum.peak_memory_bytes.max(one.peak_memory_bytes),
        })
}

/// The processes with this mark. Those of other users, and those that are just ending, cannot be read and are left out.
fn marked(mark: &str) -> Vec<Process> {
    let Ok(processes) = all_processes() else { return Vec::new() };
    processes.filter_map(Result::ok).filter(|process| has_variable(process, MARK, mark)).collect()
}

fn has_variable(process: &Process, name: &str, value: &str) -> bool {
    process
        .environ()
        .is_ok_and(|environment| environment.get(OsStr::new(name)).is_some_and(|found| found == value))
}

#[expect(clippy::cast_precision_loss, reason = "a sum of CPU ticks is far below 2^53")]
fn usage(process: &Process) -> ProcResult<Usage> {
    let stat = process.stat()?;
    let seconds = (stat.utime + stat.stime) as f64 / ticks_per_second() as f64;
    // procfs counts in kB of 1,024 bytes, as the kernel does.
    let peak_memory_bytes = process.status()?.vmhwm.unwrap_or_default() * 1024;
    Ok(Usage { cpu: Duration::from_secs_f64(seconds), peak_memory_bytes })
}

fn send(pid: i32, signal: Signal) {
    if let Some(pid) = Pid::from_raw(pid) {
        // It may have ended in the meantime, which is what is wanted.
        let _ = kill_process(pid, signal);
    }
}

#[cfg(test)]
mod tests {
    use std::process::{Child, Command};

    use super::*;

    fn start(program: &[&str], mark: &str, function: &str) -> Child {
        let mut command = Command::new(program[0]);
        command.args(&program[1..]).env(MARK, mark).env(FUNCTION_NAME, function).spawn().unwrap()
    }

    #[test]
    fn only_processes_with_the_mark_are_ended() {
        let mark = format!("ends {}", std::process::id());
        let mut marked_child = start(&["sleep", "60"], &mark, "worker");
        let mut other_child = start(&["sleep", "60"], "another", "worker");

        // Until it has become `sleep`, a child has the environment of this process.
        while marked(&mark).is_empty() {
            sleep(POLL_INTERVAL);
        }
        end_marked(&mark);

        assert!(!marked_child.wait().unwrap().success());
        assert!(other_child.try_wait().unwrap().is_none());
        other_child.kill().unwrap();
        other_child.wait().unwrap();
    }

    #[test]
    fn the_usage_of_a_function_is_that_of_its_processes() {
        let mark = format!("uses {}", std::process::id());
        let mut busy = start(&["sh", "-c", "while :; do :; done"], &mark, "worker");
        let mut idle = start(&["sleep", "60"], &mark, "another");

        let started = Instant::now();
        while usage_of_function(&mark, "worker").cpu < Duration::from_millis(20) {
            assert!(started.elapsed() < Duration::from_secs(30), "{:?}", usage_of_function(&mark, "worker"));
            sleep(POLL_INTERVAL);
        }
        let used = usage_of_function(&mark, "worker");
        assert!(used.cpu <= started.elapsed() + Duration::from_millis(50), "{used:?}");
        assert!((100_000..100_000_000).contains(&used.peak_memory_bytes), "{used:?}");
        assert_eq!(usage_of_function(&mark, "nothing"), Usage::default());

        for child in [&mut busy, &mut idle] {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }
}
