//! One usage record as it was read: five values, by name.

use std::borrow::Cow;
use std::ops::{Index, IndexMut};

use aws_sdk_dynamodb::types::AttributeValue;
use usage_export::dynamo::Item;

use crate::decimal::plain_decimal;
use crate::json;

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

/// The values of a record as they were read, one for each [`Attribute`].
#[derive(Debug, Default)]
pub struct RawRecord<'a>([Value<'a>; 6]);

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
}

impl<'a> Index<Attribute> for RawRecord<'a> {
    type Output = Value<'a>;

    fn index(&self, attribute: Attribute) -> &Value<'a> {
        &self.0[attribute as usize]
    }
}

impl IndexMut<Attribute> for RawRecord<'_> {
    fn index_mut(&mut self, attribute: Attribute) -> &mut Self::Output {
        &mut self.0[attribute as usize]
    }
}

impl<'a> Value<'a> {
    /// A string; empty if there is none.
    ///
    /// # Errors
    ///
    /// It is something else, which the reason says.
    #[inline]
    pub fn text(self, name: &str) -> Result<Cow<'a, [u8]>, String> {
        match self {
            Self::Absent => Ok(Cow::Borrowed(b"")),
            Self::Text(bytes) => Ok(Cow::Borrowed(bytes)),
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
    #[inline]
    pub fn decimal(self, name: &str) -> Result<Cow<'a, [u8]>, String> {
        match self {
            Self::Absent => Ok(Cow::Borrowed(b"")),
            // Nearly every number there is.
            Self::Number(digits) if is_plain(digits) => Ok(Cow::Borrowed(digits)),
            Self::Number(digits) => {
                let plain = plain_decimal(String::from_utf8_lossy(digits).into_owned())?;
                Ok(plain.into_bytes().into())
            }
            _ => Err(format!("{name} is not a number")),
        }
    }
}

/// Whether a number needs no change: digits, and perhaps a sign before and a point between them.
fn is_plain(number: &[u8]) -> bool {
    let digits = number.strip_prefix(b"-").unwrap_or(number);
    let mut point = None;
    for (index, byte) in digits.iter().enumerate() {
        match byte {
            b'0'..=b'9' => {}
            b'.' if point.is_none() => point = Some(index),
            _ => return false,
        }
    }
    point.map_or(!digits.is_empty(), |point| point > 0 && point + 1 < digits.len())
}
