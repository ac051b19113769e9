//! What every table needs: attribute values, reads of many keys at once, failed conditions.

use std::collections::HashMap;
use std::error::Error;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::error::ConditionalCheckFailedException;
use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes};

use crate::error::AwsError;
use crate::id::MAX_ID_BYTES;

/// An item of a table: its attributes by name, as the SDK reads and writes them.
pub type Item = HashMap<String, AttributeValue>;

/// The value of a string attribute.
///
/// ```
/// use aws_sdk_dynamodb::types::AttributeValue;
/// assert_eq!(usage_export::dynamo::text("org_1"), AttributeValue::S("org_1".to_owned()));
/// ```
pub fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

/// The value of a number attribute. DynamoDB takes numbers as decimal text.
///
/// ```
/// use aws_sdk_dynamodb::types::AttributeValue;
/// assert_eq!(usage_export::dynamo::number(-5), AttributeValue::N("-5".to_owned()));
/// ```
/// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_AttributeValue.html>
pub fn number(value: impl ToString) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

/// The most bytes of a partition key and of a sort key.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html>
const MAX_PARTITION_KEY_BYTES: usize = 2048;
const MAX_SORT_KEY_BYTES: usize = 1024;

// The longest prefix of a key that is made of an id of a request. Partition keys may be longer.
const _: () = assert!("WORKSPACE#".len() + MAX_ID_BYTES <= MAX_SORT_KEY_BYTES);

/// Whether a table can have an item with this key. DynamoDB refuses a whole call when one of its keys is too long, and ids come
/// from requests and records, so each key is checked before the call.
///
/// ```
/// use usage_export::dynamo::can_exist;
/// assert!(can_exist("ORG#org_1", "MEMBER#usr_1"));
/// assert!(!can_exist("ORG#org_1", &"x".repeat(1025)));
/// ```
pub fn can_exist(partition_key: &str, sort_key: &str) -> bool {
    partition_key.len() <= MAX_PARTITION_KEY_BYTES && sort_key.len() <= MAX_SORT_KEY_BYTES
}

/// Whether DynamoDB refused a conditional write because its condition did not hold.
pub fn condition_failed<E, R>(error: &SdkError<E, R>) -> bool
where
    E: Error + 'static,
{
    let source = error.as_service_error().and_then(Error::source);
    source.is_some_and(<dyn Error>::is::<ConditionalCheckFailedException>)
}

/// The code of each write of a cancelled transaction, in the order of the writes; empty for another error.
pub fn cancellation_codes(error: Option<&TransactWriteItemsError>) -> Vec<String> {
    match error {
        Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => cancelled
            .cancellation_reasons()
            .iter()
            .map(|reason| reason.code().unwrap_or_default().to_owned())
            .collect(),
        _ => Vec::new(),
    }
}

/// The most keys that one `BatchGetItem` takes.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html>
pub const MAX_BATCH_GET_KEYS: usize = 100;

/// How often keys are asked for that DynamoDB leaves unprocessed. With the pauses in between that is about six seconds.
const MAX_BATCH_GET_TRIES: u32 = 8;

/// Reads many items by key. A key without an item is absent from the result, whose order is arbitrary.
///
/// Keys that DynamoDB leaves unprocessed, because an answer has at most 16 MB or because of throttling, are asked for
/// again.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html>
///
/// # Errors
///
/// A call failed, or keys were still unprocessed after eight tries: the result is never shorter in silence.
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

/// Calls `BatchGetItem` once and returns the keys that it left unprocessed.
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
