//! Kills and freezes workers: the processes of the worker's function that the emulator has started, and no others.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::net::SocketAddr;
use std::time::Duration;

use procfs::process::{FDTarget, Process, all_processes};
use rustix::process::{Pid, Signal, kill_process};

/// The variable in which the emulator, like Lambda, tells a function its name.
const FUNCTION_NAME: &str = "AWS_LAMBDA_FUNCTION_NAME";
/// Is in the name of the worker's function, as template.yaml calls it.
const WORKER: &str = "ExportWorkerFunction";

/// Finds the workers of one emulator.
#[derive(Clone, Copy, Debug)]
pub struct Killer {
    emulator: i32,
}

impl Killer {
    /// For the workers that the process with this id has started.
    pub fn new(emulator: i32) -> Self {
        Self { emulator }
    }

    /// The process ids of all workers, busy or not.
    pub fn workers(self) -> Vec<i32> {
        self.processes().iter().map(|process| process.pid).collect()
    }

    /// The worker at the other end of a connection; `None` if that is another process.
    pub fn worker_of(self, caller: SocketAddr) -> Option<i32> {
        let sockets: HashSet<u64> = procfs::net::tcp()
            .ok()?
            .into_iter()
            .filter(|socket| socket.local_address == caller)
            .map(|socket| socket.inode)
            .collect();
        let has_socket = |process: &Process| {
            let files = process.fd().into_iter().flatten().filter_map(Result::ok);
            files
                .map(|file| file.target)
                .any(|target| matches!(target, FDTarget::Socket(inode) if sockets.contains(&inode)))
        };
        self.processes().iter().find(|process| has_socket(process)).map(|process| process.pid)
    }

    /// Kills the worker at the other end of a connection, if it is one.
    pub fn kill_caller(self, caller: SocketAddr) {
        if let Some(pid) = self.worker_of(caller) {
            signal(pid, Signal::KILL);
        }
    }

    /// Stops the worker at the other end of a connection, if it is one, and wakes it after this time.
    pub fn freeze_caller(self, caller: SocketAddr, time: Duration) {
        let Some(pid) = self.worker_of(caller) else { return };
        signal(pid, Signal::STOP);
        tokio::spawn(async move {
            tokio::time::sleep(time).await;
            // Its id may belong to another process by now.
            if self.workers().contains(&pid) {
                signal(pid, Signal::CONT);
            }
        });
    }

    /// Those that are just ending cannot be read and are left out.
    fn processes(self) -> Vec<Process> {
        let Ok(processes) = all_processes() else { return Vec::new() };
        processes.filter_map(Result::ok).filter(|process| self.is_worker(process)).collect()
    }

    fn is_worker(self, process: &Process) -> bool {
        process.stat().is_ok_and(|stat| stat.ppid == self.emulator)
            && process.environ().is_ok_and(|variables| {
                let name = variables.get(OsStr::new(FUNCTION_NAME));
                name.is_some_and(|name| name.to_string_lossy().contains(WORKER))
            })
    }
}

fn signal(pid: i32, signal: Signal) {
    if let Some(pid) = Pid::from_raw(pid) {
        // It may have ended in the meantime.
        let _ = kill_process(pid, signal);
    }
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};
    use std::os::unix::process::ExitStatusExt;
    use std::process::{Child, Command};
    use std::thread::sleep;

    use super::*;

    fn start(function: &str) -> Child {
        Command::new("sleep").arg("60").env(FUNCTION_NAME, function).spawn().unwrap()
    }

    fn killer_of_this_process() -> Killer {
        Killer::new(std::process::id().try_into().unwrap())
    }

    #[test]
    fn only_workers_of_the_emulator_are_found() {
        let mut worker = start("usage-data-export-ExportWorkerFunction-1");
        let mut other = start("usage-data-export-ExportDataFunction-1");
        let pid: i32 = worker.id().try_into().unwrap();
        let killer = killer_of_this_process();
        // Until it has become `sleep`, a child has the environment of this process.
        while !killer.workers().contains(&pid) {
            sleep(Duration::from_millis(5));
        }
        assert!(!killer.workers().contains(&other.id().try_into().unwrap()));
        assert!(Killer::new(1).workers().is_empty());
        signal(pid, Signal::KILL);
        assert_eq!(worker.wait().unwrap().signal(), Some(9));
        other.kill().unwrap();
        other.wait().unwrap();
    }

    #[test]
    fn a_caller_that_is_no_worker_is_left_alone() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let killer = killer_of_this_process();
        assert_eq!(killer.worker_of(stream.local_addr().unwrap()), None);
        killer.kill_caller(stream.local_addr().unwrap());
    }
}
