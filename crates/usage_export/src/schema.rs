//! JSON schemas of texts that have a form of their own. The types stand for the texts in schemas, and have no values.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use crate::id::MAX_ID_BYTES;

/// What texts look like that [`crate::export::interval`] reads as dates. Not all of them are days of the calendar.
pub const DATE_PATTERN: &str = r"^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])([Tt ]([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,9})?)?([Zz]|[+-]([01]\d|2[0-3])(:?[0-5]\d)?)?)?$";

/// Names a type of this module, and says what its text is like.
macro_rules! text {
    ($($(#[doc = $doc:expr])+ $name:ident => $schema:tt)+) => {$(
        $(#[doc = $doc])+
        #[derive(Debug)]
        pub enum $name {}

        impl JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!($schema)
            }
        }
    )+};
}

text! {
    /// An instant as [`crate::timestamp`] writes it.
    Timestamp => {
        "type": "string",
        "format": "date-time",
        "pattern": r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$",
        "description": "ISO 8601, in UTC, with milliseconds.",
        "examples": ["2025-01-31T09:30:00.000Z"],
    }
    /// The id of an export as [`crate::export::created_ts_of_id`] reads it.
    ExportId => {
        "type": "string",
        "format": "uuid",
        "pattern": "^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$",
        "description": "A UUIDv7, in small letters.",
        "examples": ["019ab0a2-0700-7000-8000-000000000001"],
    }
    /// An id in a request.
    Id => {
        "type": "string",
        "minLength": 1,
        "maxLength": MAX_ID_BYTES,
        "pattern": r"\S",
        "description": format!("At most {MAX_ID_BYTES} bytes of UTF-8, and not blank."),
    }
    /// The id of the user for whom a request acts.
    UserId => {
        "type": "string",
        "minLength": 1,
        "maxLength": MAX_ID_BYTES,
        "pattern": r"\S",
        "description": "The user for whom the request acts: of a personal key its owner, of an organization key any member.",
    }
    /// A date that [`crate::export::interval`] reads.
    StartDate => {
        "type": "string",
        "pattern": DATE_PATTERN,
        "description": "The first instant that is included: an ISO 8601 date, or date and time. It is in UTC unless it has an offset.",
        "examples": ["2025-01-01", "2025-01-01T00:00:00", "2025-01-01T00:00:00Z", "2025-01-01T00:00:00+02:00"],
    }
    /// A date that [`crate::export::interval`] reads as an end.
    EndDate => {
        "type": "string",
        "pattern": DATE_PATTERN,
        "description": "As `start_date`. A bare date or a midnight, in its own offset, includes that whole day; any other time is the last \
                        instant that is included. Not before the start, and at most 100 years after it.",
        "examples": ["2025-01-31", "2025-01-31T12:30:00Z"],
    }
    /// Where a page of events begins.
    EventCursor => {
        "type": "string",
        "pattern": "^[A-Za-z0-9_-]+$",
        "description": "Opaque.",
    }
    /// The checksum of a file.
    Checksum => {
        "type": "string",
        "pattern": "^crc32:[0-9a-f]{8}$",
        "examples": ["crc32:0a1b2c3d"],
    }
    /// A decimal number that is exact.
    Decimal => {
        "type": "string",
        "pattern": r"^-?\d+(\.\d+)?$",
        "description": "An exact decimal number, never rounded.",
        "examples": ["1234.5678"],
    }
    /// The text of [`crate::usage::Month`].
    Month => {
        "type": "string",
        "pattern": r"^\d{4}-(0[1-9]|1[0-2])$",
    }
}
