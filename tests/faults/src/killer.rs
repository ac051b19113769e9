//! Kills and freezes workers: the processes of the worker's function that the emulator has started, and no others.

use std::ffi::OsStr;
use std::net::SocketAddr;
use std::time::Duration;

use procfs::process::{FDTarget, Process, all_processes};
use rustix::process::{Pid, Signal, kill_process};

/// The variable in which the emulator, like Lambda, tells a function its name.
const FUNCTION_NAME: &str = "AWS_LAMBDA_FUNCTION_NAME";
/// The place of the inode in a line of `/proc/net/tcp`, counted from the `:` before the local address.
const INODE_FIELD: usize = 9;
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
        self.function_of(caller).filter(|(_, is_worker)| *is_worker).map(|(pid, _)| pid)
    }

    /// The function at the other end of a connection and whether it is the worker; `None` if that is another process. It reads
    /// files of every socket and of every process, so it must not be asked for every call.
    pub fn function_of(self, caller: SocketAddr) -> Option<(i32, bool)> {
        let socket = inode_of(caller)?;
        let has_socket = |process: &Process| {
            let files = process.fd().into_iter().flatten().filter_map(Result::ok);
            files
                .map(|file| file.target)
                .any(|target| matches!(target, FDTarget::Socket(inode) if inode == socket))
        };
        let functions =
            all_processes().ok()?.filter_map(Result::ok).filter(|process| self.is_function(process));
        let mut functions = functions.filter(has_socket);
        functions.next().map(|process| (process.pid, is_worker(&process)))
    }

    /// Kills the worker at the other end of a connection and returns its id; `None` if that is another process.
    pub fn kill_caller(self, caller: SocketAddr) -> Option<i32> {
        let worker = self.worker_of(caller)?;
        signal(worker, Signal::KILL);
        Some(worker)
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
        let functions = processes.filter_map(Result::ok).filter(|process| self.is_function(process));
        functions.filter(is_worker).collect()
    }

    fn is_function(self, process: &Process) -> bool {
        process.stat().is_ok_and(|stat| stat.ppid == self.emulator)
    }
}

fn is_worker(process: &Process) -> bool {
    process.environ().is_ok_and(|variables| {
        let name = variables.get(OsStr::new(FUNCTION_NAME));
        name.is_some_and(|name| name.to_string_lossy().contains(WORKER))
    })
}

/// The inode of the socket that is bound to this address. Lines of other sockets are not parsed: after some minutes there are
/// many thousands. <https://docs.kernel.org/networking/proc_net_tcp.html>
fn inode_of(address: SocketAddr) -> Option<u64> {
    let SocketAddr::V4(address) = address else { return None };
    let ip = u32::from_ne_bytes(address.ip().octets());
    let local = format!(": {ip:08X}:{:04X} ", address.port());
    let sockets = std::fs::read_to_string("/proc/net/tcp").ok()?;
    let fields_from_local = &sockets[sockets.find(&local)?..];
    fields_from_local.split_ascii_whitespace().nth(INODE_FIELD)?.parse().ok()
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
        // Not those of the process with the id 1: whatever was left behind by others is a child of that.
        assert!(Killer::new(pid).workers().is_empty(), "a worker has no workers");
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
        assert_eq!(killer.kill_caller(stream.local_addr().unwrap()), None);
    }
}
