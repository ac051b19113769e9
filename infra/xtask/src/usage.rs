//! What the worker has used: processor time and memory.

use std::time::Duration;

use crate::processes::{Process, marked};

/// Unit of the times in `/proc/<pid>/stat`: `USER_HZ`, which is 100 on every architecture that Linux has today.
const TICKS_PER_SECOND: f64 = 100.0;

/// Used by processes since their start.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Used {
    pub cpu: Duration,
    pub peak_memory_bytes: u64,
}

/// What this function's processes have used: their processor time together, the most memory that one has had.
pub fn of_function(mark: &str, function: &str) -> Used {
    marked(mark)
        .iter()
        .filter(|process| process.variable("AWS_LAMBDA_FUNCTION_NAME").as_deref() == Some(function))
        .filter_map(used)
        .fold(Used::default(), |sum, one| Used {
            cpu: sum.cpu + one.cpu,
            peak_memory_bytes: sum.peak_memory_bytes.max(one.peak_memory_bytes),
        })
}

fn used(process: &Process) -> Option<Used> {
    let stat = std::fs::read_to_string(process.file("stat")).ok()?;
    let status = std::fs::read_to_string(process.file("status")).ok()?;
    Some(Used { cpu: cpu(&stat)?, peak_memory_bytes: peak_memory_bytes(&status)? })
}

/// User and system time of `/proc/<pid>/stat`.
fn cpu(stat: &str) -> Option<Duration> {
    // The name is in parentheses and may have spaces and parentheses of its own.
    let (_, after_name) = stat.rsplit_once(')')?;
    // utime and stime are fields 14 and 15 of proc(5); after the name comes field 3.
    let mut times = after_name.split_whitespace().skip(11);
    let ticks = times.next()?.parse::<f64>().ok()? + times.next()?.parse::<f64>().ok()?;
    Duration::try_from_secs_f64(ticks / TICKS_PER_SECOND).ok()
}

/// `VmHWM` of `/proc/<pid>/status`, the most resident memory that it ever had.
fn peak_memory_bytes(status: &str) -> Option<u64> {
    let kibibytes = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(kibibytes.trim().strip_suffix(" kB")?.parse::<u64>().ok()? * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_is_user_and_system_time() {
        let stat = "7 (a ) (b) S 1 7 7 0 -1 4194560 120 0 0 0 150 25 0 0 20 0 1 0 100 1 2";
        assert_eq!(cpu(stat), Some(Duration::from_millis(1750)));
    }

    #[test]
    fn memory_is_in_bytes() {
        assert_eq!(peak_memory_bytes("Name:\tx\nVmHWM:\t    2048 kB\nVmRSS:\t 1 kB\n"), Some(2_097_152));
    }
}
