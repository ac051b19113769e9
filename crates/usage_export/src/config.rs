//! Settings from environment variables: one small struct per concern, each with `from_env()`.
//!
//! | struct                | variables                                  | used by                                |
//! | --------------------- | ------------------------------------------ | -------------------------------------- |
//! | [`TableNames`]        | `DIRECTORY_TABLE`, `EXPORTS_TABLE`         | every function                         |
//! | [`Audit`]             | `AUDIT_TABLE`, `AUDIT_DAYS`?               | who answers requests                   |
//! | [`UsageRecordsTable`] | `USAGE_RECORDS_TABLE`, `READ_AHEAD`?       | the worker, the settings page          |
//! | [`Queue`]             | `QUEUE_URL`                                | who submits exports, the worker        |
//! | [`DeadLetterQueue`]   | `DEAD_LETTER_QUEUE_URL`                    | the reconciler                         |
//! | [`Bucket`]            | `BUCKET`                                   | who reads or writes files              |
//! | [`Email`]             | `EMAIL_FROM`, `EMAIL_CONFIGURATION_SET`?   | the worker                             |
//! | [`Origin`]            | `PAGE_URL`                                 | the settings page, the worker          |
//! | [`Limits`]            | `ACTIVE_EXPORT_LIMIT`?                     | who submits exports                    |
//! | [`Requests`]          | `KEY_REQUEST_LIMIT`?                       | who answers requests                   |
//! | [`Turns`]             | `MAX_RUNNING_EXPORTS`?                     | the worker                             |
//! | [`Workers`]           | `MAX_WORKERS`?, `SEGMENT_PAGES`?           | the worker                             |
//! | [`Reads`]             | `MAX_READ_UNITS`?                          | the worker                             |
//! | [`Retention`]         | `FILE_DAYS`?                               | the worker                             |
//! | [`Stack`]             | `STACK_NAME`?                              | who writes metrics                     |
//!
//! `?`: may be absent. An empty variable counts as an absent one. A variable that is missing or malformed is an error
//! that names it: the function ends at its start and not at the first request. `template.yaml` sets them all.

use std::ops::RangeInclusive;

mod limits;
mod origin;
mod tables;
mod variables;

pub use limits::{Limits, Reads, Requests, Sharing, Turns, Workers};
pub use origin::{InvalidOrigin, Origin};
pub use tables::{AUDIT_DAYS, Audit, TableNames, UsageRecordsTable};
pub use variables::ConfigError;
use variables::Variables;
pub(crate) use variables::optional;

/// Unfinished exports that one organization may have, and running ones, at least and at most. `template.yaml` has the same limits.
pub const ACTIVE_EXPORTS: RangeInclusive<u32> = 1..=1000;

/// Requests that one API key may make in a window, at least and at most. `template.yaml` has the same limits.
pub const KEY_REQUESTS: RangeInclusive<u32> = 10..=10_000;

/// Pages that a segment has at least, at least and at most.
pub const SEGMENT_PAGES: RangeInclusive<u32> = 1..=10_000;

/// Workers that may take part in one export, at least and at most: as many as the event source mapping of `template.yaml` starts.
pub const MAX_WORKERS: RangeInclusive<u32> = 1..=10;

/// Read units a second that exports may take, at least and at most; 0 is no limit. `template.yaml` has the same limits.
pub const READ_UNITS: RangeInclusive<u32> = 0..=1_000_000;

/// Days that a file can be kept at least and at most. `template.yaml` has the same limits.
pub const FILE_DAYS: RangeInclusive<u16> = 1..=3650;

/// The queue from whoever submits exports to the worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queue {
    /// The queue's URL: `QUEUE_URL`.
    pub url: String,
}

impl Queue {
    /// From the process's environment.
    ///
    /// # Errors
    ///
    /// The variable is missing.
    pub fn from_env() -> Result<Self, ConfigError> {
        Ok(Self { url: Variables::of_process().required("QUEUE_URL")? })
    }
}

/// Where messages end that the worker could not process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetterQueue {
    /// The queue's URL: `DEAD_LETTER_QUEUE_URL`.
    pub url: String,
}

impl DeadLetterQueue {
    /// From the process's environment.
    ///
    /// # Errors
    ///
    /// The variable is missing.
    pub fn from_env() -> Result<Self, ConfigError> {
        Ok(Self { url: Variables::of_process().required("DEAD_LETTER_QUEUE_URL")? })
    }
}

/// The S3 bucket of the CSV files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bucket {
    /// The bucket's name: `BUCKET`.
    pub name: String,
}

impl Bucket {
    /// From the process's environment.
    ///
    /// # Errors
    ///
    /// The variable is missing.
    pub fn from_env() -> Result<Self, ConfigError> {
        Ok(Self { name: Variables::of_process().required("BUCKET")? })
    }
}

/// How emails are sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Email {
    /// The sender, `exports@example.com` or `Exports <exports@example.com>`: `EMAIL_FROM`.
    pub from: String,
    /// The SES configuration set for bounces and complaints: `EMAIL_CONFIGURATION_SET`.
    pub configuration_set: Option<String>,
}

impl Email {
    /// From the process's environment.
    ///
    /// # Errors
    ///
    /// The sender is missing, or is no address.
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::from_variables(Variables::of_process())
    }

    fn from_variables(variables: Variables<'_>) -> Result<Self, ConfigError> {
        const FROM: &str = "EMAIL_FROM";
        let from = variables.required(FROM)?;
        if !from.contains('@') {
            return Err(ConfigError::Malformed { name: FROM, reason: "not an email address".to_owned() });
        }
        Ok(Self { from, configuration_set: variables.optional("EMAIL_CONFIGURATION_SET")? })
    }
}

impl Origin {
    /// Where people see the settings page: `PAGE_URL` in the process's environment.
    ///
    /// # Errors
    ///
    /// The variable is missing, or is no origin.
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::from_variables(Variables::of_process())
    }

    fn from_variables(variables: Variables<'_>) -> Result<Self, ConfigError> {
        const NAME: &str = "PAGE_URL";
        variables.parsed(NAME)
    }
}

/// How long files are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Days that a file can be downloaded, 1 to 3650: `FILE_DAYS`, by default 30.
    pub file_days: u16,
}

impl Retention {
    /// From the process's environment.
    ///
    /// # Errors
    ///
    /// The variable is no number within [`FILE_DAYS`].
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::from_variables(Variables::of_process())
    }

    fn from_variables(variables: Variables<'_>) -> Result<Self, ConfigError> {
        Ok(Self { file_days: variables.number_or("FILE_DAYS", 30, FILE_DAYS)? })
    }
}

/// Which deployment this is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stack {
    /// The stack's name: `STACK_NAME`. Without it the function writes no metrics.
    pub name: Option<String>,
}

impl Stack {
    /// From the process's environment.
    ///
    /// # Errors
    ///
    /// The variable is not UTF-8.
    pub fn from_env() -> Result<Self, ConfigError> {
        Ok(Self { name: Variables::of_process().optional("STACK_NAME")? })
    }
}

#[cfg(test)]
mod tests;
