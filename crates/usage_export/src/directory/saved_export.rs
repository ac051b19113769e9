//! Exports that an organization has saved under a name, to run them again.
//!
//! Their items have a partition key of their own, so that whoever may write them can write no member and no key.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{AttributeValue, Put, Select, TransactWriteItem};
use chrono::{DateTime, Utc};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::Directory;
use crate::dynamo::{Item, cancellation_codes, text};
use crate::error::AwsError;
use crate::problem::{FieldError, Problem, RequestError};
use crate::timestamp;

/// The longest name, in characters.
pub const MAX_NAME_CHARS: usize = 80;

/// How many an organization may have. Saving counts first and writes then, so those that are saved at the same moment may
/// exceed it by as many as they are, which is harmless.
pub const MAX_SAVED: i32 = 100;

/// The largest form, in bytes. DynamoDB takes items of 400 KB; a form that names 5,000 workspaces has some 200 KB.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html>
pub const MAX_FORM_BYTES: usize = 300 * 1024;

/// How many bytes of the SHA-256 of a name are its id.
const ID_BYTES: usize = 16;

/// What the sort key of a saved export begins with, before its id.
const SAVED: &str = "SAVED#";

/// What the sort key of its form begins with. It is an item of its own, because it may be large and the list does without it.
const FORM: &str = "FORM#";

/// The form of a saved export, as the page wrote it.
#[derive(Serialize, Deserialize)]
struct Form {
    form: String,
}

/// A saved export without its form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedExport {
    /// Its id within the organization. It follows from the name, so two of the same name cannot be.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What it exports, in words.
    pub about: String,
    /// The user who saved it.
    pub created_by: String,
    /// When it was saved.
    #[serde(with = "timestamp::serde_text")]
    pub created_ts: DateTime<Utc>,
}

impl SavedExport {
    /// A saved export of this name, cut to one line without spaces around it.
    ///
    /// # Errors
    ///
    /// Blames the field `name` if it is empty or too long.
    pub fn new(name: &str, about: String, created_by: &str, now: DateTime<Utc>) -> Result<Self, FieldError> {
        let name = name.split_whitespace().collect::<Vec<_>>().join(" ");
        if name.is_empty() {
            return Err(FieldError::new("name", "is empty: enter a name for the saved export"));
        }
        if name.chars().count() > MAX_NAME_CHARS || name.chars().any(char::is_control) {
            return Err(FieldError::new(
                "name",
                format!("must have at most {MAX_NAME_CHARS} characters on one line"),
            ));
        }
        let id = hex::encode(&Sha256::digest(name.to_lowercase())[..ID_BYTES]);
        Ok(Self { id, name, about, created_by: created_by.to_owned(), created_ts: now })
    }
}

impl Directory {
    /// Reads the saved exports of an organization, sorted by name. One that cannot be read is left out.
    ///
    /// # Errors
    ///
    /// A read failed.
    pub async fn saved_exports(&self, organization_id: &str) -> Result<Vec<SavedExport>, AwsError> {
        let mut pages = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("PK = :pk AND begins_with(SK, :saved)")
            .expression_attribute_values(":pk", text(partition_key(organization_id)))
            .expression_attribute_values(":saved", text(SAVED))
            .consistent_read(true)
            .into_paginator()
            .items()
            .send();
        let mut saved = Vec::new();
        while let Some(item) = pages.next().await {
            let item = item.map_err(AwsError::from_sdk("dynamodb:Query"))?;
            match serde_dynamo::aws_sdk_dynamodb_1::from_item::<SavedExport>(item) {
                Ok(read) => saved.push(read),
                Err(error) => tracing::warn!(organization_id, %error, "a saved export is left out"),
            }
        }
        saved.sort_by_cached_key(|saved| saved.name.to_lowercase());
        Ok(saved)
    }

    /// Reads a saved export and its form, as [`Directory::save_export`] got it. `None` if there is none of this id.
    ///
    /// # Errors
    ///
    /// The read failed, or the item cannot be read.
    pub async fn saved_export(
        &self,
        organization_id: &str,
        id: &str,
    ) -> Result<Option<(SavedExport, Vec<u8>)>, AwsError> {
        if !is_id(id) {
            return Ok(None);
        }
        let pk = partition_key(organization_id);
        let saved: Option<SavedExport> = self.get(pk.clone(), format!("{SAVED}{id}")).await?;
        let form: Option<Form> = self.get(pk, format!("{FORM}{id}")).await?;
        Ok(saved.zip(form.map(|form| form.form.into_bytes())))
    }

    /// Saves an export with its form. With `replace` it takes the place of one of the same name.
    ///
    /// # Errors
    ///
    /// 409 that blames the field `name` if there is one of this name and `replace` is not set, or if there are [`MAX_SAVED`];
    /// 400 if the form is larger than [`MAX_FORM_BYTES`]. An internal error if a call failed; it may be saved.
    pub async fn save_export(
        &self,
        organization_id: &str,
        saved: &SavedExport,
        form: String,
        replace: bool,
    ) -> Result<(), RequestError> {
        if form.len() > MAX_FORM_BYTES {
            return Err(Problem::field("name", "cannot be saved: the form is too large").into());
        }
        if !replace && self.count_saved(organization_id).await? >= MAX_SAVED {
            return Err(conflict(&format!(
                "cannot be saved: there are {MAX_SAVED} already, delete one first"
            ))
            .into());
        }
        let writes = vec![
            self.put(organization_id, &format!("{SAVED}{}", saved.id), saved, replace)?,
            self.put(organization_id, &format!("{FORM}{}", saved.id), &Form { form }, true)?,
        ];
        let sent = self.client.transact_write_items().set_transact_items(Some(writes)).send().await;
        let Err(error) = sent else { return Ok(()) };
        let is_refused =
            cancellation_codes(error.as_service_error()).iter().any(|code| code == "ConditionalCheckFailed");
        if !is_refused {
            return Err(AwsError::from_sdk("dynamodb:TransactWriteItems")(error).into());
        }
        // A call whose answer was lost may have saved it already.
        let found = self.saved_export(organization_id, &saved.id).await?;
        if found.is_some_and(|(found, _)| found == *saved) {
            return Ok(());
        }
        Err(conflict("is already that of another saved export: choose another one, or delete that one")
            .into())
    }

    /// A write of an item, which must not be there unless it may be replaced.
    fn put(
        &self,
        organization_id: &str,
        sort_key: &str,
        item: &impl Serialize,
        replace: bool,
    ) -> Result<TransactWriteItem, AwsError> {
        let mut item: Item = serde_dynamo::aws_sdk_dynamodb_1::to_item(item)
            .map_err(|error| AwsError::unreadable("saved export", &error))?;
        item.extend(key(organization_id, sort_key));
        let put = Put::builder().table_name(&self.table).set_item(Some(item));
        let put = if replace { put } else { put.condition_expression("attribute_not_exists(PK)") };
        let put = put.build().map_err(|error| AwsError::internal("saved export", &error))?;
        Ok(TransactWriteItem::builder().put(put).build())
    }

    /// Deletes a saved export. It is no error if there is none of this id.
    ///
    /// # Errors
    ///
    /// The call failed; it may be deleted.
    pub async fn delete_saved_export(&self, organization_id: &str, id: &str) -> Result<(), AwsError> {
        if !is_id(id) {
            return Ok(());
        }
        // The form last: without it, the other would be a name that nobody can run.
        for sort_key in [format!("{SAVED}{id}"), format!("{FORM}{id}")] {
            let key = Some(key(organization_id, &sort_key));
            let delete = self.client.delete_item().table_name(&self.table).set_key(key);
            delete.send().await.map_err(AwsError::from_sdk("dynamodb:DeleteItem"))?;
        }
        Ok(())
    }

    async fn count_saved(&self, organization_id: &str) -> Result<i32, AwsError> {
        let output = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("PK = :pk AND begins_with(SK, :saved)")
            .expression_attribute_values(":pk", text(partition_key(organization_id)))
            .expression_attribute_values(":saved", text(SAVED))
            .select(Select::Count)
            .consistent_read(true)
            .limit(MAX_SAVED)
            .send()
            .await
            .map_err(AwsError::from_sdk("dynamodb:Query"))?;
        Ok(output.count)
    }
}

fn partition_key(organization_id: &str) -> String {
    format!("SAVED#{organization_id}")
}

fn key(organization_id: &str, sort_key: &str) -> HashMap<String, AttributeValue> {
    let parts = [("PK", partition_key(organization_id)), ("SK", sort_key.to_owned())];
    parts.into_iter().map(|(name, value)| (name.to_owned(), text(value))).collect()
}

/// Whether a text can be an id: what an address names may be anything.
fn is_id(text: &str) -> bool {
    text.len() == 2 * ID_BYTES && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn conflict(message: &str) -> Problem {
    Problem::new(StatusCode::CONFLICT, "").with_errors(vec![FieldError::new("name", message)])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn saved(name: &str) -> Result<SavedExport, FieldError> {
        SavedExport::new(name, String::new(), "usr_1", DateTime::UNIX_EPOCH)
    }

    #[test]
    fn names_that_differ_in_case_and_spaces_alone_are_the_same() {
        let monthly = saved(" Monthly  billing\n").unwrap();
        assert_eq!(monthly.name, "Monthly billing");
        assert_eq!(monthly.id, saved("MONTHLY BILLING").unwrap().id);
        assert_ne!(monthly.id, saved("Monthly billings").unwrap().id);
    }

    #[test]
    fn what_is_no_id_is_not_looked_up() {
        assert!(is_id(&saved("Monthly").unwrap().id));
        for text in ["", "x", &"a".repeat(31), &"a".repeat(2_000), "00112233445566778899aabbccddeeg#"] {
            assert!(!is_id(text), "{text}");
        }
    }

    #[test]
    fn a_name_has_one_to_eighty_characters() {
        for name in ["", " \n\t", &"é".repeat(81), "a\u{0}b"] {
            assert_eq!(saved(name).unwrap_err().field, "name", "{name:?}");
        }
        saved(&"é".repeat(80)).unwrap();
    }
}
