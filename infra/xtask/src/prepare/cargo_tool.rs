//! Programs that extend cargo, such as cargo-deny, at versions that are pinned here.

use std::ffi::OsString;
use std::path::PathBuf;

use anyhow::{Context, Result};
use tokio::process::Command;

use crate::{command, terminal};

/// A program that cargo installs from crates.io.
#[derive(Debug, Clone, Copy)]
pub struct CargoTool {
    /// Name of the package and of its program.
    name: &'static str,
    version: &'static str,
}

/// Checks licences, banned crates and sources of the dependencies (`deny.toml`).
pub const DENY: CargoTool = CargoTool { name: "cargo-deny", version: "0.20.2" };

/// Finds dependencies that no source file uses.
pub const MACHETE: CargoTool = CargoTool { name: "cargo-machete", version: "0.9.2" };

/// Builds and runs fuzz targets.
pub const FUZZ: CargoTool = CargoTool { name: "cargo-fuzz", version: "0.13.2" };

impl CargoTool {
    /// Gives the program's command, after installing it if it is not there at the pinned version.
    ///
    /// The program in the PATH is used if it has that version. If not, one is installed into a folder of its own in
    /// cargo's home, which is where cargo keeps what it downloads: a clone of the repository that is made later finds it
    /// there (CI need not build it each time), and another version that somebody uses elsewhere is not replaced, as
    /// `cargo install` without `--root` would do.
    ///
    /// # Errors
    ///
    /// Fails if the home of cargo is not known, or the program cannot be installed.
    pub async fn ensure(self) -> Result<Command> {
        if self.is_pinned(self.name.into()).await {
            return Ok(command::program(self.name));
        }
        let root = cargo_home()?.join("xtask").join(format!("{}-{}", self.name, self.version));
        let program = root.join("bin").join(self.name);
        if !self.is_pinned(program.clone().into()).await {
            terminal::note(&format!("installing {} {} (once on this machine)", self.name, self.version));
            let _spinner = terminal::spinner();
            let mut install = command::cargo();
            install
                .args(["install", "--locked", "--version", self.version, self.name])
                .arg("--root")
                .arg(&root)
                // Optimising takes minutes, and these programs run for seconds.
                .arg("--debug")
                .env("CARGO_PROFILE_DEV_DEBUG", "false");
            command::output(&mut install).await?;
        }
        Ok(command::program(program))
    }

    async fn is_pinned(self, program: OsString) -> bool {
        let output = command::program(program).arg("--version").output().await;
        output.is_ok_and(|output| output.status.success() && self.has_printed_its_version(&output.stdout))
    }

    /// Some print their name before the version, some do not.
    fn has_printed_its_version(self, printed: &[u8]) -> bool {
        String::from_utf8_lossy(printed).split_whitespace().last() == Some(self.version)
    }
}

fn cargo_home() -> Result<PathBuf> {
    let home = || Some(PathBuf::from(std::env::var_os("HOME")?).join(".cargo"));
    std::env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(home)
        .context("neither CARGO_HOME nor HOME is set, so it is not known where cargo keeps its files")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_pinned_version_is_accepted() {
        assert!(MACHETE.has_printed_its_version(b"0.9.2\n"));
        assert!(DENY.has_printed_its_version(b"cargo-deny 0.20.2\n"));
        assert!(!DENY.has_printed_its_version(b"cargo-deny 0.20.20\n"));
        assert!(!DENY.has_printed_its_version(b""));
    }
}
