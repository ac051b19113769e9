//! From values to the items of docs/data.md.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use chrono::{DateTime, SecondsFormat, Utc};
use fastrand::Rng;

/// An item as `DynamoDB` takes it.
pub type Item = HashMap<String, AttributeValue>;

/// An item that is being put together. What is absent is left out: nothing is stored as `NULL` or as an empty string.
pub struct ItemBuilder(Item);

impl ItemBuilder {
    /// An item that has nothing but its key.
    pub fn new(partition_key: String, sort_key: String) -> Self {
        Self(HashMap::new()).text("PK", partition_key).text("SK", sort_key)
    }

    /// Adds a string.
    pub fn text(mut self, name: &str, value: impl Into<String>) -> Self {
        self.0.insert(name.to_owned(), AttributeValue::S(value.into()));
        self
    }

    /// Adds a string, if there is one.
    pub fn optional_text(self, name: &str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.text(name, value),
            None => self,
        }
    }

    /// Adds a time, if there is one.
    pub fn optional_time(self, name: &str, value: Option<DateTime<Utc>>) -> Self {
        self.optional_text(name, value.map(timestamp).as_deref())
    }

    /// Adds a decimal number, if there is one.
    pub fn optional_number(mut self, name: &str, value: Option<String>) -> Self {
        if let Some(digits) = value {
            self.0.insert(name.to_owned(), AttributeValue::N(digits));
        }
        self
    }

    /// The finished item.
    pub fn build(self) -> Item {
        self.0
    }
}

/// A time as the tables hold it: fixed width, so that text sorts as time does.
pub fn timestamp(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// A new id: the prefix says what it names.
pub fn new_id(prefix: &str, rng: &mut Rng) -> String {
    format!("{prefix}_{:032x}", rng.u128(..))
}
