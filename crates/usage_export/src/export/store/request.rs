//! The ids that a request names, in an item of their own: `REQUEST#<data_export_id>`.
//!
//! They may have 256 KB. The record of an export is written every two seconds while the export runs and is copied into the
//! index of the history, so it has only their number. A request without ids has no such item.

use aws_sdk_dynamodb::types::{Put, TransactWriteItem};

use super::Exports;
use crate::dynamo::{Item, condition_failed, number, text};
use crate::error::AwsError;
use crate::export::DataExport;
use crate::export::request::NamedIds;

impl Exports {
    /// Reads the ids that the request of an export names. `None` if they should be there and are not: that is never the same as a
    /// request that names none.
    ///
    /// # Errors
    ///
    /// The read failed, or the item is not what the export's record says.
    pub async fn named_ids(&self, export: &DataExport) -> Result<Option<NamedIds>, AwsError> {
        if let Some(ids) = &export.request.scope.ids {
            return Ok(Some(ids.clone()));
        }
        let key = request_key(export);
        let Some(item) = self.get_item(&key).await? else { return Ok(None) };
        let ids: NamedIds = serde_dynamo::aws_sdk_dynamodb_1::from_item(item)
            .map_err(|error| AwsError::unreadable(&key, &error))?;
        if !export.request.scope.counts(&ids) {
            return Err(AwsError::corrupt(key, "it has not as many ids as its export says"));
        }
        Ok(Some(ids))
    }

    /// A write for the creating transaction; `None` if the request names no ids.
    pub(super) fn put_named_ids(&self, export: &DataExport) -> Result<Option<TransactWriteItem>, AwsError> {
        let Some(ids) = export.request.scope.ids.as_ref().filter(|ids| !ids.is_empty()) else {
            return Ok(None);
        };
        let key = request_key(export);
        let item: Item = serde_dynamo::aws_sdk_dynamodb_1::to_item(ids)
            .map_err(|error| AwsError::internal(&key, &error))?;
        let put = Put::builder()
            .table_name(&self.table)
            .set_item(Some(item))
            .item("data_export_id", text(&key))
            .item("ttl", number(export.ttl))
            .condition_expression("attribute_not_exists(data_export_id)")
            .build()
            .map_err(|error| AwsError::internal(&key, &error))?;
        Ok(Some(TransactWriteItem::builder().put(put).build()))
    }

    /// Keeps the ids as long as the record of a completed export, which outlives its file. If that fails, they are deleted
    /// earlier, and the history shows only their number.
    pub(super) async fn keep_named_ids(&self, export: &DataExport) {
        if export.request.scope.ids.is_some() {
            return;
        }
        let kept = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("data_export_id", text(request_key(export)))
            .update_expression("SET #ttl = :ttl")
            .condition_expression("attribute_exists(data_export_id)")
            .expression_attribute_names("#ttl", "ttl")
            .expression_attribute_values(":ttl", number(export.ttl))
            .send()
            .await;
        match kept {
            Ok(_) => {}
            Err(error) if condition_failed(&error) => {}
            Err(error) => {
                let (id, error) = (&export.data_export_id, AwsError::from_sdk("dynamodb:UpdateItem")(error));
                tracing::warn!(data_export_id = id, error = %error, "the ids of export {id} are deleted early: {error}");
            }
        }
    }
}

fn request_key(export: &DataExport) -> String {
    format!("REQUEST#{}", export.data_export_id)
}

#[cfg(test)]
mod tests;
