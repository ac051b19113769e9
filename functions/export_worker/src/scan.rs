//! The records of a `Query` answer, taken out of its bytes while they arrive.
//!
//! The SDK would build a map of owned strings for each record, which is most of the work of an export. Here a record is
//! read where it lies. What is left of the answer, its counts and the key of the next page, goes on to the SDK.

use usage_export::dynamo::StoreError;

use crate::json::{Cursor, RawString, Stop};
use crate::records::{Collector, RawRecord, Records, Value};

/// What is wrong with an answer as a whole. Asking again may help.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ScanError {
    /// Not what DynamoDB sends.
    #[error("the answer is no page of records")]
    Malformed,
    /// It ended too early.
    #[error("the answer is cut off")]
    CutOff,
    /// It arrived changed.
    #[error("the answer has the CRC-32 {found}, its header says {expected}")]
    Checksum {
        /// The header's.
        expected: u32,
        /// That of the bytes.
        found: u32,
    },
}

/// An answer of which a part has arrived.
#[derive(Debug, Default)]
pub struct Scan {
    place: Place,
    /// What has arrived and is not read yet: less than a record and a frame.
    unread: Vec<u8>,
    /// The answer without its records.
    envelope: Vec<u8>,
    collector: Collector,
    /// A record that cannot be written. The rest of the answer is read all the same.
    corrupt: Option<StoreError>,
    crc32: crc32fast::Hasher,
    expected_crc32: Option<u32>,
}

/// Where the next unread byte is.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Place {
    #[default]
    BeforeAll,
    /// In the answer, before its first member or after one.
    Answer {
        first: bool,
    },
    /// In `Items`.
    Items {
        first: bool,
    },
    AfterAll,
}

impl Scan {
    /// Nothing has arrived. `expected_crc32` is that of the header `x-amz-crc32`.
    pub fn new(expected_crc32: Option<u32>) -> Self {
        Self { expected_crc32, ..Self::default() }
    }

    /// Reads on, up to the last record that has arrived whole.
    ///
    /// # Errors
    ///
    /// [`ScanError::Malformed`].
    pub fn feed(&mut self, frame: &[u8]) -> Result<(), ScanError> {
        self.crc32.update(frame);
        let mut unread = std::mem::take(&mut self.unread);
        unread.extend_from_slice(frame);
        let mut read = 0;
        // Nothing ends without a brace: without one there is no need to look at a long record again.
        if frame.contains(&b'}') {
            loop {
                let mut cursor = Cursor::new(&unread[read..]);
                match self.step(&mut cursor) {
                    Ok(()) => read += cursor.at,
                    Err(Stop::Incomplete) => break,
                    Err(Stop::Malformed) => return Err(ScanError::Malformed),
                }
            }
        }
        unread.drain(..read);
        self.unread = unread;
        Ok(())
    }

    /// Takes one record, or one other member of the answer.
    fn step(&mut self, cursor: &mut Cursor<'_>) -> Result<(), Stop> {
        self.place = match self.place {
            Place::BeforeAll => {
                cursor.expect(b'{')?;
                self.envelope.push(b'{');
                Place::Answer { first: true }
            }
            Place::Answer { first } => {
                if cursor.next(first, b'}')? {
                    self.member(cursor)?
                } else {
                    self.envelope.push(b'}');
                    Place::AfterAll
                }
            }
            Place::Items { first } => {
                if cursor.next(first, b']')? {
                    let record = record(cursor)?;
                    if self.corrupt.is_none() {
                        self.corrupt = self.collector.push(&record).err();
                    }
                    Place::Items { first: false }
                } else {
                    Place::Answer { first: false }
                }
            }
            Place::AfterAll => {
                // Only white space may follow.
                return Err(cursor.peek().map_or_else(|stop| stop, |_| Stop::Malformed));
            }
        };
        Ok(())
    }

    fn member(&mut self, cursor: &mut Cursor<'_>) -> Result<Place, Stop> {
        cursor.peek()?;
        let start = cursor.at;
        if cursor.name()?.bytes == b"Items" {
            cursor.expect(b'[')?;
            return Ok(Place::Items { first: true });
        }
        cursor.skip()?;
        if self.envelope.len() > 1 {
            self.envelope.push(b',');
        }
        self.envelope.extend_from_slice(cursor.since(start));
        Ok(Place::Answer { first: false })
    }

    /// The answer without its records, once all of it has arrived.
    ///
    /// # Errors
    ///
    /// It is cut off, or arrived changed.
    pub fn end(&mut self) -> Result<Vec<u8>, ScanError> {
        let found = self.crc32.clone().finalize();
        if let Some(expected) = self.expected_crc32.filter(|expected| *expected != found) {
            return Err(ScanError::Checksum { expected, found });
        }
        if self.place != Place::AfterAll {
            return Err(ScanError::CutOff);
        }
        Ok(std::mem::take(&mut self.envelope))
    }

    /// The records.
    ///
    /// # Errors
    ///
    /// [`StoreError::Corrupt`] if one cannot be written.
    pub fn records(self) -> Result<Records, StoreError> {
        match self.corrupt {
            Some(error) => Err(error),
            None => self.collector.finish(),
        }
    }
}

/// The values of a record that an export can need, in whatever order they come. Of two with one name the last counts.
fn record<'a>(cursor: &mut Cursor<'a>) -> Result<RawRecord<'a>, Stop> {
    let mut record = RawRecord::default();
    let mut ignored = Value::Absent;
    cursor.expect(b'{')?;
    let mut first = true;
    while cursor.next(first, b'}')? {
        first = false;
        let name = cursor.name()?;
        let value = match name.bytes {
            b"SK" => &mut record.sort_key,
            b"workbook_id" => &mut record.workbook_id,
            b"user_id" => &mut record.user_id,
            b"credit_cost" => &mut record.credit_cost,
            b"finished_ts" => &mut record.finished_ts,
            _ => &mut ignored,
        };
        *value = attribute(cursor)?;
    }
    Ok(record)
}

/// A value with its type, such as `{"S":"usr_1"}`.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_AttributeValue.html>
fn attribute<'a>(cursor: &mut Cursor<'a>) -> Result<Value<'a>, Stop> {
    cursor.expect(b'{')?;
    let value = match cursor.name()?.bytes {
        b"S" => text(cursor.string()?),
        b"N" => Value::Number(cursor.string()?.bytes),
        kind => {
            cursor.skip()?;
            if kind == b"NULL" { Value::Absent } else { Value::Other }
        }
    };
    cursor.expect(b'}')?;
    Ok(value)
}

fn text(string: RawString<'_>) -> Value<'_> {
    if string.escaped { Value::Escaped(string.bytes) } else { Value::Text(string.bytes) }
}
