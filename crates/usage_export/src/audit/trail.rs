//! The table of events.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{Put, TransactWriteItem};
use chrono::TimeDelta;

use crate::dynamo::{Item, condition_failed, number, text};
use crate::error::AwsError;

use super::event::Event;

/// The partition key.
pub(super) const ORGANIZATION: &str = "organization_id";
/// The sort key: the time and the id of an event, so that events are in order and no two have one key.
pub(super) const EVENT_KEY: &str = "event_key";
/// Events of one export.
pub(super) const BY_EXPORT: &str = "by_export";

/// The table of events.
#[derive(Debug, Clone)]
pub struct AuditTrail {
    pub(super) client: Client,
    pub(super) table: String,
    /// How many days an event is kept.
    days: u16,
}

impl AuditTrail {
    /// Uses the table of that name. It makes no call.
    pub fn new(client: Client, table: String, days: u16) -> Self {
        Self { client, table, days }
    }

    /// Appends an event. One that is in the table already is left as it is, so a repetition is no second event.
    ///
    /// # Errors
    ///
    /// The table cannot be written. What the event tells of must not be answered then.
    pub async fn record(&self, event: &Event) -> Result<(), AwsError> {
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(self.item(event)?))
            .condition_expression(format!("attribute_not_exists({ORGANIZATION})"))
            .send()
            .await;
        match put {
            Err(error) if !condition_failed(&error) => Err(AwsError::from_sdk("dynamodb:PutItem")(error)),
            _ => Ok(()),
        }
    }

    /// The write of an event, for a transaction with what it tells of.
    ///
    /// # Errors
    ///
    /// The event cannot be written as an item.
    pub fn write_of(&self, event: &Event) -> Result<TransactWriteItem, AwsError> {
        let put = Put::builder().table_name(&self.table).set_item(Some(self.item(event)?)).build();
        let put = put.map_err(|error| AwsError::internal("put of an event", &error))?;
        Ok(TransactWriteItem::builder().put(put).build())
    }

    fn item(&self, event: &Event) -> Result<Item, AwsError> {
        let mut item: Item = serde_dynamo::aws_sdk_dynamodb_1::to_item(event)
            .map_err(|error| AwsError::internal(&event.log_id, &error))?;
        item.insert(EVENT_KEY.to_owned(), text(event.key()));
        let expires_ts = event.timestamp + TimeDelta::days(self.days.into());
        item.insert("ttl".to_owned(), number(expires_ts.timestamp()));
        Ok(item)
    }
}
