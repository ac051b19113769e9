//! Exports that an organization has saved under a name, to run them again.
//!
//! Their items have a partition key of their own, so that whoever may write them can write no member and no key.

use std::collections::HashMap;

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::{AttributeValue, Select};
use chrono::{DateTime, Utc};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::Directory;
use crate::dynamo::{Item, condition_failed, text};
use crate::error::AwsError;
use crate::problem::{FieldError, Problem, RequestError};
use crate::timestamp;

/// The longest name, in characters.
pub const MAX_NAME_CHARS: usize = 80;

/// How many an organization may have. Two that are saved at the same moment may exceed it by one, which is harmless.
pub const MAX_SAVED: i32 = 100;

/// The largest form, in bytes. DynamoDB takes items of 400 KB; a form that names 5,000 workspaces has some 200 KB.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html>
pub const MAX_FORM_BYTES: usize = 300 * 1024;

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
        let id = hex::encode(&Sha256::digest(name.to_lowercase())[..16]);
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
            .key_condition_expression("PK = :pk")
            .expression_attribute_values(":pk", text(partition_key(organization_id)))
            .expression_attribute_names("#name", "name")
            // Without the form, which may be large.
            .projection_expression("id, #name, about, created_by, created_ts")
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
        let output = self
            .client
            .get_item()
            .table_name(&self.table)
            .set_key(Some(key(organization_id, id)))
            .consistent_read(true)
            .send()
            .await
            .map_err(AwsError::from_sdk("dynamodb:GetItem"))?;
        let Some(mut item) = output.item else { return Ok(None) };
        let form = match item.remove("form") {
            Some(AttributeValue::B(form)) => form.into_inner(),
            _ => return Err(AwsError::corrupt("saved export", "no form".to_owned())),
        };
        let saved = serde_dynamo::aws_sdk_dynamodb_1::from_item(item)
            .map_err(|error| AwsError::unreadable("saved export", &error))?;
        Ok(Some((saved, form)))
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
        form: Vec<u8>,
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
        let mut item: Item = serde_dynamo::aws_sdk_dynamodb_1::to_item(saved)
            .map_err(|error| AwsError::unreadable("saved export", &error))?;
        item.extend(key(organization_id, &saved.id));
        item.insert("form".to_owned(), AttributeValue::B(Blob::new(form)));
        let put = self.client.put_item().table_name(&self.table).set_item(Some(item));
        let put = if replace { put } else { put.condition_expression("attribute_not_exists(PK)") };
        match put.send().await {
            Ok(_) => Ok(()),
            Err(error) if condition_failed(&error) => {
                // A call whose answer was lost may have saved it already.
                let found = self.saved_export(organization_id, &saved.id).await?;
                if found.is_some_and(|(found, _)| found == *saved) {
                    return Ok(());
                }
                Err(conflict(
                    "is already that of another saved export: choose another one, or delete that one",
                )
                .into())
            }
            Err(error) => Err(AwsError::from_sdk("dynamodb:PutItem")(error).into()),
        }
    }

    /// Deletes a saved export. It is no error if there is none of this id.
    ///
    /// # Errors
    ///
    /// The call failed; it may be deleted.
    pub async fn delete_saved_export(&self, organization_id: &str, id: &str) -> Result<(), AwsError> {
        let delete =
            self.client.delete_item().table_name(&self.table).set_key(Some(key(organization_id, id)));
        delete.send().await.map_err(AwsError::from_sdk("dynamodb:DeleteItem")).map(drop)
    }

    async fn count_saved(&self, organization_id: &str) -> Result<i32, AwsError> {
        let output = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("PK = :pk")
            .expression_attribute_values(":pk", text(partition_key(organization_id)))
            .select(Select::Count)
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

fn key(organization_id: &str, id: &str) -> HashMap<String, AttributeValue> {
    let parts = [("PK", partition_key(organization_id)), ("SK", format!("SAVED#{id}"))];
    parts.into_iter().map(|(name, value)| (name.to_owned(), text(value))).collect()
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
    fn a_name_has_one_to_eighty_characters() {
        for name in ["", " \n\t", &"é".repeat(81), "a\u{0}b"] {
            assert_eq!(saved(name).unwrap_err().field, "name", "{name:?}");
        }
        saved(&"é".repeat(80)).unwrap();
    }
}
