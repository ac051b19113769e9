//! One record: the values of the attributes that are read.

use std::borrow::Cow;

use crate::parse::attributes::{AttributeKind, Attributes};
use crate::parse::cursor::{self, Cursor, RawString, Stop};
use crate::parse::decimal::plain_decimal;
use crate::parse::timestamp::{TIMESTAMP_BYTES, is_timestamp};

/// A record that cannot be written: a value is not what its column needs. Asking DynamoDB again does not help.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the record {sort_key}: {reason}")]
pub struct RecordError {
    /// The record's sort key, as far as it can be read. It identifies the record and may be logged.
    pub sort_key: String,
    /// What is wrong, with the attribute's name and without its value.
    pub reason: String,
}

/// A record whose values were checked: they can be written as they are, apart from the quotes of CSV and the `'` before what a
/// spreadsheet would run as a formula.
#[derive(Debug)]
pub(crate) struct Record<'a> {
    /// The values by attribute index; empty where the record lacks one.
    pub(crate) values: [&'a [u8]; Attributes::VALUES],
    /// Whether no text in it needs quotes or a `'`.
    pub(crate) is_ordinary: bool,
}

impl Record<'_> {
    /// A record without values, for texts that need neither.
    pub(crate) fn ordinary() -> Self {
        Self { values: [&[]; Attributes::VALUES], is_ordinary: true }
    }
}

/// The values of a record as JSON has them.
pub(crate) type RawRecord<'a> = [RawValue<'a>; Attributes::VALUES];

/// A value as JSON has it.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) enum RawValue<'a> {
    /// There is none, or it is `NULL`.
    #[default]
    Absent,
    /// A string.
    Text(RawString<'a>),
    /// A number.
    Number(&'a [u8]),
    /// A value of any other type.
    Other,
}

/// Takes one record name by name, whatever the order. When a name comes twice, the last value counts, as in the SDK.
/// `each` is called behind each value with the attribute's index and kind, the value, and the position behind it.
///
/// # Errors
///
/// The record has not arrived whole, or is not one.
pub(crate) fn take_by_name<'a>(
    attributes: &Attributes,
    cursor: &mut Cursor<'a>,
    mut each: impl FnMut((usize, AttributeKind), RawValue<'a>, usize),
) -> Result<RawRecord<'a>, Stop> {
    let mut record = RawRecord::default();
    cursor.expect(b'{')?;
    let mut first = true;
    while cursor.next(first, b'}')? {
        first = false;
        let name = RawValue::Text(cursor.name()?).text().map_err(|_| Stop::Malformed)?;
        let attribute = attributes.find(&name);
        cursor.expect(b'{')?;
        let value = match cursor.plain_name()? {
            b"S" => RawValue::Text(cursor.string()?),
            b"N" => RawValue::Number(cursor.string()?.bytes),
            kind => {
                cursor.skip()?;
                if kind == b"NULL" { RawValue::Absent } else { RawValue::Other }
            }
        };
        // The cursor is behind the closing quote, where there is one.
        each(attribute, value, cursor.at - 1);
        record[attribute.0] = value;
        cursor.expect(b'}')?;
    }
    Ok(record)
}

/// The values of a record, decoded and checked.
///
/// # Errors
///
/// [`RecordError`] names the attribute that cannot be written.
pub(crate) fn checked<'a>(
    attributes: &Attributes,
    record: &RawRecord<'a>,
) -> Result<[Cow<'a, [u8]>; Attributes::VALUES], RecordError> {
    let mut values = std::array::from_fn(|_| Cow::default());
    for (index, name, kind) in attributes.iter() {
        values[index] = checked_value(kind, record[index]).map_err(|reason| {
            let sort_key = record[Attributes::SORT_KEY].text().unwrap_or_default();
            RecordError {
                sort_key: String::from_utf8_lossy(&sort_key).into_owned(),
                reason: format!("{name} {reason}"),
            }
        })?;
    }
    Ok(values)
}

fn checked_value(kind: AttributeKind, value: RawValue<'_>) -> Result<Cow<'_, [u8]>, &'static str> {
    match kind {
        AttributeKind::Decimal => return value.decimal(),
        AttributeKind::Ignored => return Ok(Cow::default()),
        _ => {}
    }
    let text = value.text()?;
    if std::str::from_utf8(&text).is_err() {
        return Err("is not UTF-8");
    }
    match kind {
        AttributeKind::SortKey if !is_sort_key(&text) => Err("is not a time, # and an id"),
        AttributeKind::Timestamp if !text.is_empty() && !is_timestamp(&text) => {
            Err("is not an ISO 8601 UTC time with milliseconds")
        }
        _ => Ok(text),
    }
}

/// Whether the bytes begin with a time and `#`.
fn is_sort_key(text: &[u8]) -> bool {
    text.get(TIMESTAMP_BYTES) == Some(&b'#') && is_timestamp(&text[..TIMESTAMP_BYTES])
}

impl<'a> From<&'a [Cow<'_, [u8]>; Attributes::VALUES]> for Record<'a> {
    fn from(values: &'a [Cow<'_, [u8]>; Attributes::VALUES]) -> Self {
        Self { values: values.each_ref().map(AsRef::as_ref), is_ordinary: false }
    }
}

impl<'a> RawValue<'a> {
    /// The decoded string; empty where there is none.
    fn text(self) -> Result<Cow<'a, [u8]>, &'static str> {
        match self {
            Self::Absent => Ok(Cow::default()),
            Self::Text(RawString { bytes, escaped: false }) => Ok(bytes.into()),
            Self::Text(RawString { bytes, escaped: true }) => {
                let mut text = Vec::with_capacity(bytes.len());
                cursor::unescape(bytes, &mut text).ok_or("has an escape that JSON does not have")?;
                Ok(text.into())
            }
            Self::Number(_) | Self::Other => Err("is not a string"),
        }
    }

    /// The exact decimal without an exponent; empty where there is none.
    fn decimal(self) -> Result<Cow<'a, [u8]>, &'static str> {
        match self {
            Self::Absent => Ok(Cow::default()),
            Self::Number(digits) => {
                let plain = plain_decimal(String::from_utf8_lossy(digits).into_owned());
                Ok(plain.ok_or("is not a decimal number")?.into_bytes().into())
            }
            Self::Text(_) | Self::Other => Err("is not a number"),
        }
    }
}
