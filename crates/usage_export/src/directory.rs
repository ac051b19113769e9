//! The directory: organizations, members, workspaces, workbooks. Read only but for [`saved_export`]; [`crate::auth`] reads API
//! keys from the same table, and writes sessions to it. `docs/data.md` has the table.
//!
//! A deleted member, workspace or workbook stays as a record with `deleted_ts` and its last name, so that an export of the
//! past can still name it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::dynamo::{Item, batch_get, can_exist, text};
use crate::error::AwsError;
use crate::timestamp;

pub mod saved_export;
mod workspace;

pub use workspace::{Workspace, WorkspaceKind};

/// The tier whose organizations may export usage data.
pub const ENTERPRISE_TIER: &str = "enterprise";

/// The directory's table in DynamoDB.
#[derive(Debug, Clone)]
pub struct Directory {
    pub(crate) client: Client,
    pub(crate) table: String,
}

/// A customer: the owner of workspaces, members and usage records.
#[derive(Debug, Clone, Deserialize)]
pub struct Organization {
    /// The organization's name; empty if none is recorded.
    #[serde(default)]
    pub name: String,
    /// What the organization has subscribed to. Only [`ENTERPRISE_TIER`] may export.
    pub tier: String,
}

/// A user in an organization, also one who has left it.
#[derive(Debug, Clone, Deserialize)]
pub struct Member {
    /// The user's last known email address. It is personal data: never log it.
    pub email: String,
    /// What the member may do.
    pub role: Role,
    /// When the member left; absent while they belong to the organization.
    #[serde(default, with = "timestamp::serde_text_option")]
    pub deleted_ts: Option<DateTime<Utc>>,
}

/// What a member may do in their organization.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Administers the organization, and may export its usage data.
    Admin,
    /// Any other role of the directory.
    #[serde(other)]
    Member,
}

/// What is run, also one that was deleted.
#[derive(Debug, Clone, Deserialize)]
pub struct Workbook {
    /// The organization that it belongs to; empty if none is recorded, and then nobody sees its name.
    #[serde(default)]
    pub organization_id: String,
    /// The workbook's last known name.
    pub name: String,
    /// When the workbook was created, as the text that is recorded; absent if that is not known.
    #[serde(default)]
    pub created_ts: Option<String>,
}

impl Directory {
    /// Uses the table of that name. It makes no call.
    pub fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }

    /// Reads an organization; `None` if it does not exist.
    ///
    /// # Errors
    ///
    /// The read failed, or the record cannot be read.
    pub async fn organization(&self, organization_id: &str) -> Result<Option<Organization>, AwsError> {
        self.get(organization_key(organization_id), "ORG".to_owned()).await
    }

    /// Reads a member of an organization, also one who has left; `None` for a user who was never a member.
    ///
    /// # Errors
    ///
    /// The read failed, or the record cannot be read.
    pub async fn member(&self, organization_id: &str, user_id: &str) -> Result<Option<Member>, AwsError> {
        self.get(organization_key(organization_id), format!("MEMBER#{user_id}")).await
    }

    /// Reads the item with this key.
    pub(crate) async fn get<T: DeserializeOwned>(
        &self,
        pk: String,
        sk: String,
    ) -> Result<Option<T>, AwsError> {
        if !can_exist(&pk, &sk) {
            return Ok(None);
        }
        let output = self
            .client
            .get_item()
            .table_name(&self.table)
            .key("PK", text(&pk))
            .key("SK", text(&sk))
            // A key that was just revoked must not be accepted, and a session that was just started must be.
            .consistent_read(true)
            .send()
            .await
            .map_err(AwsError::from_sdk("dynamodb:GetItem"))?;
        output.item.map(|item| read(item, &sk)).transpose()
    }

    /// Reads those of the given workspaces that belong to the organization, deleted ones too, and returns them by id.
    ///
    /// # Errors
    ///
    /// A read failed, or a record cannot be read.
    pub async fn workspaces_of(
        &self,
        organization_id: &str,
        workspace_ids: &BTreeSet<String>,
    ) -> Result<BTreeMap<String, Workspace>, AwsError> {
        let pk = organization_key(organization_id);
        let keys = workspace_ids.iter().map(|id| (pk.clone(), format!("WORKSPACE#{id}")));
        self.read_many(keys, |key| key.sk.strip_prefix("WORKSPACE#")).await
    }

    /// Reads every workspace of the organization, deleted ones too, and returns them by id.
    ///
    /// # Errors
    ///
    /// A read failed, or a record cannot be read.
    pub async fn all_workspaces(
        &self,
        organization_id: &str,
    ) -> Result<BTreeMap<String, Workspace>, AwsError> {
        let mut pages = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("PK = :pk AND begins_with(SK, :workspace)")
            .expression_attribute_values(":pk", text(organization_key(organization_id)))
            .expression_attribute_values(":workspace", text("WORKSPACE#"))
            .consistent_read(true)
            .into_paginator()
            .items()
            .send();
        let mut workspaces = BTreeMap::new();
        while let Some(item) = pages.next().await {
            let item = item.map_err(AwsError::from_sdk("dynamodb:Query"))?;
            let key = Key::of(&item)?;
            let id = key.sk.trim_start_matches("WORKSPACE#").to_owned();
            workspaces.insert(id, read(item, &key.sk)?);
        }
        Ok(workspaces)
    }

    /// Reads those of the given workbooks that belong to the organization, deleted ones too, and returns them by id. A record
    /// that names the workbook of another organization does not learn its name.
    ///
    /// # Errors
    ///
    /// A read failed, or a record cannot be read.
    pub async fn workbooks_of(
        &self,
        organization_id: &str,
        workbook_ids: impl IntoIterator<Item = &str>,
    ) -> Result<BTreeMap<String, Workbook>, AwsError> {
        let keys = workbook_ids.into_iter().map(|id| (format!("WORKBOOK#{id}"), "WORKBOOK".to_owned()));
        let mut workbooks: BTreeMap<_, Workbook> =
            self.read_many(keys, |key| key.pk.strip_prefix("WORKBOOK#")).await?;
        workbooks.retain(|_, workbook| workbook.organization_id == organization_id);
        Ok(workbooks)
    }

    /// Reads the members with these user ids, also those who have left, and returns by user id those that are known.
    ///
    /// # Errors
    ///
    /// A read failed, or a record cannot be read.
    pub async fn members(
        &self,
        organization_id: &str,
        user_ids: impl IntoIterator<Item = &str>,
    ) -> Result<BTreeMap<String, Member>, AwsError> {
        let pk = organization_key(organization_id);
        let keys = user_ids.into_iter().map(|id| (pk.clone(), format!("MEMBER#{id}")));
        self.read_many(keys, |key| key.sk.strip_prefix("MEMBER#")).await
    }

    async fn read_many<T: DeserializeOwned>(
        &self,
        keys: impl Iterator<Item = (String, String)>,
        id_of: impl Fn(&Key) -> Option<&str>,
    ) -> Result<BTreeMap<String, T>, AwsError> {
        let keys = keys
            .filter(|(pk, sk)| can_exist(pk, sk))
            .map(|(pk, sk)| HashMap::from([("PK".to_owned(), text(pk)), ("SK".to_owned(), text(sk))]))
            .collect();
        let mut found = BTreeMap::new();
        for item in batch_get(&self.client, &self.table, keys, false).await? {
            let key = Key::of(&item)?;
            if let Some(id) = id_of(&key) {
                found.insert(id.to_owned(), read(item, &format!("directory item {} {}", key.pk, key.sk))?);
            }
        }
        Ok(found)
    }
}

/// The key of an item of the directory.
struct Key {
    pk: String,
    sk: String,
}

impl Key {
    fn of(item: &Item) -> Result<Self, AwsError> {
        let part = |name| match item.get(name) {
            Some(AttributeValue::S(part)) => Ok(part.clone()),
            _ => Err(AwsError::corrupt("directory item", format!("no {name}"))),
        };
        Ok(Self { pk: part("PK")?, sk: part("SK")? })
    }
}

fn read<T: DeserializeOwned>(item: Item, sk: &str) -> Result<T, AwsError> {
    serde_dynamo::aws_sdk_dynamodb_1::from_item(item).map_err(|error| AwsError::unreadable(sk, &error))
}

fn organization_key(organization_id: &str) -> String {
    format!("ORG#{organization_id}")
}
