//! Pages of events.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;

use super::call::{Cursor, Instants};
use super::event::Event;
use super::trail::{AuditTrail, BY_EXPORT, EVENT_KEY, ORGANIZATION};
use crate::dynamo::{Item, text};
use crate::error::AwsError;
use crate::timestamp;

/// How many events one page of a list has.
const LIST_EVENTS: i32 = 50;
/// How many events are read at a time for a file: about as many as a Query answers.
const FILE_EVENTS: i32 = 1000;

/// Above every sort key that begins with the same instant: they go on with `#`.
const AFTER_INSTANT: char = '$';

/// Which events of an organization are read.
#[derive(Debug, Clone, Copy)]
pub enum Selection<'a> {
    /// All of them.
    All,
    /// Those of this time.
    Within(Instants),
    /// Those of this export.
    OfExport(&'a str),
}

/// What events are read for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// A list for people and programs: 50 events at a time, the newest first.
    List,
    /// A file: 1000 at a time, the oldest first.
    File,
}

impl AuditTrail {
    /// Reads one page of events of an organization, and where the next page begins. `None` means that no page follows. Those of
    /// an export may lack the newest for a moment, because its index is eventually consistent.
    ///
    /// # Errors
    ///
    /// The read failed, or an event cannot be read: none is left out.
    pub async fn page(
        &self,
        organization_id: &str,
        selection: Selection<'_>,
        purpose: Purpose,
        after: Option<&Cursor>,
    ) -> Result<(Vec<Event>, Option<Cursor>), AwsError> {
        let query = self
            .client
            .query()
            .table_name(&self.table)
            .scan_index_forward(purpose == Purpose::File)
            .limit(if purpose == Purpose::File { FILE_EVENTS } else { LIST_EVENTS })
            .expression_attribute_values(":organization", text(organization_id))
            .set_exclusive_start_key(after.map(|cursor| start_key(organization_id, selection, cursor)));
        let query = match selection {
            Selection::All => query.key_condition_expression(format!("{ORGANIZATION} = :organization")),
            Selection::Within(Instants { first, last }) => query
                .key_condition_expression(format!(
                    "{ORGANIZATION} = :organization AND {EVENT_KEY} BETWEEN :first AND :last"
                ))
                .expression_attribute_values(":first", text(timestamp::to_text(first)))
                .expression_attribute_values(
                    ":last",
                    text(format!("{}{AFTER_INSTANT}", timestamp::to_text(last))),
                ),
            Selection::OfExport(data_export_id) => query
                .index_name(BY_EXPORT)
                .key_condition_expression("data_export_id = :export")
                .filter_expression(format!("{ORGANIZATION} = :organization"))
                .expression_attribute_values(":export", text(data_export_id)),
        };
        let query =
            if matches!(selection, Selection::OfExport(_)) { query } else { query.consistent_read(true) };
        let output = query.send().await.map_err(AwsError::from_sdk("dynamodb:Query"))?;
        let next = output.last_evaluated_key().and_then(|key| key.get(EVENT_KEY)?.as_s().ok()).cloned();
        let events =
            output.items.unwrap_or_default().into_iter().map(read_event).collect::<Result<_, _>>()?;
        Ok((events, next.map(Cursor)))
    }
}

fn start_key(
    organization_id: &str,
    selection: Selection<'_>,
    Cursor(key): &Cursor,
) -> HashMap<String, AttributeValue> {
    let mut start =
        HashMap::from([(ORGANIZATION.to_owned(), text(organization_id)), (EVENT_KEY.to_owned(), text(key))]);
    if let Selection::OfExport(data_export_id) = selection {
        start.insert("data_export_id".to_owned(), text(data_export_id));
    }
    start
}

fn read_event(item: Item) -> Result<Event, AwsError> {
    let key = item.get(EVENT_KEY).and_then(|key| key.as_s().ok()).cloned().unwrap_or_default();
    serde_dynamo::aws_sdk_dynamodb_1::from_item(item)
        .map_err(|error| AwsError::unreadable(format!("event {key}"), &error))
}
