//! What one organization may have, and how much all exports may read.

use super::{ACTIVE_EXPORTS, ConfigError, KEY_REQUESTS, MAX_WORKERS, READ_UNITS, SEGMENT_PAGES, Variables};

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

/// How many requests one API key may make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Requests {
    /// Requests in [`WINDOW_SECONDS`](crate::rate_limit::WINDOW_SECONDS), 10 to 10,000: `KEY_REQUEST_LIMIT`, by default 500, which
    /// is half of what the gateway lets through of all keys together.
    pub of_a_key: u32,
}

impl Requests {
    /// From the process's environment.
    ///
    /// # Errors
    ///
    /// The variable is no number within [`KEY_REQUESTS`].
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::from_variables(Variables::of_process())
    }

    pub(super) fn from_variables(variables: Variables<'_>) -> Result<Self, ConfigError> {
        Ok(Self { of_a_key: variables.number_or("KEY_REQUEST_LIMIT", 500, KEY_REQUESTS)? })
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

/// How much of the table of usage records exports may read, so that the product itself is not throttled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reads {
    /// Read units a second, for all workers together: `MAX_READ_UNITS`, by default 20,000, which is half of what a table has by
    /// default. 0: as many as DynamoDB gives.
    /// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html>
    pub max_units: u32,
}

impl Reads {
    /// From the process's environment.
    ///
    /// # Errors
    ///
    /// The variable is no number within [`READ_UNITS`].
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::from_variables(Variables::of_process())
    }

    pub(super) fn from_variables(variables: Variables<'_>) -> Result<Self, ConfigError> {
        Ok(Self { max_units: variables.number_or("MAX_READ_UNITS", 20_000, READ_UNITS)? })
    }
}

/// How a large export is split, and among how many workers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Workers {
    /// Workers that read a large export at the same time, 1 to 10: `MAX_WORKERS`, by default 2. Ten workers run at the same time, for all
    /// organizations.
    pub max_workers: u32,
    /// Pages that a segment of an export has at least when the export is first split, as far as can be guessed, 1 to 10,000:
    /// `SEGMENT_PAGES`, by default 16. With fewer, smaller exports are split. What is split again may have half of it, or a third.
    pub segment_pages: u32,
}

impl Workers {
    /// From the process's environment.
    ///
    /// # Errors
    ///
    /// A variable is no number within [`MAX_WORKERS`] or [`SEGMENT_PAGES`].
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::from_variables(Variables::of_process())
    }

    pub(super) fn from_variables(variables: Variables<'_>) -> Result<Self, ConfigError> {
        Ok(Self {
            max_workers: variables.number_or("MAX_WORKERS", 2, MAX_WORKERS)?,
            segment_pages: variables.number_or("SEGMENT_PAGES", 16, SEGMENT_PAGES)?,
        })
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
