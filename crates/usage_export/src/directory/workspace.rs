//! A workspace of the directory, whose item may be odd.

use chrono::{DateTime, Utc};
use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};

use crate::timestamp;

/// A place where workbooks are kept and run, also one that was deleted.
///
/// An attribute that cannot be read counts as absent: one bad item must not keep an organization from its exports, and the
/// workspace's rows are told apart by its id.
#[derive(Debug, Clone, Deserialize)]
pub struct Workspace {
    /// The workspace's last known name; empty if the item has none.
    #[serde(default, deserialize_with = "text_or_empty")]
    pub name: String,
    /// Whether the workspace is shared or one member's own. A kind that is absent or unknown counts as shared.
    #[serde(default, deserialize_with = "kind_or_shared")]
    pub kind: WorkspaceKind,
    /// When the workspace was created: it has no runs before. Absent if that is not known.
    #[serde(default, deserialize_with = "time_or_none")]
    pub created_ts: Option<DateTime<Utc>>,
    /// When the workspace was deleted; absent while it exists.
    #[serde(default, deserialize_with = "time_or_none")]
    pub deleted_ts: Option<DateTime<Utc>>,
}

/// Whether a workspace is shared or one member's own.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum WorkspaceKind {
    /// Shared by members of the organization.
    #[default]
    Organization,
    /// Belongs to one member.
    Personal,
}

fn text_or_empty<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(text(deserializer)?.unwrap_or_default())
}

fn kind_or_shared<'de, D: Deserializer<'de>>(deserializer: D) -> Result<WorkspaceKind, D::Error> {
    let is_personal = text(deserializer)?.is_some_and(|kind| kind == "personal");
    Ok(if is_personal { WorkspaceKind::Personal } else { WorkspaceKind::Organization })
}

fn time_or_none<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<DateTime<Utc>>, D::Error> {
    Ok(text(deserializer)?.and_then(|text| timestamp::from_text(&text)))
}

/// The text of an attribute; `None` if it is of another type.
fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Value {
        Text(String),
        Other(IgnoredAny),
    }
    Ok(match Value::deserialize(deserializer)? {
        Value::Text(text) => Some(text),
        Value::Other(_) => None,
    })
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::primitives::Blob;
    use aws_sdk_dynamodb::types::AttributeValue;

    use super::*;
    use crate::dynamo::{Item, text};

    fn workspace(attributes: &[(&str, AttributeValue)]) -> Workspace {
        let item: Item = attributes.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        serde_dynamo::aws_sdk_dynamodb_1::from_item(item).unwrap()
    }

    #[test]
    fn an_attribute_that_cannot_be_read_counts_as_absent() {
        let number = AttributeValue::N("7".to_owned());
        let blob = AttributeValue::B(Blob::new([255]));
        for odd in [number, AttributeValue::Null(true), blob, AttributeValue::L(vec![]), text("odd")] {
            let names = ["name", "kind", "created_ts", "deleted_ts"];
            let workspace = workspace(&names.map(|name| (name, odd.clone())));
            assert_eq!(workspace.name, odd.as_s().map_or("", String::as_str));
            assert_eq!(workspace.kind, WorkspaceKind::Organization);
            assert_eq!((workspace.created_ts, workspace.deleted_ts), (None, None), "{odd:?}");
        }
        assert_eq!(workspace(&[]).name, "");
    }

    #[test]
    fn a_workspace_is_read_as_it_is() {
        let time = "2025-01-31T09:30:00.000Z";
        for (kind, expected) in
            [("personal", WorkspaceKind::Personal), ("organization", WorkspaceKind::Organization)]
        {
            let workspace =
                workspace(&[("name", text("Sales")), ("kind", text(kind)), ("created_ts", text(time))]);
            assert_eq!((workspace.name.as_str(), workspace.kind), ("Sales", expected));
            assert_eq!(workspace.created_ts, timestamp::from_text(time));
        }
    }
}
