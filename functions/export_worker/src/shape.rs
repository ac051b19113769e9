//! Records of an answer. Nearly every one has the shape of one before: the same names in the same order. So what is not
//! a value is compared with it at once, and a value is checked while its end is found. Whatever does not fit is read
//! name by name.
//!
//! Sixteen bytes are looked at together, which `wide` has an instruction for on x86-64 and on arm64.

use std::cmp::Reverse;

use usage_export::timestamp::{self, TEXT_BYTES};
use wide::{i8x16, u8x16};

use crate::json::{Cursor, Stop};
use crate::record::{Attribute, RawRecord, Record, Value};

/// The most shapes that are remembered: with and without the two attributes that a record may lack.
const MOST_SHAPES: usize = 4;

/// The shapes that records had.
#[derive(Debug, Default)]
pub struct Shapes(Vec<Shape>);

/// Names in their order.
#[derive(Debug, Default, PartialEq)]
struct Shape {
    members: Vec<Member>,
    /// What follows the last value.
    end: Expected,
}

/// A value of a record.
#[derive(Debug, PartialEq)]
struct Member {
    /// What is between the value before and this one, such as `"},"SK":{"S":"`.
    before: Expected,
    attribute: Attribute,
}

/// A text that is expected, of up to 32 bytes: so many are compared at once, without a loop and without a call.
#[derive(Debug, Default, PartialEq)]
struct Expected {
    halves: [u8x16; 2],
    /// Ones where it has bytes.
    masks: [u8x16; 2],
    length: usize,
}

impl Expected {
    /// `None` if it is too long.
    fn new(text: &[u8]) -> Option<Self> {
        let (mut bytes, mut mask) = ([0; 32], [0; 32]);
        bytes.get_mut(..text.len())?.copy_from_slice(text);
        mask[..text.len()].fill(0xff);
        Some(Self { halves: halves(&bytes), masks: halves(&mask), length: text.len() })
    }

    /// What follows it, if that is how the bytes begin. Of less than 32 bytes nobody knows.
    #[inline]
    fn strip<'a>(&self, bytes: &'a [u8]) -> Option<&'a [u8]> {
        let [first, second] = halves(bytes.first_chunk()?);
        let [first, second] = [first & self.masks[0], second & self.masks[1]];
        let is_alike = first.simd_eq(self.halves[0]) & second.simd_eq(self.halves[1]);
        is_alike.all().then(|| &bytes[self.length..])
    }
}

#[inline]
fn halves(bytes: &[u8; 32]) -> [u8x16; 2] {
    let (halves, _) = bytes.as_chunks::<16>();
    [u8x16::from(halves[0]), u8x16::from(halves[1])]
}

impl Shapes {
    /// Takes a record that can be written, if it has one of the shapes, and gives what follows it.
    #[inline]
    pub fn take<'a>(&self, bytes: &'a [u8]) -> Option<(Record<'a>, &'a [u8])> {
        self.0.iter().find_map(|shape| shape.take(bytes))
    }

    /// Takes any record, and remembers its shape if others may have it.
    ///
    /// # Errors
    ///
    /// It is not all there, or no record.
    pub fn learn<'a>(&mut self, cursor: &mut Cursor<'a>) -> Result<RawRecord<'a>, Stop> {
        let start = cursor.at;
        let mut learned = Learned { bytes: cursor.rest(), shape: Some(Shape::default()), end: 0 };
        let record = by_name(cursor, |attribute, value, end| {
            learned.add(attribute, value, end - start);
        })?;
        let end = Expected::new(&learned.bytes[learned.end..cursor.at - start]);
        if let (Some(shape), Some(end)) = (learned.shape, end) {
            self.add(Shape { end, ..shape });
        }
        Ok(record)
    }

    /// A record with fewer values is the exception: it comes last, and goes first.
    fn add(&mut self, shape: Shape) {
        if self.0.contains(&shape) {
            return;
        }
        self.0.truncate(MOST_SHAPES - 1);
        self.0.push(shape);
        self.0.sort_by_key(|shape| Reverse(shape.members.len()));
    }
}

impl Shape {
    #[inline]
    fn take<'a>(&self, bytes: &'a [u8]) -> Option<(Record<'a>, &'a [u8])> {
        let mut record = Record { is_ordinary: true, ..Record::default() };
        let mut rest = bytes;
        for member in &self.members {
            rest = member.before.strip(rest)?;
            let (value, after) = rest.split_at(value_length(member.attribute, rest)?);
            record.values[member.attribute] = value;
            rest = after;
        }
        Some((record, self.end.strip(rest)?))
    }
}

/// A shape that is being put together.
struct Learned<'a> {
    bytes: &'a [u8],
    /// Nothing if a value is not of the type that its attribute has.
    shape: Option<Shape>,
    /// Where the last value ended.
    end: usize,
}

impl Learned<'_> {
    /// A value ends here.
    fn add(&mut self, attribute: Attribute, value: Value<'_>, end: usize) {
        let Some(shape) = &mut self.shape else { return };
        let length = match (attribute, value) {
            (Attribute::CreditCost | Attribute::Other, Value::Number(text)) => Some(text.len()),
            (Attribute::CreditCost, _) => None,
            (_, Value::Text(text)) => Some(text.len()),
            _ => None,
        };
        let member = length.and_then(|length| {
            let before = Expected::new(self.bytes.get(self.end..end.checked_sub(length)?)?)?;
            Some(Member { before, attribute })
        });
        match member {
            Some(member) => {
                shape.members.push(member);
                self.end = end;
            }
            None => self.shape = None,
        }
    }
}

/// The length of the value that begins here, if it is all there and can be written as it is.
#[inline]
fn value_length(attribute: Attribute, bytes: &[u8]) -> Option<usize> {
    match attribute {
        Attribute::SortKey => {
            let run_id = bytes.get(TEXT_BYTES + 1..)?;
            let is_start = bytes[TEXT_BYTES] == b'#' && timestamp::is_text(&bytes[..TEXT_BYTES]);
            Some(TEXT_BYTES + 1 + ordinary_length(run_id).filter(|_| is_start)?)
        }
        Attribute::FinishedTs => {
            let is_time = *bytes.get(TEXT_BYTES)? == b'"' && timestamp::is_text(&bytes[..TEXT_BYTES]);
            is_time.then_some(TEXT_BYTES)
        }
        Attribute::CreditCost => plain_number_length(bytes),
        _ => ordinary_length(bytes),
    }
}

/// The length of a string up to its closing quote, if no byte of it means something to JSON or to CSV, and all are
/// ASCII. Of what ends in the last few bytes nobody knows.
#[inline]
fn ordinary_length(bytes: &[u8]) -> Option<usize> {
    let (chunks, _) = bytes.as_chunks::<16>();
    chunks
        .iter()
        .enumerate()
        .find_map(|(index, chunk)| {
            let special = special(u8x16::from(*chunk)).to_bitmask();
            (special != 0).then(|| 16 * index + special.trailing_zeros() as usize)
        })
        .filter(|at| bytes[*at] == b'"')
}

/// Ones where a byte means something, or is not ASCII.
#[inline]
fn special(bytes: u8x16) -> u8x16 {
    let is = |byte| bytes.simd_eq(u8x16::splat(byte));
    let is_outside = bytes.cast_signed().simd_lt(i8x16::splat(0x20)).cast_unsigned();
    is_outside | is(b'"') | is(b'\\') | is(b',')
}

/// The length of a number up to its closing quote, if it has no exponent: digits, perhaps a sign before and a point
/// between them.
#[inline]
fn plain_number_length(bytes: &[u8]) -> Option<usize> {
    let digits = |start: usize| {
        let count = bytes[start..].iter().position(|byte| !byte.is_ascii_digit())?;
        (count > 0).then_some(start + count)
    };
    let mut end = digits(usize::from(bytes.first() == Some(&b'-')))?;
    if bytes[end] == b'.' {
        end = digits(end + 1)?;
    }
    (bytes[end] == b'"').then_some(end)
}

/// The values of a record, in whatever order they come. Of two with one name the last counts. `each` hears where a
/// value ended.
fn by_name<'a>(
    cursor: &mut Cursor<'a>,
    mut each: impl FnMut(Attribute, Value<'a>, usize),
) -> Result<RawRecord<'a>, Stop> {
    let mut record = RawRecord::default();
    cursor.expect(b'{')?;
    let mut first = true;
    while cursor.next(first, b'}')? {
        first = false;
        let attribute =
            Attribute::named(&Value::from(cursor.name()?).text("a name").map_err(|_| Stop::Malformed)?);
        cursor.expect(b'{')?;
        let kind = cursor.plain_name()?;
        let value = match kind {
            b"S" => cursor.string()?.into(),
            b"N" => Value::Number(cursor.string()?.bytes),
            kind => {
                cursor.skip()?;
                if kind == b"NULL" { Value::Absent } else { Value::Other }
            }
        };
        // The cursor is behind the closing quote, if there is one.
        each(attribute, value, cursor.at - 1);
        record[attribute] = value;
        cursor.expect(b'}')?;
    }
    Ok(record)
}
