//! Writes the rows of one page while its records are parsed.

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::RandomState;

use crate::cells::Cells;
use crate::layout::{CellGroup, RowLayout};
use crate::page::Counts;
use crate::parse::{Attributes, Record, TIMESTAMP_BYTES};
use crate::write::column_sum::ColumnSum;
use crate::write::{EMPTY_ROW, join_cells, write_text};

/// Writes rows. It cannot fail: a [`Record`] holds only checked values.
#[derive(Debug)]
pub(crate) struct RowWriter {
    layout: Arc<RowLayout>,
    /// The cells of each group of constants.
    constants: Vec<Vec<u8>>,
    pub(crate) rows: Vec<u8>,
    pub(crate) placeholders: Vec<Placeholder>,
    /// By join.
    pub(crate) missing: Vec<MissingIds>,
    pub(crate) counts: Counts,
    /// The times of the first and the last record, once there is one.
    pub(crate) times: [Time; 2],
    /// Of the attribute that [`RowLayout::sum_of`] names.
    pub(crate) sum: ColumnSum,
    /// How many rows lack each attribute, by its index.
    pub(crate) lacking: Vec<u64>,
}

/// The time in a sort key, as text.
pub(crate) type Time = [u8; TIMESTAMP_BYTES];

/// The position in the rows at which a group of joined cells is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Placeholder {
    /// The position in the rows.
    pub(crate) at: usize,
    pub(crate) join: usize,
    pub(crate) group: usize,
    /// Index of the id in [`MissingIds::ids`].
    pub(crate) id: usize,
}

/// Ids whose cells are not in the cache. Each is listed once: on the first pages of an export most rows miss the same ids.
#[derive(Debug, Default)]
pub(crate) struct MissingIds {
    pub(crate) ids: Vec<String>,
    indices: HashMap<Box<[u8]>, usize, RandomState>,
}

impl RowWriter {
    pub(crate) fn new(layout: Arc<RowLayout>, constants: &[&str], rows: Vec<u8>) -> Self {
        let constants =
            layout.constants.iter().map(|indices| constant_cells(&layout, indices, constants)).collect();
        let missing = layout.joins.iter().map(|_| MissingIds::default()).collect();
        let lacking = vec![0; layout.attributes().count()];
        Self {
            layout,
            constants,
            rows,
            placeholders: Vec::new(),
            missing,
            counts: Counts::default(),
            times: Default::default(),
            sum: ColumnSum::default(),
            lacking,
        }
    }

    /// Writes the row of a record, or leaves the record out.
    #[inline]
    pub(crate) fn write(&mut self, record: &Record<'_>, cells: &Cells) {
        let values = &record.values;
        if let Some((attribute, only)) = &self.layout.only
            && !only.contains(values[*attribute])
        {
            self.counts.left_out += 1;
            return;
        }
        let (start, placeholders) = (self.rows.len(), self.placeholders.len());
        // A sort key is longer than its time.
        let (time, id) = values[Attributes::SORT_KEY].split_at(TIMESTAMP_BYTES);
        for group in &self.layout.groups {
            let quoted;
            let group_cells: &[u8] = match *group {
                CellGroup::Constants(index) => &self.constants[index],
                CellGroup::Joined { join, group } => {
                    let id = values[self.layout.joins[join].attribute];
                    if let Some(found) = cells.find(join, id) {
                        found.group(group)
                    } else {
                        let id = self.missing[join].add(id);
                        self.placeholders.push(Placeholder { at: self.rows.len(), join, group, id });
                        b""
                    }
                }
                CellGroup::Plain(attribute) => values[attribute],
                CellGroup::SortKeyTime => time,
                CellGroup::Text(attribute) if record.is_ordinary => values[attribute],
                CellGroup::SortKeyId if record.is_ordinary => &id[1..],
                CellGroup::Text(attribute) => {
                    quoted = cell(values[attribute]);
                    &quoted
                }
                CellGroup::SortKeyId => {
                    quoted = cell(&id[1..]);
                    &quoted
                }
            };
            self.rows.extend_from_slice(group_cells);
            self.rows.push(b',');
        }
        // The comma behind the last cell.
        self.rows.pop();
        if self.rows.len() == start && self.placeholders.len() == placeholders {
            self.rows.extend_from_slice(EMPTY_ROW);
        }
        self.rows.extend_from_slice(b"\r\n");
        self.times[1].copy_from_slice(time);
        if self.counts.written == 0 {
            self.times[0] = self.times[1];
        }
        self.counts.written += 1;
        if let Some(attribute) = self.layout.summed {
            self.sum.add(values[attribute]);
        }
        for (count, value) in self.lacking.iter_mut().zip(values) {
            *count += u64::from(value.is_empty());
        }
    }
}

impl MissingIds {
    /// The index of this id, which is added if it is not there.
    #[cold]
    fn add(&mut self, id: &[u8]) -> usize {
        if let Some(index) = self.indices.get(id) {
            return *index;
        }
        let index = self.ids.len();
        // Every text of a record is UTF-8: the parser has checked it.
        self.ids.push(String::from_utf8_lossy(id).into_owned());
        self.indices.insert(id.into(), index);
        index
    }
}

/// The cells of neighbouring constants. A constant that the page lacks is empty.
fn constant_cells(layout: &RowLayout, indices: &[usize], constants: &[&str]) -> Vec<u8> {
    let mut cells =
        join_cells(indices.iter().map(|index| constants.get(*index).copied().unwrap_or_default()));
    if cells.is_empty() && layout.has_one_column {
        cells.extend_from_slice(EMPTY_ROW);
    }
    cells
}

fn cell(text: &[u8]) -> Vec<u8> {
    let mut cell = Vec::new();
    write_text(&mut cell, text);
    cell
}
