//! A new export: put with its idempotency mark and its place among the unfinished ones, or not at all.

use std::time::Duration;

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::delete_item::DeleteItemError;
use aws_sdk_dynamodb::operation::delete_item::builders::DeleteItemFluentBuilder;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{Put, TransactWriteItem};
use chrono::{DateTime, TimeDelta, Utc};
use sha2::{Digest, Sha256};

use super::store::{Exports, attribute_n, attribute_s};
use super::{DataExport, State};
use crate::dynamo::{Item, StoreError, number, text};
use crate::timestamp;

/// How long an `Idempotency-Key` is remembered.
pub const IDEMPOTENCY_WINDOW: TimeDelta = TimeDelta::hours(24);

/// Tries of a transaction that met another one, with the back-off below about three seconds.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html#transaction-conflict-handling>
const TRANSACTION_TRIES: u32 = 7;

/// An `Idempotency-Key`, tied to its user and to the body that it came with.
#[derive(Debug, Clone)]
pub struct IdempotencyMark {
    mark_id: String,
    body_sha256: String,
}

impl IdempotencyMark {
    /// The mark of a user's key and body. `body` is the parsed JSON: spaces and the order of members do not matter.
    pub fn new(user_id: &str, key: &str, body: &serde_json::Value) -> Self {
        let mut body = body.clone();
        body.sort_all_objects();
        let mark = Sha256::new().chain_update(user_id).chain_update([0]).chain_update(key).finalize();
        Self {
            mark_id: format!("IDEMPOTENCY#{}", hex::encode(mark)),
            body_sha256: hex::encode(Sha256::digest(body.to_string())),
        }
    }
}

/// What became of a request for an export.
#[derive(Debug, PartialEq, Eq)]
pub enum Created {
    /// It is in the table, in state REQUESTED.
    New,
    /// The same request made this export before.
    Replayed(Box<DataExport>),
    /// The key came with another body before.
    KeyReused,
    /// The organization has as many unfinished exports as it may.
    LimitReached,
}

/// Which parts of the creating transaction did not hold.
enum Refusal {
    MarkExists,
    LimitReached,
}

impl Exports {
    /// Puts the export, its idempotency mark and its place among the organization's unfinished ones, all or nothing.
    pub async fn create(
        &self,
        export: &DataExport,
        mark: Option<&IdempotencyMark>,
        active_limit: u32,
    ) -> Result<Created, StoreError> {
        if let Some(mark) = mark
            && let Some(answer) = self.answer_of_mark(mark, export.created_ts).await?
        {
            return Ok(answer);
        }
        let mut forgot_finished = false;
        loop {
            match self.transact_create(export, mark, active_limit).await? {
                None => return Ok(Created::New),
                Some(Refusal::MarkExists) => {
                    if let Some(mark) = mark
                        && let Some(answer) = self.answer_of_mark(mark, export.created_ts).await?
                    {
                        return Ok(answer);
                    }
                    // The mark expired between the two reads: the next try overwrites it.
                }
                Some(Refusal::LimitReached) if forgot_finished => return Ok(Created::LimitReached),
                Some(Refusal::LimitReached) => {
                    self.forget_finished(&export.organization_id).await?;
                    forgot_finished = true;
                }
            }
        }
    }

    /// The answer that an earlier request with this key got; `None` if there was none within the window.
    async fn answer_of_mark(
        &self,
        mark: &IdempotencyMark,
        now: DateTime<Utc>,
    ) -> Result<Option<Created>, StoreError> {
        let Some(item) = self.get_item(&mark.mark_id).await? else { return Ok(None) };
        let expired = attribute_n(&item, "ttl").is_none_or(|ttl| ttl < now.timestamp());
        let same_body = attribute_s(&item, "body_sha256") == Some(&mark.body_sha256);
        let first = attribute_s(&item, "export");
        match (expired, same_body, first) {
            (true, _, _) => Ok(None),
            (false, false, _) => Ok(Some(Created::KeyReused)),
            (false, true, Some(first)) => {
                if let Some(export) = self.get(first).await? {
                    return Ok(Some(Created::Replayed(Box::new(export))));
                }
                // That export was withdrawn, but not its mark: the key is free again.
                self.forget_mark(mark, first).await?;
                Ok(None)
            }
            (false, true, None) => Err(StoreError::corrupt(&mark.mark_id, "no export")),
        }
    }

    async fn transact_create(
        &self,
        export: &DataExport,
        mark: Option<&IdempotencyMark>,
        active_limit: u32,
    ) -> Result<Option<Refusal>, StoreError> {
        let mut writes = vec![self.put_export(export)?, self.take_place(export, active_limit)?];
        if let Some(mark) = mark {
            writes.push(self.put_mark(mark, export)?);
        }
        let mut tries = 0;
        loop {
            let sent =
                self.client.transact_write_items().set_transact_items(Some(writes.clone())).send().await;
            let Err(error) = sent else { return Ok(None) };
            let codes = cancellation_codes(error.as_service_error());
            if codes.get(2).is_some_and(|code| code == "ConditionalCheckFailed") {
                return Ok(Some(Refusal::MarkExists));
            }
            if codes.get(1).is_some_and(|code| code == "ConditionalCheckFailed") {
                return Ok(Some(Refusal::LimitReached));
            }
            tries += 1;
            let conflict = codes.iter().any(|code| code == "TransactionConflict");
            if !conflict || tries == TRANSACTION_TRIES {
                return Err(StoreError::aws("dynamodb:TransactWriteItems")(error));
            }
            tokio::time::sleep(Duration::from_millis(25 << tries)).await;
        }
    }

    fn put_export(&self, export: &DataExport) -> Result<TransactWriteItem, StoreError> {
        let item: Item = serde_dynamo::aws_sdk_dynamodb_1::to_item(export)
            .map_err(|error| StoreError::corrupt(&export.data_export_id, error))?;
        let put = Put::builder()
            .table_name(&self.table)
            .set_item(Some(item))
            .condition_expression("attribute_not_exists(data_export_id)")
            .build()
            .map_err(|error| StoreError::corrupt("put of an export", error))?;
        Ok(TransactWriteItem::builder().put(put).build())
    }

    fn put_mark(&self, mark: &IdempotencyMark, export: &DataExport) -> Result<TransactWriteItem, StoreError> {
        let created_ts = export.created_ts;
        let put = Put::builder()
            .table_name(&self.table)
            .item("data_export_id", text(&mark.mark_id))
            .item("export", text(&export.data_export_id))
            .item("body_sha256", text(&mark.body_sha256))
            .item("created_ts", text(timestamp::to_text(created_ts)))
            .item("ttl", number((created_ts + IDEMPOTENCY_WINDOW).timestamp()))
            // DynamoDB deletes what is past its time only after a while.
            .condition_expression("attribute_not_exists(data_export_id) OR #ttl < :now")
            .expression_attribute_names("#ttl", "ttl")
            .expression_attribute_values(":now", number(created_ts.timestamp()))
            .build()
            .map_err(|error| StoreError::corrupt("put of an idempotency mark", error))?;
        Ok(TransactWriteItem::builder().put(put).build())
    }

    /// Takes back an export whose message could not be sent, so that it neither waits for ever nor holds a place.
    ///
    /// False if a worker has it already: the message did arrive.
    pub async fn withdraw(
        &self,
        export: &DataExport,
        mark: Option<&IdempotencyMark>,
    ) -> Result<bool, StoreError> {
        let deleted = self
            .delete(&export.data_export_id)
            .condition_expression("#state = :requested")
            .expression_attribute_names("#state", "state")
            .expression_attribute_values(":requested", text(State::Requested.name()))
            .send()
            .await;
        match deleted {
            Ok(_) => {}
            Err(error) if condition_failed(&error) => return Ok(false),
            Err(error) => return Err(StoreError::aws("dynamodb:DeleteItem")(error)),
        }
        if let Some(mark) = mark {
            self.forget_mark(mark, &export.data_export_id).await?;
        }
        self.leave_place(&export.organization_id, vec![export.data_export_id.clone()]).await?;
        Ok(true)
    }

    /// Deletes a mark, unless a repeat of its request made another export since.
    async fn forget_mark(&self, mark: &IdempotencyMark, data_export_id: &str) -> Result<(), StoreError> {
        let deleted = self
            .delete(&mark.mark_id)
            .condition_expression("#export = :export")
            .expression_attribute_names("#export", "export")
            .expression_attribute_values(":export", text(data_export_id))
            .send()
            .await;
        match deleted {
            Err(error) if !condition_failed(&error) => Err(StoreError::aws("dynamodb:DeleteItem")(error)),
            _ => Ok(()),
        }
    }

    fn delete(&self, key: &str) -> DeleteItemFluentBuilder {
        self.client.delete_item().table_name(&self.table).key("data_export_id", text(key))
    }
}

fn condition_failed<R>(error: &SdkError<DeleteItemError, R>) -> bool {
    error.as_service_error().is_some_and(DeleteItemError::is_conditional_check_failed_exception)
}

/// The code of each write of a cancelled transaction, in the order of the writes; empty for another error.
fn cancellation_codes(error: Option<&TransactWriteItemsError>) -> Vec<String> {
    match error {
        Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => cancelled
            .cancellation_reasons()
            .iter()
            .map(|reason| reason.code().unwrap_or_default().to_owned())
            .collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests;
