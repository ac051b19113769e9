//! The SAM CLI, which deploys to AWS and to the emulator alike.

use std::path::PathBuf;

use anyhow::Result;
use tokio::process::Command;

use super::python::{CARGO_LAMBDA, SAM, Venv};
use crate::{command, paths};

/// The SAM CLI in an environment of its own.
pub struct Sam {
    venv: Venv,
    cargo_lambda: Option<Venv>,
}

impl Sam {
    /// The SAM CLI with what it needs to deploy.
    ///
    /// # Errors
    ///
    /// Fails as [`Venv::ensure`] does.
    pub async fn ensure() -> Result<Self> {
        Ok(Self { venv: Venv::ensure(&SAM).await?, cargo_lambda: None })
    }

    /// The same with what it needs to build.
    ///
    /// # Errors
    ///
    /// Fails as [`Venv::ensure`] does.
    pub async fn ensure_with_build() -> Result<Self> {
        let (sam, cargo_lambda) = tokio::try_join!(Self::ensure(), Venv::ensure(&CARGO_LAMBDA))?;
        Ok(Self { cargo_lambda: Some(cargo_lambda), ..sam })
    }

    /// The path of the program `sam`.
    pub fn program(&self) -> PathBuf {
        self.venv.program("sam")
    }

    /// The command `sam`. It sends nothing about its use to its makers, and keeps its notes beside those of the local system.
    pub fn command(&self) -> Command {
        let mut sam = command::program(self.program());
        sam.envs(self.cargo_lambda.as_ref().map(|venv| ("PATH", venv.path())));
        sam.env("SAM_CLI_TELEMETRY", "0").env("__SAM_CLI_APP_DIR", paths::state_dir().join("sam"));
        sam
    }
}
