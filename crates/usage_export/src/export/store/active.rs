//! The active exports of an organization: the set of the ids of its unfinished exports. Each id in the set takes one of
//! the organization's slots.
//!
//! It is a set and no counter, because adding or removing an id twice changes nothing, and a counter that is changed twice
//! stays wrong. `docs/adr/0004-unfinished-exports-are-a-set.md` says more.

use std::collections::{HashMap, HashSet};

use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem, Update};

use super::{Exports, read_export};
use crate::dynamo::{batch_get, number, text};
use crate::error::AwsError;
use crate::export::DataExport;

impl Exports {
    /// Takes a slot for the export, if one is free: a write for the creating transaction.
    pub(super) fn take_slot(
        &self,
        export: &DataExport,
        active_limit: u32,
    ) -> Result<TransactWriteItem, AwsError> {
        let update = Update::builder()
            .table_name(&self.table)
            .key("data_export_id", text(active_key(&export.organization_id)))
            .update_expression("ADD unfinished :id")
            .condition_expression("attribute_not_exists(unfinished) OR size(unfinished) < :limit")
            .expression_attribute_values(":id", AttributeValue::Ss(vec![export.data_export_id.clone()]))
            .expression_attribute_values(":limit", number(active_limit))
            .build()
            .map_err(|error| AwsError::internal("update of the active exports", &error))?;
        Ok(TransactWriteItem::builder().update(update).build())
    }

    /// Releases the slots of exports that are finished or gone. A worker that died right after its last step has not
    /// released its slot.
    pub(super) async fn release_finished_slots(&self, organization_id: &str) -> Result<(), AwsError> {
        let Some(item) = self.get_item(&active_key(organization_id)).await? else { return Ok(()) };
        let Some(AttributeValue::Ss(ids)) = item.get("unfinished") else { return Ok(()) };
        let keys = ids.iter().map(|id| HashMap::from([("data_export_id".to_owned(), text(id))])).collect();
        let unfinished: HashSet<String> = batch_get(&self.client, &self.table, keys, true)
            .await?
            .into_iter()
            .map(read_export)
            .collect::<Result<Vec<_>, _>>()?
            .into_iter()
            .filter(|export| !export.state.is_final())
            .map(|export| export.data_export_id)
            .collect();
        let finished: Vec<_> = ids.iter().filter(|id| !unfinished.contains(*id)).cloned().collect();
        if finished.is_empty() { Ok(()) } else { self.release_slots(organization_id, finished).await }
    }

    /// Releases the slots of these exports. Repeating it changes nothing.
    pub(super) async fn release_slots(
        &self,
        organization_id: &str,
        data_export_ids: Vec<String>,
    ) -> Result<(), AwsError> {
        self.client
            .update_item()
            .table_name(&self.table)
            .key("data_export_id", text(active_key(organization_id)))
            .update_expression("DELETE unfinished :ids")
            .expression_attribute_values(":ids", AttributeValue::Ss(data_export_ids))
            .send()
            .await
            .map_err(AwsError::from_sdk("dynamodb:UpdateItem"))?;
        Ok(())
    }
}

fn active_key(organization_id: &str) -> String {
    format!("ACTIVE#{organization_id}")
}
