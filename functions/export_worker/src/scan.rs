//! The records of a `Query` answer, taken out of its bytes while they arrive.
//!
//! The SDK would build a map of owned strings for each record, which is most of the work of an export. Here a record is
//! read where it lies. What is left of the answer, its counts and the key of the next page, goes on to the SDK.

use usage_export::error::AwsError;

use crate::columns::KnownCells;
use crate::json::{Cursor, Stop};
use crate::rows::{RowWriter, Rows};
use crate::shape::Shapes;

/// How much of a frame is first put behind what the last one left over: most records are shorter.
const FIRST_COPY: usize = 1024;

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
#[derive(Debug)]
pub struct Scan {
    place: Place,
    has_items: bool,
    /// What has arrived and is not read yet: less than a record.
    unread: Vec<u8>,
    /// The answer without its records.
    envelope: Vec<u8>,
    shapes: Shapes,
    writer: RowWriter,
    /// A record that cannot be written. The rest of the answer is read all the same.
    corrupt: Option<AwsError>,
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
    pub fn new(writer: RowWriter, expected_crc32: Option<u32>) -> Self {
        Self {
            place: Place::default(),
            has_items: false,
            unread: Vec::new(),
            envelope: Vec::new(),
            shapes: Shapes::default(),
            writer,
            corrupt: None,
            crc32: crc32fast::Hasher::new(),
            expected_crc32,
        }
    }

    /// Reads on, up to the last record that has arrived whole.
    ///
    /// # Errors
    ///
    /// [`ScanError::Malformed`].
    pub fn feed(&mut self, frame: &[u8]) -> Result<(), ScanError> {
        self.crc32.update(frame);
        let columns = self.writer.columns();
        let known = &mut columns.known();
        let rest = self.finish_unread(frame, known)?;
        let read = self.read(rest, known)?;
        self.unread.extend_from_slice(&rest[read..]);
        Ok(())
    }

    /// Completes what the last frame left over with the beginning of this one; gives the rest of this one. Only so much
    /// is copied as is needed.
    fn finish_unread<'a>(&mut self, frame: &'a [u8], known: &mut KnownCells) -> Result<&'a [u8], ScanError> {
        if self.unread.is_empty() {
            return Ok(frame);
        }
        let mut unread = std::mem::take(&mut self.unread);
        // Of `unread`, how much is from before this frame.
        let (mut left_over, mut copied) = (unread.len(), 0);
        let mut more = FIRST_COPY;
        while copied < frame.len() {
            let next = &frame[copied..frame.len().min(copied + more)];
            copied += next.len();
            more *= 2;
            unread.extend_from_slice(next);
            // Nothing ends without a brace: without one there is no need to look at a long record again.
            if !next.contains(&b'}') {
                continue;
            }
            let read = self.read(&unread, known)?;
            if read >= left_over {
                return Ok(&frame[read - left_over..]);
            }
            unread.drain(..read);
            left_over -= read;
        }
        self.unread = unread;
        Ok(&[])
    }

    /// Reads as long as something is whole; gives how many bytes that took.
    fn read(&mut self, bytes: &[u8], known: &mut KnownCells) -> Result<usize, ScanError> {
        let mut read = 0;
        loop {
            let mut cursor = Cursor::new(&bytes[read..]);
            match self.step(&mut cursor, known) {
                Ok(()) => read += cursor.at,
                Err(Stop::Incomplete) => return Ok(read),
                Err(Stop::Malformed) => return Err(ScanError::Malformed),
            }
        }
    }

    /// Takes one record, or one other member of the answer.
    fn step(&mut self, cursor: &mut Cursor<'_>, known: &mut KnownCells) -> Result<(), Stop> {
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
                // A step of its own: what it took is taken, even if nothing whole follows.
                if !first && self.of_known_shape(cursor, known) {
                    Place::Items { first: false }
                } else if cursor.next(first, b']')? {
                    let record = self.shapes.learn(cursor)?;
                    if self.corrupt.is_none() {
                        self.corrupt = self.writer.push(&record, known).err();
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

    /// Takes records as long as they are like those before; says whether there were any.
    fn of_known_shape(&mut self, cursor: &mut Cursor<'_>, known: &mut KnownCells) -> bool {
        let bytes = cursor.rest();
        let mut rest = bytes;
        while let [b',', record @ ..] = rest
            && let Some((record, after)) = self.shapes.take(record)
        {
            if self.corrupt.is_none() {
                self.corrupt = self.writer.write(&record, known).err();
            }
            rest = after;
        }
        cursor.at += bytes.len() - rest.len();
        rest.len() < bytes.len()
    }

    fn member(&mut self, cursor: &mut Cursor<'_>) -> Result<Place, Stop> {
        cursor.peek()?;
        let start = cursor.at;
        if cursor.plain_name()? == b"Items" {
            cursor.expect(b'[')?;
            // Of two the SDK would take one.
            if std::mem::replace(&mut self.has_items, true) {
                return Err(Stop::Malformed);
            }
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
    /// It is cut off, arrived changed, or something follows it.
    pub fn end(&mut self) -> Result<Vec<u8>, ScanError> {
        let found = self.crc32.clone().finalize();
        if let Some(expected) = self.expected_crc32.filter(|expected| *expected != found) {
            return Err(ScanError::Checksum { expected, found });
        }
        if self.place != Place::AfterAll {
            return Err(ScanError::CutOff);
        }
        if Cursor::new(&self.unread).peek().is_ok() {
            return Err(ScanError::Malformed);
        }
        Ok(std::mem::take(&mut self.envelope))
    }

    /// The rows.
    ///
    /// # Errors
    ///
    /// [`AwsError::Corrupt`] if a record cannot be written.
    pub fn rows(self) -> Result<Rows, AwsError> {
        match self.corrupt {
            Some(error) => Err(error),
            None => Ok(self.writer.finish()),
        }
    }
}
