//! The keys in the directory's table: `docs/data.md` has their attributes.

use std::collections::HashMap;

use anyhow::{Context, Result, bail, ensure};
use aws_config::SdkConfig;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use chrono::{DateTime, Utc};
use usage_export::auth::api_key::{KEY_PREFIX, new_secret, sha256};
use usage_export::directory::{Directory, Role};
use usage_export::dynamo::{Item, text};
use usage_export::timestamp;

use super::SHOWN_DIGITS;

/// The table with the keys.
pub struct Keys {
    client: Client,
    table: String,
    directory: Directory,
}

/// A key that is to be made.
pub struct NewKey {
    pub organization_id: String,
    /// Whose personal key it is; absent for an organization's.
    pub user_id: Option<String>,
    pub label: Option<String>,
    pub expires: Option<DateTime<Utc>>,
}

/// A key that was just made.
pub struct CreatedKey {
    pub secret: String,
    /// As lists name it.
    pub name: String,
}

/// A key as the table has it: everything but the key.
pub struct StoredKey {
    sha256: String,
    organization_id: String,
    pub user_id: Option<String>,
    pub label: Option<String>,
    pub created: Option<DateTime<Utc>>,
    expires: Option<DateTime<Utc>>,
    revoked: Option<DateTime<Utc>>,
}

impl StoredKey {
    fn read(item: &Item) -> Result<Self> {
        let attribute = |name: &str| item.get(name).and_then(|value| value.as_s().ok()).cloned();
        let time = |name: &str| attribute(name).as_deref().and_then(timestamp::from_text);
        let sha256 = attribute("PK").and_then(|pk| pk.strip_prefix(KEY_PREFIX).map(str::to_owned));
        Ok(Self {
            sha256: sha256.context("a key has no SHA-256")?,
            organization_id: attribute("organization_id").context("a key has no organization_id")?,
            user_id: attribute("user_id"),
            label: attribute("label"),
            created: time("created_ts"),
            expires: time("expires_ts"),
            revoked: time("revoked_ts"),
        })
    }

    /// How lists and messages name it.
    pub fn name(&self) -> String {
        shown(&self.sha256)
    }

    pub fn is_valid(&self, now: DateTime<Utc>) -> bool {
        self.revoked.is_none() && self.expires.is_none_or(|expires| now < expires)
    }

    /// Its state in words.
    pub fn state(&self, now: DateTime<Utc>) -> String {
        match (self.revoked, self.expires) {
            (Some(revoked), _) => format!("revoked {}", revoked.format("%Y-%m-%d")),
            (None, Some(expires)) if expires <= now => format!("expired {}", expires.format("%Y-%m-%d")),
            (None, Some(expires)) => format!("until {}", expires.format("%Y-%m-%d")),
            (None, None) => "valid".to_owned(),
        }
    }

    /// A key for the same, valid as long from now on as this one was from its beginning.
    pub fn successor(&self, now: DateTime<Utc>) -> NewKey {
        let life = self.expires.map(|expires| expires - self.created.unwrap_or(now));
        NewKey {
            organization_id: self.organization_id.clone(),
            user_id: self.user_id.clone(),
            label: self.label.clone(),
            expires: life.map(|life| now + life),
        }
    }
}

impl Keys {
    pub fn new(sdk: &SdkConfig, table: String) -> Self {
        let client = Client::new(sdk);
        Self { directory: Directory::new(client.clone(), table.clone()), client, table }
    }

    /// Makes sure that there are the organization and the user of a key. Returns a warning if requests with the key will be
    /// refused all the same.
    ///
    /// # Errors
    ///
    /// Fails if one of them is not in the directory.
    pub async fn check_owner(&self, key: &NewKey) -> Result<Option<String>> {
        let organization_id = &key.organization_id;
        let organization = self.directory.organization(organization_id).await?;
        ensure!(organization.is_some(), "the directory has no organization {organization_id}");
        let Some(user_id) = &key.user_id else { return Ok(None) };
        let member = self.directory.member(organization_id, user_id).await?;
        let member = member.filter(|member| member.deleted_ts.is_none());
        let member = member.with_context(|| format!("{organization_id} has no member {user_id}"))?;
        Ok((member.role != Role::Admin).then(|| {
            format!(
                "{user_id} is no administrator, so requests with this key are refused until they are one."
            )
        }))
    }

    /// Makes a key. Only its SHA-256 is stored.
    ///
    /// # Errors
    ///
    /// Fails if the table cannot be written.
    pub async fn create(&self, key: &NewKey, now: DateTime<Utc>) -> Result<CreatedKey> {
        let secret = new_secret()?;
        let sha256 = sha256(&secret);
        let kind = if key.user_id.is_some() { "personal" } else { "organization" };
        let optional = [
            ("user_id", key.user_id.clone()),
            ("label", key.label.clone().filter(|label| !label.is_empty())),
            ("expires_ts", key.expires.map(timestamp::to_text)),
        ];
        let optional = optional.into_iter().filter_map(|(name, value)| Some((name.to_owned(), text(value?))));
        let mut item: HashMap<_, _> = [
            ("PK", format!("{KEY_PREFIX}{sha256}")),
            ("SK", "KEY".to_owned()),
            ("kind", kind.to_owned()),
            ("organization_id", key.organization_id.clone()),
            ("created_ts", timestamp::to_text(now)),
        ]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), text(value)))
        .collect();
        item.extend(optional);
        let put = self.client.put_item().table_name(&self.table).set_item(Some(item));
        put.condition_expression("attribute_not_exists(PK)")
            .send()
            .await
            .context("the key was not stored")?;
        Ok(CreatedKey { name: shown(&sha256), secret })
    }

    /// The keys of an organization. No index has them, and keys are made rarely: this reads the whole table.
    ///
    /// # Errors
    ///
    /// Fails if the table cannot be read.
    pub async fn of_organization(&self, organization_id: &str) -> Result<Vec<StoredKey>> {
        self.scan(KEY_PREFIX, Some(organization_id)).await
    }

    /// The key whose SHA-256 begins like this.
    ///
    /// # Errors
    ///
    /// Fails if there is none, or more than one.
    pub async fn find(&self, name: &str) -> Result<StoredKey> {
        let is_name = name.len() >= 8 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
        ensure!(
            is_name,
            "name a key by 8 or more digits of its SHA-256, as `list` shows them, and never by the key itself"
        );
        let mut found = self.scan(&format!("{KEY_PREFIX}{}", name.to_lowercase()), None).await?;
        match found.len() {
            0 => bail!("there is no key {name}"),
            1 => Ok(found.remove(0)),
            count => bail!("{count} keys begin with {name}: give more digits"),
        }
    }

    /// Makes a key invalid from now on.
    ///
    /// # Errors
    ///
    /// Fails if it is revoked already, or the table cannot be written.
    pub async fn revoke(&self, key: &StoredKey, now: DateTime<Utc>) -> Result<()> {
        ensure!(key.revoked.is_none(), "{} is {} already", key.name(), key.state(now));
        self.set(key, "revoked_ts", now).await
    }

    /// Makes a key invalid from then on, if it is not so before. Returns when that is, in words.
    ///
    /// # Errors
    ///
    /// Fails if the table cannot be written.
    pub async fn expire(&self, key: &StoredKey, then: DateTime<Utc>) -> Result<String> {
        let then = key.expires.unwrap_or(then).min(then);
        self.set(key, "expires_ts", then).await?;
        Ok(then.format("%Y-%m-%d %H:%M UTC").to_string())
    }

    async fn set(&self, key: &StoredKey, name: &str, time: DateTime<Utc>) -> Result<()> {
        self.client
            .update_item()
            .table_name(&self.table)
            .key("PK", text(format!("{KEY_PREFIX}{}", key.sha256)))
            .key("SK", text("KEY"))
            .update_expression("SET #name = :time")
            .condition_expression("attribute_exists(PK)")
            .expression_attribute_names("#name", name)
            .expression_attribute_values(":time", text(timestamp::to_text(time)))
            .send()
            .await
            .with_context(|| format!("{} was not changed", key.name()))?;
        Ok(())
    }

    /// The keys whose partition key begins like this.
    async fn scan(&self, prefix: &str, organization_id: Option<&str>) -> Result<Vec<StoredKey>> {
        let of_organization =
            organization_id.map(|_| " AND organization_id = :organization").unwrap_or_default();
        let organization = organization_id.map(|id| (":organization".to_owned(), text(id)));
        let mut values = HashMap::from([(":prefix".to_owned(), AttributeValue::S(prefix.to_owned()))]);
        values.extend(organization);
        let pages = self
            .client
            .scan()
            .table_name(&self.table)
            .filter_expression(format!("begins_with(PK, :prefix){of_organization}"))
            .set_expression_attribute_values(Some(values))
            .consistent_read(true)
            .into_paginator()
            .items()
            .send();
        let items = pages.try_collect().await.context("the directory cannot be read")?;
        items.iter().map(StoredKey::read).collect()
    }
}

fn shown(sha256: &str) -> String {
    sha256.chars().take(SHOWN_DIGITS).collect()
}
