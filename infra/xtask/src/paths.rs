//! Where the files of the repository and of the local system are.

use std::io::ErrorKind;
use std::path::{Display, Path, PathBuf};

use anyhow::{Context, Result};

/// The root of the repository.
pub fn root() -> &'static Path {
    // The manifest is two folders down: infra/xtask.
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("infra/xtask is two folders down")
}

/// The folder of the local system: ignored by git, and safe to delete while nothing is up.
pub fn state_dir() -> PathBuf {
    root().join(".local")
}

/// Where cargo builds.
pub fn target_dir() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// A path as one types it in the repository's root.
pub fn shown(path: &Path) -> Display<'_> {
    path.strip_prefix(root()).unwrap_or(path).display()
}

/// Removes the file if there is one.
///
/// # Errors
///
/// Fails if the file is there and cannot be removed.
pub fn remove_file(path: &Path) -> Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).with_context(|| format!("{} cannot be removed", path.display()))
        }
        _ => Ok(()),
    }
}

/// The last `count` lines of a log, for an error message. Empty if the file cannot be read.
pub fn last_lines(log: &Path, count: usize) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}
