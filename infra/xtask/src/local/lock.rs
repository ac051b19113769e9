//! Keeps two systems from using one folder at the same time.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result, bail};

use super::processes;

/// Held by the xtask whose system keeps its state in the folder. The kernel releases it however that process ends.
pub struct StateLock {
    _file: File,
}

impl StateLock {
    /// Locks the folder, and ends the processes that a killed xtask has left there.
    ///
    /// # Errors
    ///
    /// Fails if a system is up that uses the folder, and if the lock file cannot be written.
    pub fn acquire(state_dir: &Path) -> Result<Self> {
        fs::create_dir_all(state_dir)?;
        let path = state_dir.join("lock");
        let mut file = OpenOptions::new().create(true).append(true).open(&path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let holder = fs::read_to_string(&path).unwrap_or_default();
                bail!("the local system is already up (process {holder}): end it there with Ctrl-C first");
            }
            Err(TryLockError::Error(error)) => return Err(error).context(path.display().to_string()),
        }
        file.set_len(0)?;
        write!(file, "{}", std::process::id())?;
        processes::end_marked(&processes::mark_of(state_dir));
        Ok(Self { _file: file })
    }
}

#[cfg(test)]
mod tests {
    use std::thread::sleep;
    use std::time::{Duration, Instant};

    use super::*;

    #[test]
    fn a_folder_has_one_system_at_a_time() {
        let state_dir = std::env::temp_dir().join(format!("usage-export-lock-{}", std::process::id()));
        let first = StateLock::acquire(&state_dir).unwrap();
        assert!(StateLock::acquire(&state_dir).is_err());
        drop(first);
        // A process that another test is starting has a copy of the lock's file until its `exec`.
        let started = Instant::now();
        while let Err(error) = StateLock::acquire(&state_dir) {
            assert!(started.elapsed() < Duration::from_secs(10), "{error:#}");
            sleep(Duration::from_millis(10));
        }
        fs::remove_dir_all(&state_dir).unwrap();
    }
}
