//! What every table needs: attribute values, reads of many keys at once, failed conditions.

use std::collections::HashMap;
use std::error::Error;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::types::error::ConditionalCheckFailedException;
use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes};

use crate::error::AwsError;

/// An item as the SDK gives it.
pub type Item = HashMap<String, AttributeValue>;

/// A string attribute's value.
pub fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

/// A number attribute's value.
pub fn number(value: impl ToString) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

/// Whether DynamoDB refused a conditional write because its condition did not hold.
pub fn condition_failed<E, R>(error: &SdkError<E, R>) -> bool
where
    E: Error + 'static,
{
    error
        .as_service_error()
        .and_then(Error::source)
        .is_some_and(|source| source.is::<ConditionalCheckFailedException>())
}

/// The most keys in one `BatchGetItem`.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html>
const MAX_BATCH_GET_KEYS: usize = 100;

/// Tries for keys that DynamoDB left out of its answer; with the back-off below, about six seconds.
const MAX_BATCH_GET_TRIES: u32 = 8;

/// Reads many items by key. Keys without an item are absent from the answer, whose order is arbitrary.
///
/// Keys that DynamoDB leaves unprocessed (16 MiB an answer, throttling) are asked for again; if some remain after
/// eight tries, that is an error and never a silently shorter answer.
pub async fn batch_get(
    client: &Client,
    table: &str,
    keys: Vec<Item>,
    consistent: bool,
) -> Result<Vec<Item>, AwsError> {
    let mut items = Vec::with_capacity(keys.len());
    for chunk in keys.chunks(MAX_BATCH_GET_KEYS) {
        let mut pending = chunk.to_vec();
        let mut tries = 0;
        while !pending.is_empty() {
            if tries == MAX_BATCH_GET_TRIES {
                return Err(AwsError::Refused {
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
) -> Result<Vec<Item>, AwsError> {
    let request = KeysAndAttributes::builder()
        .set_keys(Some(keys))
        .consistent_read(consistent)
        .build()
        .map_err(|error| AwsError::internal("BatchGetItem request", &error))?;
    let output = client
        .batch_get_item()
        .request_items(table, request)
        .send()
        .await
        .map_err(AwsError::from_sdk("dynamodb:BatchGetItem"))?;
    items.extend(output.responses.unwrap_or_default().into_values().flatten());
    Ok(output.unprocessed_keys.unwrap_or_default().into_values().flat_map(|left| left.keys).collect())
}

#[cfg(test)]
mod tests;
