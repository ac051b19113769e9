//! The states of an export.

use serde::{Deserialize, Serialize};

/// The state of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum State {
    /// The export is stored and its id is queued for a worker.
    Requested,
    /// A worker makes the file, or has stopped and another worker will go on.
    InProgress,
    /// The file is complete and can be downloaded until it expires.
    Completed,
    #[cfg_attr(feature = "schema", schemars(description = "There is no file; `error` says why."))]
    /// There is no file; [`DataExport::error`](super::DataExport::error) says why.
    Failed,
}

impl State {
    /// The state's name in the API and in the table.
    ///
    /// ```
    /// assert_eq!(usage_export::export::State::InProgress.name(), "IN_PROGRESS");
    /// ```
    pub fn name(self) -> &'static str {
        match self {
            Self::Requested => "REQUESTED",
            Self::InProgress => "IN_PROGRESS",
            Self::Completed => "COMPLETED",
            Self::Failed => "FAILED",
        }
    }

    /// Whether the state does not change any more.
    ///
    /// ```
    /// use usage_export::export::State;
    /// assert!(State::Failed.is_final() && !State::InProgress.is_final());
    /// ```
    pub fn is_final(self) -> bool {
        matches!(self, Self::Completed | Self::Failed)
    }
}
