//! Why a worker made no file, and what that means for the export.

use usage_export::error::AwsError;
use usage_export::export::store::lease::LeaseError;
use usage_export::export::{Failure, FailureReason};

use crate::sink::upload::UploadError;
use usage_records::page::ReadError;

/// Why no file was made.
#[derive(Debug, thiserror::Error)]
pub enum PipelineError {
    /// Another worker has claimed the export, or it is finished: it was cancelled, for example.
    #[error("{}", LeaseError::Lost)]
    LeaseLost,
    /// A call failed, or something on our side. Trying again may help.
    #[error(transparent)]
    Aws(AwsError),
    /// Trying again does not help.
    #[error("{cause}")]
    Permanent {
        /// What the export is counted as, and what its owner is told.
        failure: Failure,
        /// What is logged.
        cause: String,
    },
}

impl PipelineError {
    /// The file and what was counted do not agree.
    pub fn integrity_mismatch(cause: String) -> Self {
        let failure = Failure::new(FailureReason::Integrity, "The file did not add up, so it was withheld.");
        Self::Permanent { failure, cause }
    }
}

impl From<AwsError> for PipelineError {
    fn from(error: AwsError) -> Self {
        if let AwsError::Corrupt { what, .. } = &error {
            // Ids. What exactly is wrong is in the log.
            let told = format!(
                "A stored record could not be read, so the file would have been wrong. Please pass this on to whoever runs the \
                 system: {what}."
            );
            let failure = Failure::new(FailureReason::BadRecord, told);
            return Self::Permanent { failure, cause: error.to_string() };
        }
        Self::Aws(error)
    }
}

impl From<ReadError> for PipelineError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Aws(error) | ReadError::Throttled { error, .. } => error.into(),
            ReadError::Record(bad) => Self::Permanent {
                failure: Failure::new(FailureReason::BadRecord, bad.to_owner()),
                cause: bad.to_string(),
            },
        }
    }
}

impl From<LeaseError> for PipelineError {
    fn from(error: LeaseError) -> Self {
        match error {
            LeaseError::Lost => Self::LeaseLost,
            LeaseError::Aws(error) => error.into(),
        }
    }
}

impl From<UploadError> for PipelineError {
    fn from(error: UploadError) -> Self {
        match error {
            UploadError::IntegrityMismatch(cause) => Self::integrity_mismatch(cause),
            UploadError::TooLarge => Self::Permanent {
                failure: Failure::new(
                    FailureReason::TooLarge,
                    "The file would be larger than one file can be. Export a shorter date range or fewer workspaces.",
                ),
                cause: error.to_string(),
            },
            UploadError::Aws(error) => error.into(),
        }
    }
}
