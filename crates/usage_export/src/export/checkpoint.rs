//! How far a worker is with a file: what another worker needs to go on, and what both count.

use std::ops::AddAssign;

use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer, Serialize};

/// How far a file is: everything that another worker needs to go on with the same bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// The id of the multipart upload in S3; absent for a segment of which no part was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upload_id: Option<String>,
    /// The numbers of the parts that have arrived, in the order of the file. S3 keeps their `ETag`s.
    pub parts: PartNumbers,
    /// CRC-32 of the bytes in those parts.
    pub crc32: u32,
    /// The rows behind those parts; absent if there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tail: Option<SideObject>,
    /// The manifest of the rows in the parts and the tail; that of the file once all is read.
    pub manifest: SideObject,
    /// The last usage record whose row is in the parts or the tail, or that was left out before their end. Absent if the
    /// export has no partitions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<Position>,
    /// What was counted up to that position.
    pub counts: Counts,
    /// The number of the first part behind those, once the export's own range is read and its segments are joined. From then on
    /// numbers and bytes of all parts are fixed, whichever worker sends them. Absent before, and if there are no segments.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub join_from: Option<u32>,
    /// Whether every partition is read and every row is in a part: only completing the upload is left.
    #[serde(default)]
    pub all_read: bool,
}

/// Reads a checkpoint, if this version can.
pub(crate) fn readable<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Checkpoint>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Stored {
        Readable(Box<Checkpoint>),
        Other(IgnoredAny),
    }
    Ok(match Option::deserialize(deserializer)? {
        Some(Stored::Readable(checkpoint)) => Some(*checkpoint),
        Some(Stored::Other(IgnoredAny)) | None => None,
    })
}

/// An object beside the file: a tail, which holds the rows that are not yet in a part because S3 wants parts of 5 MiB, or a
/// [manifest](super::manifest).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SideObject {
    /// The key of the object.
    pub key: String,
    /// How many bytes it has.
    pub bytes: u64,
    /// CRC-32 of those bytes.
    pub crc32: u32,
}

/// The numbers of a file's parts, in the order of the file.
///
/// A part's number is its place in the file plus [`MAX_UNSAVED_PARTS`] for each claim before the one of the worker that sends
/// it. A worker sends no more parts than that before it saves, under its lease, that they have arrived. So what a worker that
/// lost its lease may have sent, and no checkpoint has, has lower numbers than all that the next lease owner sends: a part of a
/// checkpoint is never overwritten, however late another part arrives.
///
/// ```
/// use usage_export::export::PartNumbers;
/// let mut parts = PartNumbers::default();
/// assert_eq!([parts.push(1), parts.push(1)], [1, 2], "the first claim");
/// let mut continued = parts.clone();
/// // The first lease owner still sends a third part, and so does the next one.
/// assert_eq!((parts.push(1), continued.push(2)), (3, 11));
/// assert_eq!(continued.push(2), 12);
/// assert!(continued.contains(2) && !continued.contains(3));
/// assert_eq!(continued.len(), 4);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartNumbers(Vec<Consecutive>);

/// How many parts a worker may send that no checkpoint has.
pub const MAX_UNSAVED_PARTS: u32 = 8;

/// Parts with consecutive numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Consecutive {
    first: u32,
    count: u32,
}

impl PartNumbers {
    /// Appends a part that the lease owner of this epoch sends, and returns its number. Epochs begin with 1.
    pub fn push(&mut self, epoch: u32) -> u32 {
        let claims_before = epoch.saturating_sub(1);
        let number = self.len() + 1 + claims_before.saturating_mul(MAX_UNSAVED_PARTS);
        match self.0.last_mut() {
            Some(last) if last.first + last.count == number => last.count += 1,
            _ => self.0.push(Consecutive { first: number, count: 1 }),
        }
        number
    }

    /// Appends `count` parts with consecutive numbers from `first` on.
    pub fn append(&mut self, first: u32, count: u32) {
        if count > 0 {
            self.0.push(Consecutive { first, count });
        }
    }

    /// How many parts there are.
    pub fn len(&self) -> u32 {
        self.0.iter().map(|parts| parts.count).sum()
    }

    /// Whether there are no parts.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a part with this number belongs to the file.
    pub fn contains(&self, number: u32) -> bool {
        self.0.iter().any(|parts| (parts.first..parts.first + parts.count).contains(&number))
    }
}

/// The keys of a usage record, or the end of a partition: everything up to it is read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// The partition: workspace and month.
    pub partition_key: String,
    /// The record's start and run id, or [`LAST_SORT_KEY`](crate::usage::LAST_SORT_KEY).
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
    /// Read units that those records cost. What was read again after a worker had died is not counted.
    /// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html>
    #[serde(default)]
    pub read_units: u64,
}

impl Counts {
    /// Whether every record that was read is either left out or written. A file whose counts do not agree is withheld.
    ///
    /// ```
    /// use usage_export::export::Counts;
    /// assert!(Counts { read: 5, filtered: 2, written: 3, ..Counts::default() }.agree());
    /// assert!(!Counts { read: 5, filtered: 2, written: 2, ..Counts::default() }.agree());
    /// ```
    pub fn agree(self) -> bool {
        self.read == self.filtered + self.written
    }
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.read += other.read;
        self.filtered += other.filtered;
        self.written += other.written;
        self.bytes += other.bytes;
        self.read_units += other.read_units;
    }
}

/// A CRC-32 as the table, the API and the manifest write it.
///
/// ```
/// assert_eq!(usage_export::export::checksum_text(0xa1b2c3d), "crc32:0a1b2c3d");
/// ```
pub fn checksum_text(crc32: u32) -> String {
    format!("crc32:{crc32:08x}")
}
