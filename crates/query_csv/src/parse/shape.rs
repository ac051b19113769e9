//! Record shapes: nearly every record of a table has the same names in the same order as one before it.
//!
//! So everything between two values is compared with the shape in one step, and a value is checked while its end is
//! searched. A record that fits no shape is taken name by name ([`record`](super::record)).

use std::cmp::Reverse;

use wide::{i8x16, u8x16};

use crate::formula::may_be_formula;
use crate::parse::attributes::{AttributeKind, Attributes};
use crate::parse::cursor::{Cursor, RawString, Stop};
use crate::parse::record::{RawRecord, RawValue, Record, take_by_name};
use crate::parse::timestamp::{TIMESTAMP_BYTES, is_timestamp};

/// How many shapes are remembered: enough for records with and without each of two optional attributes.
const MAX_SHAPES: usize = if cfg!(feature = "ablate_several_shapes") { 1 } else { 4 };

/// The shapes of the records so far.
#[derive(Debug, Default)]
pub(crate) struct Shapes(Vec<Shape>);

/// The names of a record's attributes in their order.
#[derive(Debug, Default, PartialEq)]
struct Shape {
    members: Vec<Member>,
    /// The indices of the attributes that it lacks.
    absent: Vec<usize>,
    /// The bytes behind the last value.
    end: Vec<u8>,
}

/// One value of a record.
#[derive(Debug, PartialEq)]
struct Member {
    /// The bytes between the previous value and this one, such as `"},"SK":{"S":"`.
    before: Vec<u8>,
    index: usize,
    kind: AttributeKind,
}

impl Shapes {
    /// Takes a record that has one of the shapes and can be written as it is; returns what follows it. On `None` the
    /// values of `record` are unspecified.
    #[inline]
    pub(crate) fn take<'a>(&self, bytes: &'a [u8], record: &mut Record<'a>) -> Option<&'a [u8]> {
        if cfg!(feature = "ablate_shapes") {
            return None;
        }
        self.0.iter().find_map(|shape| shape.take(bytes, record))
    }

    /// Takes any record name by name, and remembers its shape when others may have it.
    ///
    /// # Errors
    ///
    /// The record has not arrived whole, or is not one.
    pub(crate) fn learn<'a>(
        &mut self,
        attributes: &Attributes,
        cursor: &mut Cursor<'a>,
    ) -> Result<RawRecord<'a>, Stop> {
        let start = cursor.at;
        let mut draft = Draft { bytes: cursor.rest(), shape: Some(Shape::default()), end: 0 };
        let record = take_by_name(attributes, cursor, |attribute, value, end| {
            draft.add(attribute, value, end - start);
        })?;
        // A record without a sort key cannot be written, so its shape is of no use.
        if let Some(mut shape) = draft.shape.filter(|shape| shape.has(Attributes::SORT_KEY)) {
            shape.end = draft.bytes[draft.end..cursor.at - start].to_vec();
            shape.absent =
                attributes.iter().map(|(index, ..)| index).filter(|index| !shape.has(*index)).collect();
            self.add(shape);
        }
        Ok(record)
    }

    /// Adds a shape. Those with fewer members are the exception: they are tried last, and replaced first.
    fn add(&mut self, shape: Shape) {
        if self.0.contains(&shape) {
            return;
        }
        self.0.truncate(MAX_SHAPES - 1);
        self.0.push(shape);
        self.0.sort_by_key(|shape| Reverse(shape.members.len()));
    }
}

impl Shape {
    fn has(&self, index: usize) -> bool {
        self.members.iter().any(|member| member.index == index)
    }

    #[inline]
    fn take<'a>(&self, bytes: &'a [u8], record: &mut Record<'a>) -> Option<&'a [u8]> {
        let mut rest = bytes;
        for member in &self.members {
            rest = rest.strip_prefix(member.before.as_slice())?;
            let (value, after) = rest.split_at(value_length(member.kind, rest)?);
            record.values[member.index] = value;
            rest = after;
        }
        for index in &self.absent {
            record.values[*index] = &[];
        }
        rest.strip_prefix(self.end.as_slice())
    }
}

/// The shape of a record that is being taken name by name.
struct Draft<'a> {
    bytes: &'a [u8],
    /// `None` once a value does not have the type that its attribute should have.
    shape: Option<Shape>,
    /// Where the last value ended.
    end: usize,
}

impl Draft<'_> {
    /// Adds the value that ends at `end`.
    fn add(&mut self, (index, kind): (usize, AttributeKind), value: RawValue<'_>, end: usize) {
        let Some(shape) = &mut self.shape else { return };
        let length = match (kind, value) {
            (AttributeKind::Decimal | AttributeKind::Ignored, RawValue::Number(digits)) => Some(digits.len()),
            (AttributeKind::Decimal, _) => None,
            (_, RawValue::Text(RawString { bytes, escaped: false })) => Some(bytes.len()),
            _ => None,
        };
        let member = length.and_then(|length| {
            let before = self.bytes.get(self.end..end.checked_sub(length)?)?.to_vec();
            Some(Member { before, index, kind })
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

/// The length of the value that begins here. Returns `None` when it has not arrived whole, or cannot be written as it is.
#[inline]
fn value_length(kind: AttributeKind, bytes: &[u8]) -> Option<usize> {
    match kind {
        AttributeKind::SortKey => {
            let id = bytes.get(TIMESTAMP_BYTES + 1..)?;
            let has_time = bytes[TIMESTAMP_BYTES] == b'#' && is_timestamp(&bytes[..TIMESTAMP_BYTES]);
            Some(TIMESTAMP_BYTES + 1 + cell_length(id).filter(|_| has_time)?)
        }
        AttributeKind::Timestamp => {
            let is_time = *bytes.get(TIMESTAMP_BYTES)? == b'"' && is_timestamp(&bytes[..TIMESTAMP_BYTES]);
            is_time.then_some(TIMESTAMP_BYTES)
        }
        AttributeKind::Decimal => plain_number_length(bytes),
        AttributeKind::Text => cell_length(bytes),
        AttributeKind::Ignored => ordinary_length(bytes),
    }
}

/// The length of a text that is written as it is. Returns `None` also for one that a spreadsheet could run as a formula.
#[inline]
fn cell_length(bytes: &[u8]) -> Option<usize> {
    if may_be_formula(bytes) { None } else { ordinary_length(bytes) }
}

/// The length of a string up to its closing quote, when all its bytes are ASCII and none of them means something to JSON
/// or to CSV. Returns `None` for any other, and for one that ends within the last 15 bytes, because 16 are looked at
/// together.
#[inline]
fn ordinary_length(bytes: &[u8]) -> Option<usize> {
    let at = if cfg!(feature = "ablate_simd") {
        bytes.iter().position(|byte| matches!(byte, b'"' | b'\\' | b',' | ..0x20 | 0x80..))?
    } else {
        let (chunks, _) = bytes.as_chunks::<16>();
        chunks.iter().enumerate().find_map(|(index, chunk)| {
            let special = special(u8x16::from(*chunk)).to_bitmask();
            (special != 0).then(|| 16 * index + special.trailing_zeros() as usize)
        })?
    };
    (bytes[at] == b'"').then_some(at)
}

/// `0xff` in each byte that means something to JSON or to CSV, or is not ASCII.
#[inline]
fn special(bytes: u8x16) -> u8x16 {
    let is = |byte| bytes.simd_eq(u8x16::splat(byte));
    // As signed numbers, bytes from 0x80 on are negative, so this finds them and the control characters.
    let is_outside = bytes.cast_signed().simd_lt(i8x16::splat(0x20)).cast_unsigned();
    is_outside | is(b'"') | is(b'\\') | is(b',')
}

/// The length of a number up to its closing quote, when it has no exponent: digits, perhaps a minus before and a point
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
