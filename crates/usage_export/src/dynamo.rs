//! What every table needs: an error that is safe to log, and reads of many keys at once.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes};

/// An item as the SDK gives it.
pub type Item = HashMap<String, AttributeValue>;

/// A call to AWS failed, or what it answered cannot be read.
///
/// Holds the operation and the service's own words only: the `Debug` form of an SDK error prints whole responses, and
/// those hold customers' data.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
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

impl StoreError {
    /// Keeps of an SDK error what may be logged. For `map_err(StoreError::aws("dynamodb:Query"))`.
    pub fn aws<E, R>(operation: &'static str) -> impl FnOnce(SdkError<E, R>) -> Self
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

/// A string attribute's value.
pub fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

/// A number attribute's value.
pub fn number(value: impl ToString) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

/// The most keys in one `BatchGetItem`.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html>
const BATCH_GET_KEYS: usize = 100;

/// Tries for keys that DynamoDB left out of its answer; with the back-off below, about six seconds.
const BATCH_GET_TRIES: u32 = 8;

/// Reads many items by key. Keys without an item are absent from the answer, whose order is arbitrary.
///
/// Keys that DynamoDB leaves unprocessed (16 MiB an answer, throttling) are asked for again; if some remain after
/// eight tries, that is an error and never a silently shorter answer.
pub async fn batch_get(
    client: &Client,
    table: &str,
    keys: Vec<Item>,
    consistent: bool,
) -> Result<Vec<Item>, StoreError> {
    let mut items = Vec::with_capacity(keys.len());
    for chunk in keys.chunks(BATCH_GET_KEYS) {
        let mut pending = chunk.to_vec();
        let mut tries = 0;
        while !pending.is_empty() {
            if tries == BATCH_GET_TRIES {
                return Err(StoreError::Aws {
                    operation: "dynamodb:BatchGetItem",
                    code: "UnprocessedKeys".to_owned(),
                    message: format!("{} keys were left after {tries} tries", pending.len()),
                });
            }
            if tries > 0 {
                tokio::time::sleep(Duration::from_millis(25 << tries)).await;
            }
            tries += 1;
            pending = batch_get_once(client, table, pending, consistent, &mut items).await?;
        }
    }
    Ok(items)
}

/// One `BatchGetItem`; returns the keys it left unprocessed.
async fn batch_get_once(
    client: &Client,
    table: &str,
    keys: Vec<Item>,
    consistent: bool,
    items: &mut Vec<Item>,
) -> Result<Vec<Item>, StoreError> {
    let request = KeysAndAttributes::builder()
        .set_keys(Some(keys))
        .consistent_read(consistent)
        .build()
        .map_err(|error| StoreError::corrupt("BatchGetItem request", error))?;
    let output = client
        .batch_get_item()
        .request_items(table, request)
        .send()
        .await
        .map_err(StoreError::aws("dynamodb:BatchGetItem"))?;
    items.extend(output.responses.unwrap_or_default().into_values().flatten());
    Ok(output.unprocessed_keys.unwrap_or_default().into_values().flat_map(|left| left.keys).collect())
}

#[cfg(test)]
mod tests;
