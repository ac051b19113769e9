//! The processes of the local system: found by a mark in their environment, ended by their ids.
//!
//! The emulator starts the functions, and a function that is running outlives an emulator that was killed. What they
//! have in common is their environment, which they inherit.

use std::collections::HashSet;
use std::fs;
use std::path::PathBuf;
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// The variable that marks them. Its value says of which system they are: the folder of its state.
pub const MARK: &str = "USAGE_EXPORT_LOCAL";

/// Time to end after SIGTERM; then it's SIGKILL.
const GRACE: Duration = Duration::from_secs(2);
/// Between two looks at which are left.
const LOOK_EVERY: Duration = Duration::from_millis(25);

/// One process with a mark.
pub struct Process {
    pub id: i32,
    environment: Vec<u8>,
}

impl Process {
    /// The value of one of its environment variables, as it was at its start.
    pub fn variable(&self, name: &str) -> Option<String> {
        variable(&self.environment, name)
    }

    /// A file of its folder in /proc.
    pub fn file(&self, name: &str) -> PathBuf {
        PathBuf::from(format!("/proc/{}/{name}", self.id))
    }
}

/// The processes with this mark.
pub fn marked(mark: &str) -> Vec<Process> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    entries
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        // Those of other people, and those that have ended since, cannot be read.
        .filter_map(|id: i32| {
            Some(Process { id, environment: fs::read(format!("/proc/{id}/environ")).ok()? })
        })
        .filter(|process| process.variable(MARK).as_deref() == Some(mark))
        .collect()
}

/// Ends every process with this mark and returns when they are gone.
pub fn end_marked(mark: &str) {
    let started = Instant::now();
    let mut told = HashSet::new();
    // Looks again each time: one that is being ended may have just started another.
    while started.elapsed() < 2 * GRACE {
        let left = marked(mark);
        if left.is_empty() {
            return;
        }
        let kill = started.elapsed() >= GRACE;
        for process in left {
            if kill {
                send(process.id, Signal::KILL);
            } else if told.insert(process.id) {
                send(process.id, Signal::TERM);
            }
        }
        sleep(LOOK_EVERY);
    }
}

fn send(id: i32, signal: Signal) {
    if let Some(id) = Pid::from_raw(id) {
        // It may have ended meanwhile: that is what we want.
        let _ = kill_process(id, signal);
    }
}

fn variable(environment: &[u8], name: &str) -> Option<String> {
    environment
        .split(|byte| *byte == 0)
        .filter_map(|entry| std::str::from_utf8(entry).ok()?.split_once('='))
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value.to_owned())
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn a_variable_is_found_by_its_whole_name() {
        let environment = b"PATH=/bin\0XMARK=no\0MARK=a=b\0";
        assert_eq!(variable(environment, "MARK").as_deref(), Some("a=b"));
        assert_eq!(variable(environment, "ARK"), None);
    }

    #[test]
    fn only_processes_with_the_mark_end() {
        let mark = format!("test {}", std::process::id());
        let mut marked_child = Command::new("sleep").arg("60").env(MARK, &mark).spawn().unwrap();
        let mut other_child = Command::new("sleep").arg("60").env(MARK, "another").spawn().unwrap();

        // Until it has become `sleep`, a child has our environment.
        while marked(&mark).is_empty() {
            sleep(LOOK_EVERY);
        }
        end_marked(&mark);

        assert!(!marked_child.wait().unwrap().success());
        assert!(other_child.try_wait().unwrap().is_none());
        other_child.kill().unwrap();
        other_child.wait().unwrap();
    }
}
