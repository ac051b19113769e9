//! What can go wrong between us and AWS.

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};

/// A call to AWS failed, or what it answered cannot be read.
///
/// Holds the operation and the service's own words only: the `Debug` form of an SDK error prints whole responses, and
/// those hold customers' data.
#[derive(Debug, thiserror::Error)]
pub enum AwsError {
    /// The call failed, after the SDK's own retries.
    #[error("{operation}: {code}: {message}")]
    Aws {
        /// Such as `dynamodb:Query`.
        operation: &'static str,
        /// The service's error code, or what kind of failure kept the service from answering.
        code: String,
        /// The service's message.
        message: String,
    },
    /// An item misses an attribute or holds one of another type.
    #[error("{what} cannot be read: {reason}")]
    Corrupt {
        /// Which item, by its id.
        what: String,
        /// What is wrong with it.
        reason: String,
    },
}

impl AwsError {
    /// Keeps of an SDK error what may be logged. For `map_err(AwsError::from_sdk("dynamodb:Query"))`.
    pub fn from_sdk<E, R>(operation: &'static str) -> impl FnOnce(SdkError<E, R>) -> Self
    where
        E: ProvideErrorMetadata,
    {
        move |error| {
            let kind = match &error {
                SdkError::ConstructionFailure(_) => "ConstructionFailure",
                SdkError::TimeoutError(_) => "TimeoutError",
                SdkError::DispatchFailure(_) => "DispatchFailure",
                SdkError::ResponseError(_) => "ResponseError",
                _ => "ServiceError",
            };
            Self::Aws {
                operation,
                code: error.code().unwrap_or(kind).to_owned(),
                message: error.message().unwrap_or("no message").to_owned(),
            }
        }
    }

    /// An item that cannot be read.
    pub fn corrupt(what: impl Into<String>, reason: impl ToString) -> Self {
        Self::Corrupt { what: what.into(), reason: reason.to_string() }
    }
}
