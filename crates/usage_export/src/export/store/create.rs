//! A new export: put with the ids that it names, its idempotency record, its slot among the active exports and its event in the
//! audit trail, or not at all.

use std::time::Duration;

use aws_sdk_dynamodb::types::{Put, TransactWriteItem};

use super::Exports;
use super::idempotency::{IdempotencyKey, SavedResponse};
use crate::dynamo::{Item, cancellation_codes};
use crate::error::AwsError;
use crate::export::DataExport;
use crate::metrics;

/// How often a transaction is tried that conflicts with another one. With the pauses in between that is about three
/// seconds.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html#transaction-conflict-handling>
const MAX_TRANSACTION_TRIES: u32 = 7;

/// What became of a request to create an export.
#[derive(Debug, PartialEq, Eq)]
pub enum Created {
    /// The export is in the table, in state REQUESTED.
    New,
    /// The same request was sent before and made this export.
    Replayed(Box<DataExport>),
    /// The `Idempotency-Key` was sent before with another body.
    KeyReused,
    /// The organization has no free slot.
    LimitReached,
}

impl From<SavedResponse> for Created {
    fn from(saved: SavedResponse) -> Self {
        match saved {
            SavedResponse::SameBody(export) => Self::Replayed(export),
            SavedResponse::OtherBody => Self::KeyReused,
        }
    }
}

/// Which condition of the creating transaction did not hold.
enum Refusal {
    IdempotencyRecordExists,
    LimitReached,
}

impl Exports {
    /// Puts the export, the ids that it names, its idempotency record and its event, and takes a slot, in one transaction.
    ///
    /// Repeating a request with the same key within 24 hours returns [`Created::Replayed`]. Slots of exports that have
    /// finished are released before a request is told that the limit is reached.
    ///
    /// # Errors
    ///
    /// A call failed, or seven transactions in a row met others. The export was not created; only if the answer to a
    /// transaction was lost, it may have been.
    pub async fn create(
        &self,
        export: &DataExport,
        idempotency_key: Option<&IdempotencyKey>,
        active_limit: u32,
        event: Option<TransactWriteItem>,
    ) -> Result<Created, AwsError> {
        if let Some(idempotency_key) = idempotency_key
            && let Some(saved) = self.saved_response(idempotency_key, export.created_ts).await?
        {
            return Ok(saved.into());
        }
        let mut released_finished = false;
        loop {
            match self.transact_create(export, idempotency_key, active_limit, event.as_ref()).await? {
                None => {
                    metrics::accepted(export);
                    return Ok(Created::New);
                }
                Some(Refusal::IdempotencyRecordExists) => {
                    if let Some(idempotency_key) = idempotency_key
                        && let Some(saved) = self.saved_response(idempotency_key, export.created_ts).await?
                    {
                        return Ok(saved.into());
                    }
                    // The record expired between the two reads: the next try overwrites it.
                }
                Some(Refusal::LimitReached) if released_finished => return Ok(Created::LimitReached),
                Some(Refusal::LimitReached) => {
                    self.release_finished_slots(&export.organization_id).await?;
                    released_finished = true;
                }
            }
        }
    }

    async fn transact_create(
        &self,
        export: &DataExport,
        idempotency_key: Option<&IdempotencyKey>,
        active_limit: u32,
        event: Option<&TransactWriteItem>,
    ) -> Result<Option<Refusal>, AwsError> {
        let mut writes = vec![self.put_export(export)?, self.take_slot(export, active_limit)?];
        if let Some(idempotency_key) = idempotency_key {
            writes.push(self.put_idempotency_record(idempotency_key, export)?);
        }
        writes.extend(self.put_named_ids(export)?);
        writes.extend(event.cloned());
        let mut tries = 0;
        loop {
            let sent =
                self.client.transact_write_items().set_transact_items(Some(writes.clone())).send().await;
            let Err(error) = sent else { return Ok(None) };
            let codes = cancellation_codes(error.as_service_error());
            let is_refused =
                |write: usize| codes.get(write).is_some_and(|code| code == "ConditionalCheckFailed");
            if idempotency_key.is_some() && is_refused(2) {
                return Ok(Some(Refusal::IdempotencyRecordExists));
            }
            if is_refused(1) {
                return Ok(Some(Refusal::LimitReached));
            }
            tries += 1;
            let conflict = codes.iter().any(|code| code == "TransactionConflict");
            if !conflict || tries == MAX_TRANSACTION_TRIES {
                return Err(AwsError::from_sdk("dynamodb:TransactWriteItems")(error));
            }
            tokio::time::sleep(Duration::from_millis(25 << tries)).await;
        }
    }

    fn put_export(&self, export: &DataExport) -> Result<TransactWriteItem, AwsError> {
        let item: Item = serde_dynamo::aws_sdk_dynamodb_1::to_item(export)
            .map_err(|error| AwsError::internal(&export.data_export_id, &error))?;
        let put = Put::builder()
            .table_name(&self.table)
            .set_item(Some(item))
            .condition_expression("attribute_not_exists(data_export_id)")
            .build()
            .map_err(|error| AwsError::internal("put of an export", &error))?;
        Ok(TransactWriteItem::builder().put(put).build())
    }
}

#[cfg(test)]
mod tests;
