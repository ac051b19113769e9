//! The SAM CLI, which deploys to AWS and to the emulator alike.

use std::env;
use std::path::PathBuf;

use anyhow::Result;
use tokio::process::Command;

use super::python::{CARGO_LAMBDA, SAM, Venv};
use crate::{command, paths};

/// The SAM CLI in an environment of its own.
pub struct Sam {
    venv: Venv,
    /// Folders that its programs are looked for in before those of `PATH`.
    programs: Vec<PathBuf>,
}

impl Sam {
    /// The SAM CLI with what it needs to deploy.
    ///
    /// # Errors
    ///
    /// Fails as [`Venv::ensure`] does.
    pub async fn ensure() -> Result<Self> {
        Ok(Self { venv: Venv::ensure(&SAM).await?, programs: Vec::new() })
    }

    /// The same with what it needs to build.
    ///
    /// # Errors
    ///
    /// Fails as [`Venv::ensure`] does.
    pub async fn ensure_with_build() -> Result<Self> {
        let (sam, cargo_lambda) = tokio::try_join!(Self::ensure(), Venv::ensure(&CARGO_LAMBDA))?;
        Ok(Self { programs: vec![cargo_lambda.bin()], ..sam })
    }

    /// The command `sam`. It sends nothing about its use to its makers, and keeps its notes beside those of the local system.
    pub fn command(&self) -> Command {
        let mut sam = command::program(self.venv.program("sam"));
        let path = env::var_os("PATH").unwrap_or_default();
        let path = self.programs.iter().cloned().chain(env::split_paths(&path));
        if let Ok(path) = env::join_paths(path) {
            sam.env("PATH", path);
        }
        sam.env("SAM_CLI_TELEMETRY", "0").env("__SAM_CLI_APP_DIR", paths::state_dir().join("sam"));
        sam
    }
}
