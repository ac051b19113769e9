//! One record of an answer. Nearly every one has the shape of the one before: the same names in the same order, values
//! of the same lengths. So what is not a value is compared with it at once, and the end of a value is where it was.
//! Whatever does not fit is read name by name.

use memchr::memchr2;

use crate::json::{Cursor, RawString, Stop};
use crate::record::{Attribute, RawRecord, Value};
use crate::special;

/// The shape of the last record that was read name by name.
#[derive(Debug, Default)]
pub struct Shape {
    members: Vec<Member>,
    /// What follows the last value.
    end: Expected,
}

/// A string or a number of a record.
#[derive(Debug)]
struct Member {
    /// What is between the value before and this one, such as `"},"SK":{"S":"`.
    before: Expected,
    attribute: Attribute,
    is_number: bool,
    /// How long the last value was.
    length: usize,
}

/// A text that is expected, of up to 32 bytes: so many are compared at once, and without a loop.
#[derive(Debug, Default)]
struct Expected {
    bytes: [u8; EXPECTED_BYTES],
    /// Ones where it has bytes.
    mask: [u8; EXPECTED_BYTES],
    length: usize,
}

const EXPECTED_BYTES: usize = 32;

impl Expected {
    /// `None` if it is too long.
    fn new(text: &[u8]) -> Option<Self> {
        let mut expected = Self { length: text.len(), ..Self::default() };
        expected.bytes.get_mut(..text.len())?.copy_from_slice(text);
        expected.mask[..text.len()].fill(0xff);
        Some(expected)
    }

    /// What follows it, if that is how the bytes begin.
    #[inline]
    fn strip<'a>(&self, bytes: &'a [u8]) -> Option<&'a [u8]> {
        match bytes.first_chunk::<EXPECTED_BYTES>() {
            Some(first) => {
                let masked: [u8; EXPECTED_BYTES] = std::array::from_fn(|at| first[at] & self.mask[at]);
                (masked == self.bytes).then(|| &bytes[self.length..])
            }
            None => bytes.strip_prefix(&self.bytes[..self.length]),
        }
    }
}

impl Shape {
    /// Takes a record.
    pub fn record<'a>(&mut self, cursor: &mut Cursor<'a>) -> Result<RawRecord<'a>, Stop> {
        let bytes = cursor.rest();
        if let Some((record, length)) = self.same(bytes) {
            cursor.at += length;
            return Ok(record);
        }
        let start = cursor.at;
        let mut learned = Learned { bytes: cursor.rest(), shape: Some(Self::default()), end: 0 };
        let record = by_name(cursor, |attribute, is_number, end, length| {
            learned.add(attribute, is_number, end - start, length);
        })?;
        let end = Expected::new(&learned.bytes[learned.end..cursor.at - start]);
        if let (Some(mut shape), Some(end)) = (learned.shape, end) {
            shape.end = end;
            // A record with a value less is the exception.
            if shape.members.len() >= self.members.len() {
                *self = shape;
            }
        }
        Ok(record)
    }

    /// A record of this shape, and its length.
    fn same<'a>(&mut self, bytes: &'a [u8]) -> Option<(RawRecord<'a>, usize)> {
        if self.members.is_empty() {
            return None;
        }
        let mut record = RawRecord::default();
        let mut rest = bytes;
        for member in &mut self.members {
            rest = member.before.strip(rest)?;
            member.length = value_length(rest, member.length)?;
            let (value, after) = rest.split_at(member.length);
            record[member.attribute] =
                if member.is_number { Value::Number(value) } else { Value::Text(value) };
            rest = after;
        }
        rest = self.end.strip(rest)?;
        Some((record, bytes.len() - rest.len()))
    }
}

/// A shape that is being put together.
struct Learned<'a> {
    bytes: &'a [u8],
    /// Nothing if a value is not plain.
    shape: Option<Shape>,
    /// Where the last value ended.
    end: usize,
}

impl Learned<'_> {
    /// A value ends here, if it is plain.
    fn add(&mut self, attribute: Attribute, is_number: Option<bool>, end: usize, length: usize) {
        let Some(shape) = &mut self.shape else { return };
        let before = Expected::new(&self.bytes[self.end..end - length]);
        let (Some(is_number), Some(before)) = (is_number, before) else {
            self.shape = None;
            return;
        };
        shape.members.push(Member { before, attribute, is_number, length });
        self.end = end;
    }
}

/// The length of the string that begins here, if it has no escapes and is all there. It is mostly the one before's.
fn value_length(bytes: &[u8], last: usize) -> Option<usize> {
    if bytes.get(last) == Some(&b'"') && !special::any(&bytes[..last], ends_or_escapes) {
        return Some(last);
    }
    let length = memchr2(b'"', b'\\', bytes)?;
    (bytes[length] == b'"').then_some(length)
}

#[expect(clippy::needless_bitwise_bool, reason = "as special::any wants it")]
fn ends_or_escapes(byte: u8) -> bool {
    (byte == b'"') | (byte == b'\\')
}

/// The values of a record, in whatever order they come. Of two with one name the last counts. `each` hears where a
/// value ended and how long it was; whether it is a number, if it is plain.
fn by_name<'a>(
    cursor: &mut Cursor<'a>,
    mut each: impl FnMut(Attribute, Option<bool>, usize, usize),
) -> Result<RawRecord<'a>, Stop> {
    let mut record = RawRecord::default();
    cursor.expect(b'{')?;
    let mut first = true;
    while cursor.next(first, b'}')? {
        first = false;
        let attribute = Attribute::named(cursor.name()?.bytes);
        cursor.expect(b'{')?;
        let kind = cursor.name()?.bytes;
        let value = match kind {
            b"S" => text(cursor.string()?),
            b"N" => number(cursor.string()?),
            kind => {
                cursor.skip()?;
                if kind == b"NULL" { Value::Absent } else { Value::Other }
            }
        };
        match value {
            // The cursor is behind the closing quote.
            Value::Text(bytes) => each(attribute, Some(false), cursor.at - 1, bytes.len()),
            Value::Number(bytes) if memchr2(b'"', b'\\', bytes).is_none() => {
                each(attribute, Some(true), cursor.at - 1, bytes.len());
            }
            _ => each(attribute, None, cursor.at, 0),
        }
        record[attribute] = value;
        cursor.expect(b'}')?;
    }
    Ok(record)
}

fn text(string: RawString<'_>) -> Value<'_> {
    if string.escaped { Value::Escaped(string.bytes) } else { Value::Text(string.bytes) }
}

fn number(string: RawString<'_>) -> Value<'_> {
    Value::Number(string.bytes)
}
