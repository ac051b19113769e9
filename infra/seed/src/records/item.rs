//! Putting an item together.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use chrono::{DateTime, Utc};
use usage_export::timestamp;

/// An item as `DynamoDB` takes it.
pub type Item = HashMap<String, AttributeValue>;

/// Puts an item together. What is absent is left out: nothing is stored as `NULL` or as an empty string.
#[derive(Debug, Clone)]
pub struct ItemBuilder(Item);

impl ItemBuilder {
    /// Starts an item that has only its key: the attributes `PK` and `SK`.
    pub fn new(partition_key: String, sort_key: String) -> Self {
        Self(HashMap::new()).text("PK", partition_key).text("SK", sort_key)
    }

    /// Adds a string.
    #[must_use]
    pub fn text(mut self, name: &str, value: impl Into<String>) -> Self {
        self.0.insert(name.to_owned(), AttributeValue::S(value.into()));
        self
    }

    /// Adds a string unless it is `None`.
    #[must_use]
    pub fn optional_text(self, name: &str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.text(name, value),
            None => self,
        }
    }

    /// Adds an instant in its text form unless it is `None`.
    #[must_use]
    pub fn optional_time(self, name: &str, value: Option<DateTime<Utc>>) -> Self {
        self.optional_text(name, value.map(timestamp::to_text).as_deref())
    }

    /// Adds a decimal number, given by its digits, unless it is `None`.
    #[must_use]
    pub fn optional_number(mut self, name: &str, value: Option<&str>) -> Self {
        if let Some(digits) = value {
            self.0.insert(name.to_owned(), AttributeValue::N(digits.to_owned()));
        }
        self
    }

    /// Gives the finished item.
    pub fn build(self) -> Item {
        self.0
    }
}
