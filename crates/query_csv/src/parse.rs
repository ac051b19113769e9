//! From the bytes of an answer to records. Nothing here knows columns, cells or files.
//!
//! [`answer`] finds the records of an answer and takes each from it by its [`shape`], or else name by name
//! ([`record`]). [`cursor`] is as much of JSON as that needs; [`decimal`] and [`timestamp`] check values.

mod answer;
mod attributes;
mod cursor;
mod decimal;
mod record;
mod shape;
mod timestamp;

pub(crate) use answer::{AnswerError, AnswerParser};
pub(crate) use attributes::{AttributeKind, Attributes};
pub(crate) use record::Record;
pub use record::RecordError;
pub(crate) use timestamp::TIMESTAMP_BYTES;
