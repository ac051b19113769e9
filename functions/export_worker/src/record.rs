//! One usage record: the values that an export needs, by name.

use std::borrow::Cow;
use std::ops::{Index, IndexMut};

use aws_sdk_dynamodb::types::AttributeValue;
use usage_export::dynamo::Item;
use usage_export::timestamp::{self, TEXT_BYTES};
use usage_export::usage;

use crate::decimal::plain_decimal;
use crate::json::{self, RawString};

/// The attributes that an export can need.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attribute {
    /// `SK`: start and run id.
    SortKey,
    /// `workbook_id`
    WorkbookId,
    /// `user_id`
    UserId,
    /// `credit_cost`
    CreditCost,
    /// `finished_ts`
    FinishedTs,
    /// Whatever else there is.
    Other,
}

/// One value for each [`Attribute`].
#[derive(Debug, Default)]
pub struct Values<T>([T; 6]);

/// A record as it was read.
pub type RawRecord<'a> = Values<Value<'a>>;

/// A value of an attribute.
#[derive(Debug, Default, Clone, Copy)]
pub enum Value<'a> {
    /// There is none, or it is `NULL`.
    #[default]
    Absent,
    /// A string.
    Text(&'a [u8]),
    /// A string with the escapes of JSON in it.
    Escaped(&'a [u8]),
    /// A number.
    Number(&'a [u8]),
    /// Anything else.
    Other,
}

/// A record that can be written: `SK` is a sort key, `credit_cost` a decimal without exponent, `finished_ts` a time. An
/// absent value is empty.
#[derive(Debug, Default)]
pub struct Record<'a> {
    /// The texts.
    pub values: Values<&'a [u8]>,
    /// Whether the run's id is surely a cell as it is.
    pub is_ordinary: bool,
}

impl Attribute {
    /// By its name in the table.
    pub fn named(name: &[u8]) -> Self {
        match name {
            b"SK" => Self::SortKey,
            b"workbook_id" => Self::WorkbookId,
            b"user_id" => Self::UserId,
            b"credit_cost" => Self::CreditCost,
            b"finished_ts" => Self::FinishedTs,
            _ => Self::Other,
        }
    }
}

impl<T> Index<Attribute> for Values<T> {
    type Output = T;

    fn index(&self, attribute: Attribute) -> &T {
        &self.0[attribute as usize]
    }
}

impl<T> IndexMut<Attribute> for Values<T> {
    fn index_mut(&mut self, attribute: Attribute) -> &mut T {
        &mut self.0[attribute as usize]
    }
}

impl<'a> RawRecord<'a> {
    /// A record as the SDK reads it. It is the plain way, which the scan is compared with.
    pub fn of_item(item: &'a Item) -> Self {
        let mut record = Self::default();
        for (name, value) in item {
            record[Attribute::named(name.as_bytes())] = match value {
                AttributeValue::Null(_) => Value::Absent,
                AttributeValue::S(text) => Value::Text(text.as_bytes()),
                AttributeValue::N(number) => Value::Number(number.as_bytes()),
                _ => Value::Other,
            };
        }
        record
    }

    /// The texts of a record that can be written.
    ///
    /// # Errors
    ///
    /// Why it cannot.
    pub fn texts(&self) -> Result<Values<Cow<'a, [u8]>>, String> {
        let sort_key = self[Attribute::SortKey].text("SK")?;
        if !usage::is_sort_key(&sort_key) {
            return Err("SK is not a start and a run id".to_owned());
        }
        // Of all that is written it is the one text that nobody else looks into.
        std::str::from_utf8(&sort_key[TEXT_BYTES..]).map_err(|error| format!("SK is not UTF-8: {error}"))?;
        let finished_ts = self[Attribute::FinishedTs].text("finished_ts")?;
        if !finished_ts.is_empty() && !timestamp::is_text(&finished_ts) {
            return Err("finished_ts is not an ISO 8601 UTC time with milliseconds".to_owned());
        }
        let mut texts = Values::default();
        texts[Attribute::SortKey] = sort_key;
        texts[Attribute::WorkbookId] = self[Attribute::WorkbookId].text("workbook_id")?;
        texts[Attribute::UserId] = self[Attribute::UserId].text("user_id")?;
        texts[Attribute::CreditCost] = self[Attribute::CreditCost].decimal("credit_cost")?;
        texts[Attribute::FinishedTs] = finished_ts;
        Ok(texts)
    }
}

impl<'a> From<&'a Values<Cow<'_, [u8]>>> for Record<'a> {
    fn from(texts: &'a Values<Cow<'_, [u8]>>) -> Self {
        Self { values: Values(texts.0.each_ref().map(AsRef::as_ref)), is_ordinary: false }
    }
}

impl<'a> From<RawString<'a>> for Value<'a> {
    fn from(string: RawString<'a>) -> Self {
        if string.escaped { Self::Escaped(string.bytes) } else { Self::Text(string.bytes) }
    }
}

impl<'a> Value<'a> {
    /// A string; empty if there is none.
    ///
    /// # Errors
    ///
    /// It is something else, which the reason says.
    pub fn text(self, name: &str) -> Result<Cow<'a, [u8]>, String> {
        match self {
            Self::Absent => Ok(Cow::default()),
            Self::Text(bytes) => Ok(bytes.into()),
            Self::Escaped(bytes) => {
                let mut text = Vec::with_capacity(bytes.len());
                json::unescape(bytes, &mut text)
                    .ok_or_else(|| format!("{name} has an escape that is none"))?;
                Ok(text.into())
            }
            Self::Number(_) | Self::Other => Err(format!("{name} is not a string")),
        }
    }

    /// An exact decimal without exponent; empty if there is none.
    ///
    /// # Errors
    ///
    /// It is no number, which the reason says.
    pub fn decimal(self, name: &str) -> Result<Cow<'a, [u8]>, String> {
        match self {
            Self::Absent => Ok(Cow::default()),
            Self::Number(digits) => {
                let plain = plain_decimal(String::from_utf8_lossy(digits).into_owned())?;
                Ok(plain.into_bytes().into())
            }
            _ => Err(format!("{name} is not a number")),
        }
    }
}
