//! What can go wrong between the functions and AWS, told apart by what to do about it.
//!
//! | error type                                            | for                                                         |
//! | ----------------------------------------------------- | ----------------------------------------------------------- |
//! | [`AwsError`]                                          | a call to AWS that failed, or an answer that cannot be used |
//! | [`LeaseError`](crate::export::store::lease::LeaseError) | a worker's step on an export: an [`AwsError`], or the lease was lost |
//! | [`RequestError`](crate::problem::RequestError)        | what a handler returns: a refusal for the caller, or an [`AwsError`] that is logged |
//! | [`Problem`](crate::problem::Problem)                  | a refusal: the only text of an error that a caller reads    |
//! | [`FieldError`](crate::problem::FieldError)            | one field of a request and what is wrong with it            |
//! | [`ConfigError`](crate::config::ConfigError)           | an environment variable that is missing or malformed; ends the function at its start |
//! | the worker's `UploadError`                            | an upload: an [`AwsError`], or S3 has another file than was written |
//! | the worker's `PipelineError`                          | one run of an export: lost lease, retry, or permanent       |
//!
//! Every error holds text that is safe to log. An SDK error itself is never kept: its `Debug` form prints whole
//! responses, and those hold customers' data.

use std::error::Error;

#[cfg(feature = "aws")]
use aws_sdk_dynamodb::config::http::HttpResponse;
#[cfg(feature = "aws")]
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use tokio::task::JoinError;

/// A call to AWS failed, or what it answered cannot be used.
///
/// Only [`AwsError::Corrupt`] is permanent: the same call made again meets the same record. Anything else may go away.
#[derive(Debug, thiserror::Error)]
pub enum AwsError {
    /// The service answered that it will not do it. The SDK has made its own retries by then.
    #[error("{operation}: {code}: {message}")]
    Refused {
        /// Such as `dynamodb:Query`.
        operation: &'static str,
        /// The service's error code; `HTTP 503` for an answer without one.
        code: String,
        /// The service's message.
        message: String,
    },
    /// No answer, or not a whole one: DNS, TLS, a time-out, a connection that broke, an answer that was cut off or has
    /// a wrong checksum. The SDK has made its own retries by then.
    #[error("{operation}: transport failure: {cause}")]
    Transport {
        /// Such as `dynamodb:Query`.
        operation: &'static str,
        /// Whether the service may have received the request, and may have done what it asks for.
        request_sent: bool,
        /// The chain of causes, outermost first, separated by colons.
        cause: String,
    },
    /// A stored record misses an attribute or holds one that cannot be read.
    #[error("{what} cannot be read: {reason}")]
    Corrupt {
        /// Which record, by its id.
        what: String,
        /// What is wrong with it, without its values.
        reason: String,
    },
    /// A fault on our side or an answer that breaks the service's contract: a task that panicked, an answer without an
    /// upload id, a request that cannot be built.
    #[error("internal fault: {what}: {cause}")]
    Internal {
        /// What was being done.
        what: String,
        /// The chain of causes, outermost first, separated by colons.
        cause: String,
    },
}

impl AwsError {
    /// Keeps of an SDK error what may be logged.
    ///
    /// ```
    /// # async fn example(client: aws_sdk_dynamodb::Client) -> Result<(), usage_export::error::AwsError> {
    /// use usage_export::error::AwsError;
    /// client.list_tables().send().await.map_err(AwsError::from_sdk("dynamodb:ListTables"))?;
    /// # Ok(())
    /// # }
    /// ```
    #[cfg(feature = "aws")]
    pub fn from_sdk<E>(operation: &'static str) -> impl FnOnce(SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        move |error| match &error {
            // The SDK has an answer that it cannot parse among the service's errors. S3 refuses with 200 and a code, too:
            // https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html
            SdkError::ServiceError(refusal)
                if error.code().is_some() || !refusal.raw().status().is_success() =>
            {
                let status = || format!("HTTP {}", refusal.raw().status().as_u16());
                Self::Refused {
                    operation,
                    code: error.code().map_or_else(status, str::to_owned),
                    message: error.message().unwrap_or("the service gave no message").to_owned(),
                }
            }
            SdkError::ConstructionFailure(_) => Self::internal(operation, &error),
            _ => Self::Transport { operation, request_sent: was_sent(&error), cause: chain(&error) },
        }
    }

    /// An answer whose body broke off or is not what its checksum says.
    pub fn broken_answer(operation: &'static str, error: &(dyn Error + 'static)) -> Self {
        Self::Transport { operation, request_sent: true, cause: chain(error) }
    }

    /// The stored record `what` cannot be read. `reason` must not quote the record's values; use
    /// [`AwsError::unreadable`] for an error of a deserializer, which does.
    pub fn corrupt(what: impl Into<String>, reason: impl ToString) -> Self {
        Self::Corrupt { what: what.into(), reason: reason.to_string() }
    }

    /// The stored record `what` does not deserialize. Values that the deserializer quotes are left out.
    ///
    /// ```
    /// use usage_export::error::AwsError;
    /// let error = serde_json::from_str::<u8>(r#""ada@example.com""#).unwrap_err();
    /// let error = AwsError::unreadable("MEMBER#usr_1", &error);
    /// assert_eq!(error.to_string(), "MEMBER#usr_1 cannot be read: invalid type: string …, expected u8 at line 1 column 17");
    /// ```
    pub fn unreadable(what: impl Into<String>, error: &dyn Error) -> Self {
        Self::corrupt(what, without_values(&error.to_string()))
    }

    /// A fault on our side while doing `what`.
    pub fn internal(what: impl Into<String>, error: &(dyn Error + 'static)) -> Self {
        Self::Internal { what: what.into(), cause: chain(error) }
    }

    /// An answer that breaks the service's contract, such as a new upload without an id.
    pub fn unexpected(what: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Internal { what: what.into(), cause: reason.into() }
    }

    /// A task that ended without a result. What it said when it panicked is left out: it may quote a record.
    pub fn from_join(what: &'static str) -> impl FnOnce(JoinError) -> Self {
        move |error| {
            Self::unexpected(
                what,
                if error.is_panic() { "the task panicked" } else { "the task was cancelled" },
            )
        }
    }

    /// Whether trying again cannot help.
    pub fn is_permanent(&self) -> bool {
        matches!(self, Self::Corrupt { .. })
    }
}

/// The `Display` texts of an error and its sources. A source that its error already quotes is not repeated.
fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let next = cause.to_string();
        if !text.ends_with(&next) {
            text.push_str(": ");
            text.push_str(&next);
        }
        source = cause.source();
    }
    text
}

/// Whether the request may have arrived: false only if no connection was made, or nothing was sent at all.
#[cfg(feature = "aws")]
fn was_sent<E>(error: &SdkError<E, HttpResponse>) -> bool
where
    E: Error + 'static,
{
    if !matches!(error, SdkError::DispatchFailure(_)) {
        return true;
    }
    let mut source = error.source();
    while let Some(cause) = source {
        if let Some(client) = cause.downcast_ref::<hyper_util::client::legacy::Error>() {
            return !client.is_connect();
        }
        source = cause.source();
    }
    // No connection was tried: for example, there are no credentials to sign with.
    false
}

/// A deserializer's message without the value that it quotes. Names of fields stay.
fn without_values(message: &str) -> String {
    if message.starts_with("missing field") || message.starts_with("duplicate field") {
        return message.to_owned();
    }
    let Some(start) = message.find(['"', '`', '\'']) else { return message.to_owned() };
    // What was expected is written in our code and may be logged. The value may hold ", expected" too: take the last.
    let rest = message[start..].rfind(", expected ").map_or("", |at| &message[start + at..]);
    format!("{}…{rest}", &message[..start])
}

#[cfg(test)]
#[cfg(feature = "aws")]
mod tests;
