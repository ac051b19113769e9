//! Idempotency records: they make a repeated request return the export that the first request made.

use aws_sdk_dynamodb::types::{Put, TransactWriteItem};
use chrono::{DateTime, TimeDelta, Utc};
use sha2::{Digest, Sha256};

use super::{Exports, attribute_n, attribute_s};
use crate::dynamo::{number, text};
use crate::error::AwsError;
use crate::export::DataExport;
use crate::timestamp;

/// How long an idempotency record counts.
pub const IDEMPOTENCY_WINDOW: TimeDelta = TimeDelta::hours(24);

/// The `Idempotency-Key` of a request, tied to its organization, its user and the body that it came with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey {
    /// The key of the idempotency record in the table.
    pub(super) record_id: String,
    /// The SHA-256, in hex, of the body with its members in order.
    pub(super) body_sha256: String,
}

impl IdempotencyKey {
    /// Ties a key to its organization, user and body. `body` is the parsed JSON, so spaces and the order of members do not matter.
    ///
    /// ```
    /// use serde_json::json;
    /// use usage_export::export::store::idempotency::IdempotencyKey;
    /// let key = IdempotencyKey::new("org_1", "usr_1", "key-1", &json!({"a": 1, "b": 2}));
    /// assert_eq!(key, IdempotencyKey::new("org_1", "usr_1", "key-1", &json!({"b": 2, "a": 1})));
    /// assert_ne!(key, IdempotencyKey::new("org_2", "usr_1", "key-1", &json!({"a": 1, "b": 2})));
    /// ```
    pub fn new(organization_id: &str, user_id: &str, key: &str, body: &serde_json::Value) -> Self {
        let mut body = body.clone();
        body.sort_all_objects();
        let mut sha256 = Sha256::new();
        for part in [organization_id, user_id, key] {
            sha256.update(part);
            sha256.update([0]);
        }
        let sha256 = sha256.finalize();
        Self {
            record_id: format!("IDEMPOTENCY#{}", hex::encode(sha256)),
            body_sha256: hex::encode(Sha256::digest(body.to_string())),
        }
    }
}

/// What an idempotency record answers to a request with its key.
#[derive(Debug, PartialEq, Eq)]
pub enum SavedResponse {
    /// The first request had the same body and made this export.
    SameBody(Box<DataExport>),
    /// The first request had another body.
    OtherBody,
}

impl Exports {
    /// Reads the answer to an earlier request with this key. `None` if there was none within [`IDEMPOTENCY_WINDOW`].
    pub(super) async fn saved_response(
        &self,
        idempotency_key: &IdempotencyKey,
        now: DateTime<Utc>,
    ) -> Result<Option<SavedResponse>, AwsError> {
        let Some(item) = self.get_item(&idempotency_key.record_id).await? else { return Ok(None) };
        let expired = attribute_n(&item, "ttl").is_none_or(|ttl| ttl < now.timestamp());
        let same_body = attribute_s(&item, "body_sha256") == Some(&idempotency_key.body_sha256);
        let first = attribute_s(&item, "export");
        match (expired, same_body, first) {
            (true, _, _) => Ok(None),
            (false, false, _) => Ok(Some(SavedResponse::OtherBody)),
            (false, true, Some(first)) => match self.get(first).await? {
                Some(export) => Ok(Some(SavedResponse::SameBody(Box::new(export)))),
                None => Err(AwsError::corrupt(&idempotency_key.record_id, "its export is gone")),
            },
            (false, true, None) => Err(AwsError::corrupt(&idempotency_key.record_id, "no export")),
        }
    }

    pub(super) fn put_idempotency_record(
        &self,
        idempotency_key: &IdempotencyKey,
        export: &DataExport,
    ) -> Result<TransactWriteItem, AwsError> {
        let created_ts = export.created_ts;
        let put = Put::builder()
            .table_name(&self.table)
            .item("data_export_id", text(&idempotency_key.record_id))
            .item("export", text(&export.data_export_id))
            .item("body_sha256", text(&idempotency_key.body_sha256))
            .item("created_ts", text(timestamp::to_text(created_ts)))
            .item("ttl", number((created_ts + IDEMPOTENCY_WINDOW).timestamp()))
            // DynamoDB deletes an expired record only within a few days.
            .condition_expression("attribute_not_exists(data_export_id) OR #ttl < :now")
            .expression_attribute_names("#ttl", "ttl")
            .expression_attribute_values(":now", number(created_ts.timestamp()))
            .build()
            .map_err(|error| AwsError::internal("put of an idempotency record", &error))?;
        Ok(TransactWriteItem::builder().put(put).build())
    }
}
