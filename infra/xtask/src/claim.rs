//! One system at a time in one folder.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::{emulator, processes};

/// Held by the xtask whose system keeps its state in the folder. The kernel gives it back, however that one ends.
pub struct Claim {
    _lock: File,
}

impl Claim {
    /// Fails beside a system that is up; ends what a killed one has left.
    pub fn of(state: &Path) -> Result<Self> {
        fs::create_dir_all(state)?;
        let path = state.join("lock");
        let mut lock = OpenOptions::new().create(true).append(true).open(&path)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let owner = fs::read_to_string(&path).unwrap_or_default();
                bail!("the local system is already up (process {owner}): end it there with Ctrl-C first");
            }
            Err(TryLockError::Error(error)) => return Err(error).context(path.display().to_string()),
        }
        lock.set_len(0)?;
        write!(lock, "{}", std::process::id())?;
        processes::end_marked(&emulator::mark(state));
        Ok(Self { _lock: lock })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_has_one_system_at_a_time() {
        let state = std::env::temp_dir().join(format!("usage-export-claim-{}", std::process::id()));
        let first = Claim::of(&state).unwrap();
        assert!(Claim::of(&state).is_err());
        drop(first);
        assert!(Claim::of(&state).is_ok());
        fs::remove_dir_all(&state).unwrap();
    }
}
