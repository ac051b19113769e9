//! The rows of a page, written while its records are read.

use std::collections::HashMap;
use std::sync::Arc;

use usage_export::dynamo::Item;
use usage_export::error::AwsError;
use usage_export::timestamp::TEXT_BYTES;

use crate::columns::{Columns, EMPTY_ROW, KnownCells, Piece};
use crate::csv::write_cell;
use crate::known::{Known, Place};
use crate::record::{Attribute, RawRecord, Record};
use crate::text::Text;

/// The rows of a page.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Rows {
    /// Their text, without the cells of `gaps`.
    pub text: Vec<u8>,
    /// Cells that the directory has to be asked for, in the order of the text.
    pub gaps: Vec<Gap>,
    /// Whose they are: workbooks.
    pub workbooks: Unknown,
    /// Whose they are: users.
    pub users: Unknown,
    /// How many there are.
    pub written: u64,
    /// Records that were read and are no row, because they are of another workbook.
    pub filtered: u64,
}

/// Cells that are not known yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gap {
    /// Where they belong in the text.
    pub at: usize,
    /// Whose they are.
    pub of: Subject,
    /// Which of their pieces.
    pub piece: usize,
}

/// Whose cells: a place in [`Unknown::ids`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// Of [`Rows::workbooks`].
    Workbook(usize),
    /// Of [`Rows::users`].
    User(usize),
}

/// Ids of the directory that a page meets and nobody knows yet.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Unknown {
    /// Each once.
    pub ids: Vec<String>,
    places: HashMap<Box<[u8]>, usize, foldhash::fast::RandomState>,
}

/// Writes the rows of a page.
#[derive(Debug)]
pub struct RowWriter {
    columns: Arc<Columns>,
    pieces: Vec<Piece>,
    length: usize,
    text: Text,
    /// All but its text.
    rows: Rows,
}

impl RowWriter {
    /// For records of this workspace. `length` is how many bytes the page is said to have.
    pub fn new(columns: Arc<Columns>, workspace_id: &str, length: usize) -> Self {
        let pieces = columns.pieces(workspace_id);
        let text = columns.buffers.take_for_page(length);
        Self { columns, pieces, length, text, rows: Rows::default() }
    }

    /// The columns it writes.
    pub fn columns(&self) -> Arc<Columns> {
        Arc::clone(&self.columns)
    }

    /// Adds a record, whatever it has.
    ///
    /// # Errors
    ///
    /// [`AwsError::Corrupt`] if a value is not what an export can write.
    pub fn push(&mut self, record: &RawRecord<'_>, known: &mut KnownCells) -> Result<(), AwsError> {
        let texts = record.texts().map_err(|reason| {
            let sort_key = record[Attribute::SortKey].text("SK").unwrap_or_default();
            AwsError::corrupt(format!("usage record {}", String::from_utf8_lossy(&sort_key)), reason)
        })?;
        self.write(&Record::from(&texts), known)
    }

    /// Adds a record that can be written.
    ///
    /// # Errors
    ///
    /// [`AwsError::Corrupt`] if an id is not UTF-8.
    pub fn write(&mut self, record: &Record<'_>, known: &mut KnownCells) -> Result<(), AwsError> {
        let values = &record.values;
        if !self.columns.has_workbook(values[Attribute::WorkbookId]) {
            self.rows.filtered += 1;
            return Ok(());
        }
        let text = &mut self.text;
        let (start, gaps) = (text.end(), self.rows.gaps.len());
        let (started, run_id) = values[Attribute::SortKey].split_at(TEXT_BYTES);
        for piece in &self.pieces {
            let quoted;
            text.put_cells(match piece {
                Piece::Constant(cells) => cells,
                Piece::Workbook(piece) => {
                    let id = values[Attribute::WorkbookId];
                    if let Some(place) = workbook(&self.columns, &mut known.workbooks, id) {
                        known.workbooks.piece(place, *piece)
                    } else {
                        let of = Subject::Workbook(self.rows.workbooks.place(id)?);
                        self.rows.leave_gap(text.end(), of, *piece)
                    }
                }
                Piece::User(piece) => {
                    let id = values[Attribute::UserId];
                    if let Some(place) = user(&self.columns, &mut known.users, id) {
                        known.users.piece(place, *piece)
                    } else {
                        let of = Subject::User(self.rows.users.place(id)?);
                        self.rows.leave_gap(text.end(), of, *piece)
                    }
                }
                Piece::RunId if record.is_ordinary => &run_id[1..],
                Piece::RunId => {
                    quoted = cell(&run_id[1..]);
                    &quoted
                }
                // Digits and times have nothing to quote.
                Piece::CreditCost => values[Attribute::CreditCost],
                Piece::Started => started,
                Piece::Finished => values[Attribute::FinishedTs],
            });
        }
        text.take_comma();
        if text.end() == start && self.rows.gaps.len() == gaps {
            text.put(EMPTY_ROW);
        }
        text.put(b"\r\n");
        self.rows.written += 1;
        Ok(())
    }

    /// The rows of items as the SDK reads them.
    ///
    /// # Errors
    ///
    /// As [`RowWriter::push`].
    pub fn rows_of(mut self, items: &[Item]) -> Result<Rows, AwsError> {
        let columns = self.columns();
        let mut known = columns.known();
        for item in items {
            self.push(&RawRecord::of_item(item), &mut known)?;
        }
        Ok(self.finish())
    }

    /// The rows, once all of them are there.
    pub fn finish(mut self) -> Rows {
        self.columns.buffers.learn(self.length, self.text.end());
        self.rows.text = self.text.into_bytes();
        self.rows
    }
}

impl Rows {
    /// Remembers cells that are not known yet, and gives what stands for them.
    #[cold]
    fn leave_gap(&mut self, at: usize, of: Subject, piece: usize) -> &'static [u8] {
        self.gaps.push(Gap { at, of, piece });
        b""
    }
}

impl Unknown {
    /// Where this id is; it is added if it is not there. The first pages of a workspace meet the same ids in every row.
    fn place(&mut self, id: &[u8]) -> Result<usize, AwsError> {
        if let Some(place) = self.places.get(id) {
            return Ok(*place);
        }
        let text = String::from_utf8(id.to_vec())
            .map_err(|error| AwsError::corrupt("usage record", format!("an id is not UTF-8: {error}")))?;
        self.ids.push(text);
        self.places.insert(id.into(), self.ids.len() - 1);
        Ok(self.ids.len() - 1)
    }
}

fn cell(text: &[u8]) -> Vec<u8> {
    let mut cell = Vec::new();
    write_cell(&mut cell, text);
    cell
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
