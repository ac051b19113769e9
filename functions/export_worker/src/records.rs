//! The records of a page: their values one after the other in one text.

use aws_sdk_dynamodb::types::AttributeValue;
use usage_export::dynamo::{Item, StoreError};
use usage_export::timestamp::TEXT_BYTES;
use usage_export::{timestamp, usage};

use crate::decimal::plain_decimal;

/// Records of one page, in order.
#[derive(Debug, Default)]
pub struct Records {
    text: String,
    rows: Vec<Row>,
}

/// One run, its values as they are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UsageRecord<'a> {
    /// Start and run id, as in the table.
    pub sort_key: &'a str,
    /// Empty if there is none.
    pub workbook_id: &'a str,
    /// Who ran it; empty if there is none.
    pub user_id: &'a str,
    /// Credits, an exact decimal without exponent; empty if there is none.
    pub credit_cost: &'a str,
    /// Empty while the run goes on.
    pub finished_ts: &'a str,
}

impl<'a> UsageRecord<'a> {
    /// When the run started, as text.
    pub fn start(&self) -> &'a str {
        self.sort_key.get(..TEXT_BYTES).unwrap_or("")
    }

    /// The run's id.
    pub fn run_id(&self) -> &'a str {
        self.sort_key.get(TEXT_BYTES + 1..).unwrap_or("")
    }
}

/// Where the values of a record are in the text: each ends where the next begins.
#[derive(Debug, Clone, Copy)]
struct Row {
    start: usize,
    ends: [u32; 5],
}

impl Records {
    /// One after the other.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = UsageRecord<'_>> + Clone {
        self.rows.iter().map(|row| self.record(row))
    }

    /// The last one.
    pub fn last(&self) -> Option<UsageRecord<'_>> {
        self.rows.last().map(|row| self.record(row))
    }

    /// The records of items as the SDK reads them. It is the plain way, which the scan is compared with.
    ///
    /// # Errors
    ///
    /// [`StoreError::Corrupt`] if a value is not what an export can write.
    pub fn of_items(items: &[Item]) -> Result<Self, StoreError> {
        let mut collector = Collector::default();
        for item in items {
            let value = |name: &str| match item.get(name) {
                None | Some(AttributeValue::Null(_)) => Value::Absent,
                Some(AttributeValue::S(text)) => Value::Text(text.as_bytes()),
                Some(AttributeValue::N(number)) => Value::Number(number.as_bytes()),
                Some(_) => Value::Other,
            };
            collector.push(&RawRecord {
                sort_key: value("SK"),
                workbook_id: value("workbook_id"),
                user_id: value("user_id"),
                credit_cost: value("credit_cost"),
                finished_ts: value("finished_ts"),
            })?;
        }
        collector.finish()
    }

    fn record(&self, row: &Row) -> UsageRecord<'_> {
        let text = &self.text[row.start..];
        let [sort_key, workbook_id, user_id, credit_cost, finished_ts] = row.ends.map(|end| end as usize);
        UsageRecord {
            sort_key: &text[..sort_key],
            workbook_id: &text[sort_key..workbook_id],
            user_id: &text[workbook_id..user_id],
            credit_cost: &text[user_id..credit_cost],
            finished_ts: &text[credit_cost..finished_ts],
        }
    }
}

/// The values of a record as they were read, by name.
#[derive(Debug, Default)]
pub struct RawRecord<'a> {
    /// `SK`
    pub sort_key: Value<'a>,
    /// `workbook_id`
    pub workbook_id: Value<'a>,
    /// `user_id`
    pub user_id: Value<'a>,
    /// `credit_cost`
    pub credit_cost: Value<'a>,
    /// `finished_ts`
    pub finished_ts: Value<'a>,
}

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

/// A page has up to 1 MB of names and values, and the signs of JSON around them. Whatever is said, no more is reserved.
const MOST_ROOM: usize = 4 * 1024 * 1024;

/// A record as JSON is hardly shorter.
const ROW_BYTES: usize = 200;

/// Records that are being collected.
#[derive(Debug, Default)]
pub struct Collector {
    text: Vec<u8>,
    rows: Vec<Row>,
}

impl Collector {
    /// With room for the records of an answer of so many bytes: about half of them are values.
    pub fn for_bytes(length: usize) -> Self {
        let length = length.min(MOST_ROOM);
        Self { text: Vec::with_capacity(length / 2), rows: Vec::with_capacity(length / ROW_BYTES) }
    }

    /// Adds a record.
    ///
    /// # Errors
    ///
    /// [`StoreError::Corrupt`] if a value is not what an export can write.
    pub fn push(&mut self, record: &RawRecord<'_>) -> Result<(), StoreError> {
        let start = self.text.len();
        let mut ends = [0; 5];
        self.string(record.sort_key, "SK").map_err(|reason| StoreError::corrupt("usage record", reason))?;
        let sort_key = start..self.text.len();
        let corrupt = |collector: &Self, reason: String| {
            let sort_key = String::from_utf8_lossy(&collector.text[sort_key.clone()]);
            StoreError::corrupt(format!("usage record {sort_key}"), reason)
        };
        if !usage::is_sort_key(&self.text[start..]) {
            return Err(corrupt(self, "SK is not a start and a run id".to_owned()));
        }
        ends[0] = self.end_from(start);
        let values = [record.workbook_id, record.user_id, record.credit_cost, record.finished_ts];
        for (index, value) in values.into_iter().enumerate() {
            self.attribute(index, value).map_err(|reason| corrupt(self, reason))?;
            ends[index + 1] = self.end_from(start);
        }
        self.rows.push(Row { start, ends });
        Ok(())
    }

    fn attribute(&mut self, index: usize, value: Value<'_>) -> Result<(), String> {
        match index {
            0 => self.string(value, "workbook_id"),
            1 => self.string(value, "user_id"),
            2 => self.decimal(value),
            _ => {
                let start = self.text.len();
                self.string(value, "finished_ts")?;
                let written = &self.text[start..];
                if !written.is_empty() && !timestamp::is_text(written) {
                    return Err("finished_ts is not an ISO 8601 UTC time with milliseconds".to_owned());
                }
                Ok(())
            }
        }
    }

    /// A string, or nothing.
    fn string(&mut self, value: Value<'_>, name: &str) -> Result<(), String> {
        match value {
            Value::Absent => {}
            Value::Text(bytes) => self.text.extend_from_slice(bytes),
            Value::Escaped(bytes) => crate::json::unescape(bytes, &mut self.text)
                .ok_or_else(|| format!("{name} has an escape that is none"))?,
            Value::Number(_) | Value::Other => return Err(format!("{name} is not a string")),
        }
        Ok(())
    }

    fn decimal(&mut self, value: Value<'_>) -> Result<(), String> {
        match value {
            Value::Absent => {}
            // Nearly every number there is.
            Value::Number(digits) if is_plain(digits) => self.text.extend_from_slice(digits),
            Value::Number(digits) => {
                let plain = plain_decimal(String::from_utf8_lossy(digits).into_owned())?;
                self.text.extend_from_slice(plain.as_bytes());
            }
            _ => return Err("credit_cost is not a number".to_owned()),
        }
        Ok(())
    }

    fn end_from(&self, start: usize) -> u32 {
        u32::try_from(self.text.len() - start).unwrap_or(u32::MAX)
    }

    /// The records, once all of them are there.
    ///
    /// # Errors
    ///
    /// [`StoreError::Corrupt`] if they are not UTF-8.
    pub fn finish(self) -> Result<Records, StoreError> {
        let text = String::from_utf8(self.text).map_err(|error| StoreError::corrupt("page", error))?;
        let whole = |row: &Row| row.ends.iter().all(|end| text.is_char_boundary(row.start + *end as usize));
        if !self.rows.iter().all(whole) {
            return Err(StoreError::corrupt("page", "a string ends within a character"));
        }
        Ok(Records { text, rows: self.rows })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sort_key_splits_at_its_first_hash_only() {
        let mut collector = Collector::default();
        let sort_key = Value::Text(b"2025-01-31T09:30:00.000Z#run#odd");
        collector.push(&RawRecord { sort_key, ..RawRecord::default() }).unwrap();
        let records = collector.finish().unwrap();
        let record = records.last().unwrap();
        assert_eq!((record.start(), record.run_id()), ("2025-01-31T09:30:00.000Z", "run#odd"));
    }
}
