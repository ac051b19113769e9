//! The directory: organizations, members, workspaces, workbooks. Read only; [`crate::auth`] reads API keys from the
//! same table, and writes sessions to it. `docs/data.md` has the table.
//!
//! What is deleted stays as a tombstone with its last name, so that an export of the past can still name it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::dynamo::{Item, batch_get, text};
use crate::error::AwsError;
use crate::timestamp;

/// The tier whose organizations may export.
pub const ENTERPRISE_TIER: &str = "enterprise";

/// The directory table.
#[derive(Debug, Clone)]
pub struct Directory {
    pub(crate) client: Client,
    pub(crate) table: String,
}

/// An organization.
#[derive(Debug, Clone, Deserialize)]
pub struct Organization {
    /// What people call it.
    #[serde(default)]
    pub name: String,
    /// What it pays for; [`ENTERPRISE_TIER`] may export.
    pub tier: String,
}

/// A member of an organization, present or past.
#[derive(Debug, Clone, Deserialize)]
pub struct Member {
    /// Last known email address. Personal data: not for logs.
    pub email: String,
    /// What they may do.
    pub role: Role,
    /// Set once they left.
    #[serde(default, with = "timestamp::serde_text_option")]
    pub deleted_ts: Option<DateTime<Utc>>,
}

/// What a member may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Administers the organization; may export.
    Admin,
    /// Anybody else, whatever the directory calls it.
    #[serde(other)]
    Member,
}

/// A workspace, present or deleted.
#[derive(Debug, Clone, Deserialize)]
pub struct Workspace {
    /// Last known name.
    pub name: String,
    /// Whose it is.
    pub kind: WorkspaceKind,
    /// Set once it was deleted.
    #[serde(default, with = "timestamp::serde_text_option")]
    pub deleted_ts: Option<DateTime<Utc>>,
}

/// Whether a workspace is the organization's or one member's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WorkspaceKind {
    /// Shared within the organization.
    Organization,
    /// One member's own.
    Personal,
}

/// A workbook, present or deleted.
#[derive(Debug, Clone, Deserialize)]
pub struct Workbook {
    /// Last known name.
    pub name: String,
    /// When it was made, as recorded; absent if that is not known.
    #[serde(default)]
    pub created_ts: Option<String>,
}

impl Directory {
    /// The table of that name.
    pub fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }

    /// An organization.
    pub async fn organization(&self, organization_id: &str) -> Result<Option<Organization>, AwsError> {
        self.get(organization_key(organization_id), "ORG".to_owned()).await
    }

    /// A member of an organization; also one who left.
    pub async fn member(&self, organization_id: &str, user_id: &str) -> Result<Option<Member>, AwsError> {
        self.get(organization_key(organization_id), format!("MEMBER#{user_id}")).await
    }

    /// The item with this key.
    pub(crate) async fn get<T: DeserializeOwned>(
        &self,
        pk: String,
        sk: String,
    ) -> Result<Option<T>, AwsError> {
        let output = self
            .client
            .get_item()
            .table_name(&self.table)
            .key("PK", text(&pk))
            .key("SK", text(&sk))
            // What was revoked a moment ago opens nothing; a session that was just started does.
            .consistent_read(true)
            .send()
            .await
            .map_err(AwsError::from_sdk("dynamodb:GetItem"))?;
        output.item.map(|item| read(item, &sk)).transpose()
    }

    /// Those of the given workspaces that are in the organization, by id. A workspace that was deleted is among them.
    pub async fn workspaces_of(
        &self,
        organization_id: &str,
        workspace_ids: &BTreeSet<String>,
    ) -> Result<BTreeMap<String, Workspace>, AwsError> {
        let pk = organization_key(organization_id);
        let keys = workspace_ids.iter().map(|id| (pk.clone(), format!("WORKSPACE#{id}")));
        self.read_many(keys, |key| key.sk.strip_prefix("WORKSPACE#")).await
    }

    /// Every workspace of the organization, by id, the deleted ones too.
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

    /// The workbooks with these ids, where they are known.
    pub async fn workbooks(
        &self,
        workbook_ids: impl IntoIterator<Item = &str>,
    ) -> Result<BTreeMap<String, Workbook>, AwsError> {
        let keys = workbook_ids.into_iter().map(|id| (format!("WORKBOOK#{id}"), "WORKBOOK".to_owned()));
        self.read_many(keys, |key| key.pk.strip_prefix("WORKBOOK#")).await
    }

    /// The members with these ids, where they are known; those who left too.
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
            .map(|(pk, sk)| HashMap::from([("PK".to_owned(), text(pk)), ("SK".to_owned(), text(sk))]))
            .collect();
        let mut found = BTreeMap::new();
        for item in batch_get(&self.client, &self.table, keys, false).await? {
            let key = Key::of(&item)?;
            if let Some(id) = id_of(&key) {
                found.insert(id.to_owned(), read(item, &key.sk)?);
            }
        }
        Ok(found)
    }
}

/// An item's key.
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
