//! How far a worker is with a file: what another worker needs to go on, and what both count.

use serde::{Deserialize, Serialize};

/// How far a file is after a part of its upload: everything that another worker needs to go on with the same bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// The id of the multipart upload in S3.
    pub upload_id: String,
    /// How many parts are uploaded; they are numbered from 1. S3 keeps their `ETag`s.
    pub parts: i32,
    /// The last usage record whose row is in those parts, or that was left out before their end.
    pub position: Position,
    /// What was counted up to that position.
    pub counts: Counts,
    /// CRC-32 of the bytes in those parts.
    pub crc32: u32,
}

/// The keys of a usage record, or the end of a partition: everything up to it is read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// The partition: workspace and month.
    pub partition_key: String,
    /// The record's start and run id, or the end of the interval.
    pub sort_key: String,
}

/// What becomes of the usage records of an export: each record that is read is either left out or written as a row.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Records that DynamoDB says it has read.
    pub read: u64,
    /// Records that are left out because their workbook is not among the request's `entity_ids`.
    pub filtered: u64,
    /// Rows in the file, without the header.
    pub written: u64,
    /// Bytes in the file, the header included.
    pub bytes: u64,
}

impl Counts {
    /// Whether every record that was read is either left out or written. A file whose counts do not agree is withheld.
    ///
    /// ```
    /// use usage_export::export::Counts;
    /// assert!(Counts { read: 5, filtered: 2, written: 3, bytes: 99 }.agree());
    /// assert!(!Counts { read: 5, filtered: 2, written: 2, bytes: 99 }.agree());
    /// ```
    pub fn agree(self) -> bool {
        self.read == self.filtered + self.written
    }
}
