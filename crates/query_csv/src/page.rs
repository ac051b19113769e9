//! One answer of `Query`: its frames in, its rows out.

use std::sync::Arc;

use decimal_sum::DecimalSum;

use crate::cells::CellCache;
use crate::layout::RowLayout;
use crate::parse::{AnswerError, AnswerParser, RecordError};
use crate::pool::BufferPool;
use crate::write::{MissingIds, Placeholder, RowWriter};

/// Why an answer gives no page.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PageError {
    /// The bytes are not an answer of `Query`. Asking again may help.
    #[error("the answer is not a page of records")]
    Malformed,
    /// The answer ended early. Asking again may help.
    #[error("the answer is cut off")]
    CutOff,
    /// The bytes changed on the way. Asking again may help.
    #[error("the answer has the CRC-32 {found:08x}, its header says {expected:08x}")]
    Checksum {
        /// The CRC-32 in the answer's header.
        expected: u32,
        /// The CRC-32 of the bytes.
        found: u32,
    },
    /// A record cannot be written. Asking again does not help.
    #[error(transparent)]
    Record(#[from] RecordError),
}

/// Cells that a page still misses although it is being completed: the caller has not inserted them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no cells were inserted for the id {id} of the join {join}")]
pub struct MissingCells {
    /// The number of the join, its position in [`RowLayout::joins`].
    pub join: usize,
    /// The first id that has no cells.
    pub id: String,
}

/// How many records of a page became rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Records that became a row of the page.
    pub written: u64,
    /// Records without a row, because of [`RowLayout::only`].
    pub left_out: u64,
}

/// Reads one answer of `Query` while it arrives. The crate's documentation has an example.
#[derive(Debug)]
pub struct PageReader {
    parser: AnswerParser,
    writer: RowWriter,
    cells: Arc<CellCache>,
    expected_crc32: Option<u32>,
    crc32: crc32fast::Hasher,
}

impl PageReader {
    /// A reader of one answer. `constants` are the texts of the [`Column::Constant`]s; one that is missing is an empty cell.
    ///
    /// `crc32` is the checksum of the body, which DynamoDB sends in the header `x-amz-crc32`. Without it a change on the way
    /// can go unnoticed.
    ///
    /// [`Column::Constant`]: crate::Column::Constant
    pub fn new(
        layout: &Arc<RowLayout>,
        cells: &Arc<CellCache>,
        pool: &BufferPool,
        constants: &[&str],
        crc32: Option<u32>,
    ) -> Self {
        let rows = pool.acquire();
        Self {
            parser: AnswerParser::new(layout.attributes.clone()),
            writer: RowWriter::new(Arc::clone(layout), constants, rows),
            cells: Arc::clone(cells),
            expected_crc32: crc32,
            crc32: crc32fast::Hasher::new(),
        }
    }

    /// Reads the next bytes of the answer, in pieces of any size, and writes the rows of all records that are whole by then.
    ///
    /// # Errors
    ///
    /// [`PageError::Malformed`]; the reader accepts no further frame after that.
    pub fn feed(&mut self, frame: &[u8]) -> Result<(), PageError> {
        self.crc32.update(frame);
        let cells = self.cells.read();
        let writer = &mut self.writer;
        self.parser.feed(frame, &mut |record| writer.write(record, &cells))?;
        Ok(())
    }

    /// Ends the answer.
    ///
    /// # Errors
    ///
    /// [`PageError`] if the answer is invalid. None of its rows may be used then.
    pub fn finish(self) -> Result<Page, PageError> {
        let found = self.crc32.finalize();
        if let Some(expected) = self.expected_crc32.filter(|expected| *expected != found) {
            return Err(PageError::Checksum { expected, found });
        }
        let (envelope, record_error) = self.parser.finish()?;
        if let Some(error) = record_error {
            return Err(error.into());
        }
        let RowWriter { rows, placeholders, missing, counts, times, sum, lacking, .. } = self.writer;
        let times =
            (counts.written > 0).then(|| times.map(|time| String::from_utf8_lossy(&time).into_owned()));
        Ok(Page { envelope, counts, times, sum: sum.finish(), lacking, rows, placeholders, missing })
    }
}

impl From<AnswerError> for PageError {
    fn from(error: AnswerError) -> Self {
        match error {
            AnswerError::Malformed => Self::Malformed,
            AnswerError::CutOff => Self::CutOff,
        }
    }
}

/// The rows of one answer.
#[derive(Debug)]
pub struct Page {
    /// The answer without its records, as JSON: counts, the key of the next page, consumed capacity.
    pub envelope: Vec<u8>,
    /// How many records became rows.
    pub counts: Counts,
    /// The times in the sort keys of the first and the last record that became rows. Since `Query` sorts by the sort key, no
    /// row has an earlier or a later one. `None` if there are no rows.
    pub times: Option<[String; 2]>,
    /// The exact sum of the column that [`RowLayout::sum_of`] names, over the records that became rows. 0 without one.
    pub sum: DecimalSum,
    /// For each attribute, in the order of [`RowLayout::attributes`], how many of the records that became rows lack it: it is
    /// absent, `NULL` or an empty text. Its cells are empty in those rows, also those that are joined by it.
    pub lacking: Vec<u64>,
    rows: Vec<u8>,
    placeholders: Vec<Placeholder>,
    missing: Vec<MissingIds>,
}

impl Page {
    /// Which ids of a join have to be looked up and given to [`CellCache::insert`] before [`Page::into_rows`]. Pages that were
    /// completed since this one was read may have added some of its ids, which are not listed.
    ///
    /// # Panics
    ///
    /// Panics if the layout has no join of this number.
    pub fn missing_ids(&self, join: usize, cells: &CellCache) -> Vec<&str> {
        cells.make_room_for(join, &self.missing[join].ids)
    }

    /// Which ids of [`Page::missing_ids`] are not there, after they were inserted: another page that needed room may have made the cache
    /// forget them. This makes no room, so that what was just inserted stays, however large it is.
    ///
    /// # Panics
    ///
    /// As for [`Page::missing_ids`].
    pub fn still_missing_ids(&self, join: usize, cells: &CellCache) -> Vec<&str> {
        cells.lacking(join, &self.missing[join].ids)
    }

    /// How many bytes the rows have so far, without the cells that are joined to them.
    pub fn bytes(&self) -> usize {
        self.rows.len()
    }

    /// The rows, complete, each with CRLF.
    ///
    /// # Errors
    ///
    /// [`MissingCells`] if an id of [`Page::missing_ids`] was not inserted.
    pub fn into_rows(self, cells: &CellCache, pool: &BufferPool) -> Result<Vec<u8>, MissingCells> {
        if self.placeholders.is_empty() {
            return Ok(self.rows);
        }
        let cells = cells.read();
        let mut pieces = Vec::with_capacity(self.placeholders.len());
        for Placeholder { at, join, group, id } in self.placeholders {
            let id = &self.missing[join].ids[id];
            let found = cells.find(join, id.as_bytes());
            let found = found.ok_or_else(|| MissingCells { join, id: id.clone() })?;
            pieces.push((at, found.group(group)));
        }
        let mut rows = pool.acquire();
        rows.reserve_exact(self.rows.len() + pieces.iter().map(|(_, piece)| piece.len()).sum::<usize>());
        let mut copied = 0;
        for (at, piece) in pieces {
            rows.extend_from_slice(&self.rows[copied..at]);
            rows.extend_from_slice(piece);
            copied = at;
        }
        rows.extend_from_slice(&self.rows[copied..]);
        pool.release(self.rows);
        Ok(rows)
    }
}
