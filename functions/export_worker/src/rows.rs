//! The rows of a page, written while its records are read.

use std::sync::Arc;

use usage_export::dynamo::{Item, StoreError};
use usage_export::timestamp::{self, TEXT_BYTES};
use usage_export::usage;

use crate::columns::{Columns, EMPTY_ROW, KnownCells, Piece};
use crate::csv::write_cell;
use crate::known::{Known, Place};
use crate::record::{Attribute, RawRecord, Value};

/// A page has up to 1 MB of names and values, and the signs of JSON around them. Whatever is said, no more is reserved.
const MOST_ROOM: usize = 4 * 1024 * 1024;

/// The rows of a page.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Rows {
    /// Their text, without the cells of `gaps`.
    pub text: Vec<u8>,
    /// Cells that the directory has to be asked for, in the order of the text.
    pub gaps: Vec<Gap>,
    /// How many there are.
    pub written: u64,
    /// Records that were read and are no row, because they are of another workbook.
    pub filtered: u64,
    /// Sort key of the last record; `None` if there is none.
    pub last: Option<String>,
}

/// Cells that are not known yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// Where they belong in the text.
    pub at: usize,
    /// Whose they are.
    pub of: Subject,
    /// Which of their pieces.
    pub piece: usize,
}

/// An id of the directory.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// A workbook's.
    Workbook(String),
    /// A user's.
    User(String),
}

/// Writes the rows of a page.
#[derive(Debug)]
pub struct RowWriter {
    columns: Arc<Columns>,
    pieces: Vec<Piece>,
    rows: Rows,
    last: Vec<u8>,
}

impl RowWriter {
    /// For records of this workspace. `length` is how many bytes the page is said to have.
    pub fn new(columns: Arc<Columns>, workspace_id: &str, length: usize) -> Self {
        let pieces = columns.pieces(workspace_id);
        let rows = Rows { text: columns.buffers.take(length.min(MOST_ROOM)), ..Rows::default() };
        Self { columns, pieces, rows, last: Vec::new() }
    }

    /// The columns it writes.
    pub fn columns(&self) -> Arc<Columns> {
        Arc::clone(&self.columns)
    }

    /// Adds a record. [`RowWriter::set_last`] is the caller's.
    ///
    /// # Errors
    ///
    /// [`StoreError::Corrupt`] if a value is not what an export can write.
    pub fn push(&mut self, record: &RawRecord<'_>, known: &mut KnownCells) -> Result<(), StoreError> {
        self.write(record, known).map_err(|reason| {
            let sort_key = record[Attribute::SortKey].text("SK").unwrap_or_default();
            StoreError::corrupt(format!("usage record {}", String::from_utf8_lossy(&sort_key)), reason)
        })
    }

    fn write(&mut self, record: &RawRecord<'_>, known: &mut KnownCells) -> Result<(), String> {
        let sort_key = record[Attribute::SortKey].text("SK")?;
        if !usage::is_sort_key(&sort_key) {
            return Err("SK is not a start and a run id".to_owned());
        }
        let run_id = &sort_key[TEXT_BYTES + 1..];
        if !run_id.is_ascii() {
            // Of all that is written it is the one text that nobody has looked into yet.
            std::str::from_utf8(run_id).map_err(|error| format!("SK is not UTF-8: {error}"))?;
        }
        let workbook_id = record[Attribute::WorkbookId].text("workbook_id")?;
        let user_id = record[Attribute::UserId].text("user_id")?;
        let credit_cost = record[Attribute::CreditCost].decimal("credit_cost")?;
        let finished_ts = record[Attribute::FinishedTs].text("finished_ts")?;
        if !finished_ts.is_empty() && !timestamp::is_text(&finished_ts) {
            return Err("finished_ts is not an ISO 8601 UTC time with milliseconds".to_owned());
        }
        if !self.columns.has_workbook(&workbook_id) {
            self.rows.filtered += 1;
            return Ok(());
        }
        let rows = &mut self.rows;
        let (start, gaps) = (rows.text.len(), rows.gaps.len());
        for (index, piece) in self.pieces.iter().enumerate() {
            if index > 0 {
                rows.text.push(b',');
            }
            match piece {
                Piece::Constant(cells) => rows.text.extend_from_slice(cells),
                Piece::Workbook(piece) => {
                    let place = workbook(&self.columns, &mut known.workbooks, &workbook_id);
                    rows.known(&known.workbooks, place, *piece, || Subject::workbook(&workbook_id))?;
                }
                Piece::User(piece) => {
                    let place = user(&self.columns, &mut known.users, &user_id);
                    rows.known(&known.users, place, *piece, || Subject::user(&user_id))?;
                }
                Piece::RunId => write_cell(&mut rows.text, run_id),
                // Digits and times have nothing to quote.
                Piece::CreditCost => rows.text.extend_from_slice(&credit_cost),
                Piece::Started => rows.text.extend_from_slice(&sort_key[..TEXT_BYTES]),
                Piece::Finished => rows.text.extend_from_slice(&finished_ts),
            }
        }
        if rows.text.len() == start && rows.gaps.len() == gaps {
            rows.text.extend_from_slice(EMPTY_ROW);
        }
        rows.text.extend_from_slice(b"\r\n");
        rows.written += 1;
        Ok(())
    }

    /// Says which sort key was the last, once for all records that were read together.
    pub fn set_last(&mut self, sort_key: Value<'_>) {
        self.last.clear();
        self.last.extend_from_slice(&sort_key.text("SK").unwrap_or_default());
    }

    /// The rows of items as the SDK reads them.
    ///
    /// # Errors
    ///
    /// As [`RowWriter::push`].
    pub fn rows_of(mut self, items: &[Item]) -> Result<Rows, StoreError> {
        let columns = self.columns();
        let mut known = columns.known();
        for item in items {
            let record = RawRecord::of_item(item);
            self.push(&record, &mut known)?;
            self.set_last(record[Attribute::SortKey]);
        }
        Ok(self.finish())
    }

    /// The rows, once all of them are there.
    pub fn finish(mut self) -> Rows {
        // The sort key of a row is UTF-8.
        self.rows.last = String::from_utf8(self.last).ok().filter(|last| !last.is_empty());
        self.rows
    }
}

impl Rows {
    /// Writes cells that are known, or leaves a gap for them.
    fn known(
        &mut self,
        known: &Known,
        place: Option<Place>,
        piece: usize,
        subject: impl FnOnce() -> Result<Subject, String>,
    ) -> Result<(), String> {
        match place {
            Some(place) => self.text.extend_from_slice(known.piece(place, piece)),
            None => self.gaps.push(Gap { at: self.text.len(), of: subject()?, piece }),
        }
        Ok(())
    }
}

impl Subject {
    fn workbook(id: &[u8]) -> Result<Self, String> {
        text(id).map(Self::Workbook)
    }

    fn user(id: &[u8]) -> Result<Self, String> {
        text(id).map(Self::User)
    }
}

fn text(id: &[u8]) -> Result<String, String> {
    String::from_utf8(id.to_vec()).map_err(|error| format!("an id is not UTF-8: {error}"))
}

/// Where a workbook's cells are. What only repeats its id, or the lack of one, nobody has to be asked for.
fn workbook(columns: &Columns, known: &mut Known, id: &[u8]) -> Option<Place> {
    known.find(id).or_else(|| {
        let asked = columns.wants_workbooks();
        own(known, asked, id).then(|| known.add(id, columns.workbook_pieces(id, None)))
    })
}

/// The same for a user.
fn user(columns: &Columns, known: &mut Known, id: &[u8]) -> Option<Place> {
    known.find(id).or_else(|| {
        let asked = columns.wants_users();
        own(known, asked, id).then(|| known.add(id, columns.user_pieces(id, None)))
    })
}

/// Whether the cells of this id need no directory; there is room for them then. What was `asked` for is not forgotten
/// here: a page that waits for other ids counts on it.
fn own(known: &mut Known, asked: bool, id: &[u8]) -> bool {
    if !asked {
        known.make_room();
    }
    !asked || id.is_empty()
}
