//! The table of exports. This module reads and lists; each module below it is one way in which exports change.
//!
//! | module           | what it changes                                                     |
//! | ---------------- | ------------------------------------------------------------------- |
//! | [`create`]       | makes an export with its idempotency record and slot                |
//! | [`cancel`]       | cancels an export                                                   |
//! | [`request`]      | keeps the ids that a request names                                  |
//! | [`idempotency`]  | makes a repeated request return the first request's export          |
//! | [`active`]       | the slots of an organization's exports, and which of them run       |
//! | [`wait`]         | an export waits until others of its organization are finished       |
//! | [`lease`]        | a worker claims an export and saves its progress                    |
//! | [`finish`]       | a worker completes or fails an export                               |
//! | [`reconcile`]    | the reconciler finds exports that nobody works on and gives them up |
//! | [`segments`]     | a worker splits an export, and reads a segment of it                |
//! | [`notification`] | a worker claims the email that tells the outcome                    |
//! | [`read_units`]   | workers take read units, of which a second has so many              |

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;

use super::{DataExport, created_ts_of_id};
use crate::auth::Caller;
use crate::config::Sharing;
use crate::dynamo::{Item, can_exist, text};
use crate::error::AwsError;
use crate::problem::{RequestError, refusal};
use crate::timestamp;

pub mod active;
pub mod cancel;
pub mod create;
pub mod finish;
pub mod idempotency;
pub mod lease;
pub mod notification;
pub mod read_units;
pub mod reconcile;
pub mod request;
pub mod segments;
pub mod wait;

/// How many exports one page of the history has.
const PAGE_SIZE: i32 = 20;

/// The table of exports in DynamoDB.
#[derive(Debug, Clone)]
pub struct Exports {
    client: Client,
    table: String,
}

impl Exports {
    /// Uses the table of that name. It makes no call.
    pub fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }

    /// Reads an export with a consistent read. `None` if there is no such export, also for a text that is not the id of an
    /// export.
    ///
    /// # Errors
    ///
    /// The read failed, or the record cannot be read.
    pub async fn get(&self, data_export_id: &str) -> Result<Option<DataExport>, AwsError> {
        // Other items share the table: only an export's id may reach it.
        if created_ts_of_id(data_export_id).is_none() {
            return Ok(None);
        }
        self.get_item(data_export_id).await?.map(read_export).transpose()
    }

    /// Reads an export and makes sure that the caller is its owner.
    ///
    /// # Errors
    ///
    /// 404 if there is no such export, 403 if it is another user's or was made in another organization. An internal error
    /// if the table cannot be read.
    pub async fn get_owned_by(
        &self,
        caller: &Caller,
        data_export_id: &str,
    ) -> Result<DataExport, RequestError> {
        self.get_shared_with(caller, data_export_id, Sharing::default()).await
    }

    /// Reads an export and makes sure that the caller may have its file: as its owner, or as another administrator of the
    /// organization where they share their files.
    ///
    /// # Errors
    ///
    /// As for [`Exports::get_owned_by`].
    pub async fn get_shared_with(
        &self,
        caller: &Caller,
        data_export_id: &str,
        sharing: Sharing,
    ) -> Result<DataExport, RequestError> {
        let Some(export) = self.get(data_export_id).await? else {
            return Err(refusal::no_export().into());
        };
        if !export.may_be_downloaded_by(caller, sharing) {
            return Err(refusal::export_of_another_user().into());
        }
        Ok(export)
    }

    /// Reads an export of the caller's organization, whoever asked for it.
    ///
    /// # Errors
    ///
    /// 404 if there is no such export in the organization: of another one's it is not told whether there is. An internal
    /// error if the table cannot be read.
    pub async fn get_of_organization(
        &self,
        caller: &Caller,
        data_export_id: &str,
    ) -> Result<DataExport, RequestError> {
        let export = self.get(data_export_id).await?;
        let export = export.filter(|export| export.organization_id == caller.organization_id);
        export.ok_or_else(|| refusal::no_export().into())
    }

    async fn get_item(&self, key: &str) -> Result<Option<Item>, AwsError> {
        if !can_exist(key, "") {
            return Ok(None);
        }
        let output = self
            .client
            .get_item()
            .table_name(&self.table)
            .key("data_export_id", text(key))
            .consistent_read(true)
            .send()
            .await
            .map_err(AwsError::from_sdk("dynamodb:GetItem"))?;
        Ok(output.item)
    }

    /// Reads one page of the user's exports in this organization, newest first, and the cursor of the next page.
    ///
    /// The cursor is the id of the last export on the page; its creation time is inside it. `None` as a result means that
    /// this page is the last. A page has at most 20 exports and may have fewer although others follow, because exports of
    /// the user in other organizations are left out. A new export may be missing for a moment: the index is eventually
    /// consistent.
    ///
    /// # Errors
    ///
    /// The read failed.
    pub async fn history(
        &self,
        organization_id: &str,
        user_id: &str,
        after: Option<&str>,
    ) -> Result<(Vec<DataExport>, Option<String>), AwsError> {
        let query = self
            .history_query("by_user", ("user_id", user_id), after)
            .filter_expression("organization_id = :organization")
            .expression_attribute_values(":organization", text(organization_id));
        history_page(query).await
    }

    /// Reads one page of all exports of an organization, whoever asked for them. Otherwise as [`Exports::history`].
    ///
    /// # Errors
    ///
    /// The read failed.
    pub async fn history_of_organization(
        &self,
        organization_id: &str,
        after: Option<&str>,
    ) -> Result<(Vec<DataExport>, Option<String>), AwsError> {
        history_page(self.history_query("by_organization", ("organization_id", organization_id), after)).await
    }

    /// A query of an index whose partition key has this name and value, for the page after a cursor.
    fn history_query(&self, index: &str, key: (&str, &str), after: Option<&str>) -> QueryFluentBuilder {
        let (name, value) = key;
        let start = after.and_then(|id| {
            let created_ts = created_ts_of_id(id)?;
            Some(HashMap::from([
                ("data_export_id".to_owned(), text(id)),
                (name.to_owned(), text(value)),
                ("created_ts".to_owned(), text(timestamp::to_text(created_ts))),
            ]))
        });
        self.client
            .query()
            .table_name(&self.table)
            .index_name(index)
            .key_condition_expression(format!("{name} = :key"))
            .expression_attribute_values(":key", text(value))
            .scan_index_forward(false)
            .limit(PAGE_SIZE)
            .set_exclusive_start_key(start)
    }
}

/// The exports that a query finds, and the cursor of those that follow. One that cannot be read is left out: it must not hide
/// the others.
async fn history_page(query: QueryFluentBuilder) -> Result<(Vec<DataExport>, Option<String>), AwsError> {
    let output = query.send().await.map_err(AwsError::from_sdk("dynamodb:Query"))?;
    let next =
        output.last_evaluated_key().and_then(|key| attribute_s(key, "data_export_id")).map(str::to_owned);
    let read = output.items.unwrap_or_default().into_iter().map(read_export);
    let told = |error: &AwsError| tracing::warn!(%error, "an export is left out of a history: {error}");
    Ok((read.filter_map(|export| export.inspect_err(told).ok()).collect(), next))
}

fn read_export(item: Item) -> Result<DataExport, AwsError> {
    let id = attribute_s(&item, "data_export_id").unwrap_or("an export").to_owned();
    serde_dynamo::aws_sdk_dynamodb_1::from_item(item).map_err(|error| AwsError::unreadable(id, &error))
}

fn attribute_s<'a>(item: &'a Item, name: &str) -> Option<&'a str> {
    item.get(name)?.as_s().ok().map(String::as_str)
}

fn attribute_n(item: &Item, name: &str) -> Option<i64> {
    item.get(name)?.as_n().ok()?.parse().ok()
}
