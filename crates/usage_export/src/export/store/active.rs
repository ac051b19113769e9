//! The active exports of an organization: the set of the ids of its unfinished exports, each of which takes one of the
//! organization's slots; and of them the sets of those that run, and of those that wait.
//!
//! An export may be claimed once it is in `running`. It stays there through all its retries and workers, and leaves the sets in one
//! write when it is finished. One that finds no room is put into `waiting`, on the condition that there still is none: so whoever
//! makes room after that finds it there.
//!
//! They are sets and no counters, because adding or removing an id twice changes nothing, and a counter that is changed twice
//! stays wrong. `docs/adr/0004-unfinished-exports-are-a-set.md` says more.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::time::Duration;

use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue, TransactWriteItem, Update};

use super::{Exports, attribute_s};
use crate::dynamo::{Item, batch_get, condition_failed, number, text};
use crate::error::AwsError;
use crate::export::{DataExport, State};

/// How often a write is tried that meets a transaction of `create` on the same item. With the pauses in between that is about three
/// seconds. The SDK does not repeat it by itself.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html#transaction-conflict-handling>
const MAX_CONFLICTS: u32 = 7;

/// How often an export is tried to be let run or wait, while others start and finish at the same time.
const MAX_STARTS: u32 = 3;

/// An organization's unfinished exports, by their ids.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ActiveExports {
    /// All of them.
    pub unfinished: BTreeSet<String>,
    /// Those that may be claimed by a worker.
    pub running: BTreeSet<String>,
    /// Those whose message came when there was no room. It is sent again when there is.
    pub waiting: BTreeSet<String>,
}

impl ActiveExports {
    fn read(item: &Item) -> Self {
        let set = |name: &str| match item.get(name) {
            Some(AttributeValue::Ss(ids)) => ids.iter().cloned().collect(),
            _ => BTreeSet::new(),
        };
        Self { unfinished: set("unfinished"), running: set("running"), waiting: set("waiting") }
    }

    /// The exports that wait and for which there is room, the oldest first.
    ///
    /// ```
    /// use usage_export::export::store::active::ActiveExports;
    /// let ids = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect();
    /// let (running, waiting) = (ids(&["2"]), ids(&["1", "3", "4"]));
    /// let active = ActiveExports { unfinished: ids(&["1", "2", "3", "4"]), running, waiting };
    /// assert_eq!(active.next(3).collect::<Vec<_>>(), ["1", "3"]);
    /// ```
    pub fn next(&self, max_running: u32) -> impl Iterator<Item = &str> {
        let max_running = usize::try_from(max_running).unwrap_or(usize::MAX);
        let room = max_running.saturating_sub(self.running.len());
        // Ids sort by age.
        self.waiting.iter().take(room).map(String::as_str)
    }
}

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

    /// Lets an unfinished export run, if fewer than `max_running` of its organization do, or it does already. False if it has to
    /// wait: whoever makes room finds it among those that wait.
    ///
    /// # Errors
    ///
    /// A call failed; the export may run, or wait.
    pub async fn start(&self, export: &DataExport, max_running: u32) -> Result<bool, AwsError> {
        for _ in 0..MAX_STARTS {
            if self.add_to_running(export, max_running).await? {
                return Ok(true);
            }
            let ActiveExports { unfinished, running, .. } = self.active(&export.organization_id).await?;
            let id = &export.data_export_id;
            if !unfinished.contains(id) {
                // It is finished by now, and its claim will say so. If it should not be, nobody would ever find it among those that
                // wait, so it runs beside the others.
                tracing::warn!(data_export_id = id, "export {id} is not among the active exports");
                return Ok(true);
            }
            // A worker that died right after its last step has left its export in the sets.
            self.release_finished(&export.organization_id, running).await?;
            if self.add_to_waiting(export, max_running).await? {
                return Ok(false);
            }
            // There is room by now.
        }
        Ok(false)
    }

    async fn add_to_running(&self, export: &DataExport, max_running: u32) -> Result<bool, AwsError> {
        let id = &export.data_export_id;
        let update = self
            .update_active(&export.organization_id)
            .update_expression("ADD running :ids DELETE waiting :ids")
            // A repetition that arrives after the export was finished must not bring it back.
            .condition_expression(
                "contains(unfinished, :id) AND (contains(running, :id) OR attribute_not_exists(running) OR size(running) < :max)",
            )
            .expression_attribute_values(":ids", AttributeValue::Ss(vec![id.clone()]))
            .expression_attribute_values(":id", text(id))
            .expression_attribute_values(":max", number(max_running));
        Ok(without_conflict(update).await?.is_some())
    }

    async fn add_to_waiting(&self, export: &DataExport, max_running: u32) -> Result<bool, AwsError> {
        let id = &export.data_export_id;
        let update = self
            .update_active(&export.organization_id)
            .update_expression("ADD waiting :ids")
            .condition_expression(
                "contains(unfinished, :id) AND NOT contains(running, :id) AND size(running) >= :max",
            )
            .expression_attribute_values(":ids", AttributeValue::Ss(vec![id.clone()]))
            .expression_attribute_values(":id", text(id))
            .expression_attribute_values(":max", number(max_running));
        Ok(without_conflict(update).await?.is_some())
    }

    /// Releases the slots of exports that are finished or gone. A worker that died right after its last step has not released its
    /// slot.
    pub(super) async fn release_finished_slots(&self, organization_id: &str) -> Result<(), AwsError> {
        let ActiveExports { mut unfinished, running, waiting } = self.active(organization_id).await?;
        unfinished.extend(running.into_iter().chain(waiting));
        self.release_finished(organization_id, unfinished).await.map(|_| ())
    }

    /// How many exports of the organization run.
    ///
    /// # Errors
    ///
    /// They could not be read.
    pub async fn count_running(&self, organization_id: &str) -> Result<usize, AwsError> {
        Ok(self.active(organization_id).await?.running.len())
    }

    async fn active(&self, organization_id: &str) -> Result<ActiveExports, AwsError> {
        let item = self.get_item(&active_key(organization_id)).await?;
        Ok(item.as_ref().map(ActiveExports::read).unwrap_or_default())
    }

    /// Releases the slots of those of these exports that are finished or gone. Returns the active exports as they are after that;
    /// `None` if there is nothing to release.
    async fn release_finished(
        &self,
        organization_id: &str,
        ids: BTreeSet<String>,
    ) -> Result<Option<ActiveExports>, AwsError> {
        let keys = ids.iter().map(|id| HashMap::from([("data_export_id".to_owned(), text(id))])).collect();
        let records = batch_get(&self.client, &self.table, keys, true).await?;
        let unfinished: HashSet<_> = records
            .iter()
            .filter(|record| {
                let state = attribute_s(record, "state");
                [State::Completed, State::Failed].iter().all(|end| state != Some(end.name()))
            })
            .filter_map(|record| attribute_s(record, "data_export_id"))
            .collect();
        let finished: Vec<_> = ids.into_iter().filter(|id| !unfinished.contains(id.as_str())).collect();
        if finished.is_empty() {
            return Ok(None);
        }
        self.release_slots(organization_id, finished).await.map(Some)
    }

    /// Releases the slot of a finished export, and returns the active exports as they are after that. Repeating it changes nothing.
    ///
    /// # Errors
    ///
    /// The update failed; the slot may be released.
    pub async fn release_slot(&self, export: &DataExport) -> Result<ActiveExports, AwsError> {
        self.release_slots(&export.organization_id, vec![export.data_export_id.clone()]).await
    }

    async fn release_slots(
        &self,
        organization_id: &str,
        data_export_ids: Vec<String>,
    ) -> Result<ActiveExports, AwsError> {
        let update = self
            .update_active(organization_id)
            .update_expression("DELETE unfinished :ids, running :ids, waiting :ids")
            .expression_attribute_values(":ids", AttributeValue::Ss(data_export_ids))
            .return_values(ReturnValue::AllNew);
        Ok(ActiveExports::read(&without_conflict(update).await?.unwrap_or_default()))
    }

    fn update_active(&self, organization_id: &str) -> UpdateItemFluentBuilder {
        self.client
            .update_item()
            .table_name(&self.table)
            .key("data_export_id", text(active_key(organization_id)))
    }
}

/// Makes an update, again if a transaction on the same item is in its way, and returns the item as it was asked for. `None` if its
/// condition does not hold.
async fn without_conflict(update: UpdateItemFluentBuilder) -> Result<Option<Item>, AwsError> {
    let mut tries = 0;
    loop {
        let error = match update.clone().send().await {
            Ok(output) => return Ok(Some(output.attributes.unwrap_or_default())),
            Err(error) if condition_failed(&error) => return Ok(None),
            Err(error) => error,
        };
        tries += 1;
        let conflict =
            error.as_service_error().is_some_and(UpdateItemError::is_transaction_conflict_exception);
        if !conflict || tries == MAX_CONFLICTS {
            return Err(AwsError::from_sdk("dynamodb:UpdateItem")(error));
        }
        tokio::time::sleep(Duration::from_millis(25 << tries)).await;
    }
}

fn active_key(organization_id: &str) -> String {
    format!("ACTIVE#{organization_id}")
}

#[cfg(test)]
mod tests;
