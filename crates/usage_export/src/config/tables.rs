//! The tables of DynamoDB.

use std::ops::RangeInclusive;

use super::variables::{ConfigError, Variables};

/// Days that an event of the audit trail can be kept, at least and at most. `template.yaml` has the same limits.
pub const AUDIT_DAYS: RangeInclusive<u16> = 1..=3650;

/// Partitions whose first page is read ahead, at least and at most. A page has up to 1 MB, and the worker 512 MB.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Query.html>
const READ_AHEAD: RangeInclusive<usize> = 1..=100;

/// Tables that every function uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableNames {
    /// Organizations, members, workspaces, workbooks, API keys, sessions: `DIRECTORY_TABLE`.
    pub directory: String,
    /// Exports, idempotency records, active exports: `EXPORTS_TABLE`.
    pub exports: String,
}

impl TableNames {
    /// From the process's environment.
    ///
    /// # Errors
    ///
    /// A variable is missing.
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::from_variables(Variables::of_process())
    }

    pub(super) fn from_variables(variables: Variables<'_>) -> Result<Self, ConfigError> {
        Ok(Self {
            directory: variables.required("DIRECTORY_TABLE")?,
            exports: variables.required("EXPORTS_TABLE")?,
        })
    }
}

/// The audit trail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Audit {
    /// The table of events: `AUDIT_TABLE`.
    pub table: String,
    /// Days that an event is kept, 1 to 3650: `AUDIT_DAYS`, by default 400.
    pub days: u16,
}

impl Audit {
    /// From the process's environment.
    ///
    /// # Errors
    ///
    /// The table is missing, or the days are no number within [`AUDIT_DAYS`].
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::from_variables(Variables::of_process())
    }

    pub(super) fn from_variables(variables: Variables<'_>) -> Result<Self, ConfigError> {
        Ok(Self {
            table: variables.required("AUDIT_TABLE")?,
            days: variables.number_or("AUDIT_DAYS", 400, AUDIT_DAYS)?,
        })
    }
}

/// The table of usage records, and how it is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsageRecordsTable {
    /// The table's name: `USAGE_RECORDS_TABLE`.
    pub name: String,
    /// Partitions whose first page is asked for before it is needed, 1 to 100: `READ_AHEAD`, by default 4.
    pub read_ahead: usize,
}

impl UsageRecordsTable {
    /// From the process's environment.
    ///
    /// # Errors
    ///
    /// The table is missing, or `READ_AHEAD` is no number within its limits.
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::from_variables(Variables::of_process())
    }

    pub(super) fn from_variables(variables: Variables<'_>) -> Result<Self, ConfigError> {
        Ok(Self {
            name: variables.required("USAGE_RECORDS_TABLE")?,
            read_ahead: variables.number_or("READ_AHEAD", 4, READ_AHEAD)?,
        })
    }
}
