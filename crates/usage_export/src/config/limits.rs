//! What one organization may have.

use super::{ACTIVE_EXPORTS, ConfigError, Variables};

/// What one organization may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Unfinished exports, 1 to 1000: `ACTIVE_EXPORT_LIMIT`, by default 5.
    pub active_exports: u32,
}

impl Limits {
    /// From the process's environment.
    ///
    /// # Errors
    ///
    /// The variable is no number within [`ACTIVE_EXPORTS`].
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::from_variables(Variables::of_process())
    }

    pub(super) fn from_variables(variables: Variables<'_>) -> Result<Self, ConfigError> {
        Ok(Self { active_exports: variables.number_or("ACTIVE_EXPORT_LIMIT", 5, ACTIVE_EXPORTS)? })
    }
}

/// How the exports of one organization take turns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Turns {
    /// Exports that may run at the same time, 1 to 1000: `MAX_RUNNING_EXPORTS`, by default 3. Ten workers run at the same time,
    /// for all organizations.
    pub max_running: u32,
}

impl Turns {
    /// From the process's environment.
    ///
    /// # Errors
    ///
    /// The variable is no number within [`ACTIVE_EXPORTS`].
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::from_variables(Variables::of_process())
    }

    pub(super) fn from_variables(variables: Variables<'_>) -> Result<Self, ConfigError> {
        Ok(Self { max_running: variables.number_or("MAX_RUNNING_EXPORTS", 3, ACTIVE_EXPORTS)? })
    }
}

/// What administrators of an organization share with each other.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sharing {
    /// Whether an administrator may have the files that another one asked for: `ADMINISTRATORS_DOWNLOAD_ALL`, by default not.
    /// All see all exports in the history.
    pub download_all: bool,
}

impl Sharing {
    /// From the process's environment.
    ///
    /// # Errors
    ///
    /// The variable is neither `true` nor `false`.
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::from_variables(Variables::of_process())
    }

    pub(super) fn from_variables(variables: Variables<'_>) -> Result<Self, ConfigError> {
        Ok(Self { download_all: variables.flag_or("ADMINISTRATORS_DOWNLOAD_ALL", false)? })
    }
}
