//! What a CSV holds: counted and added anew, with nothing but the csv crate and bigdecimal.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read};

use anyhow::Result;
use bigdecimal::{BigDecimal, Zero};
use csv::{ByteRecord, ReaderBuilder};

/// The columns whose empty cells are those of records that lack the value. Other columns never have empty cells, or have
/// them for names that the directory does not know.
pub const OPTIONAL_COLUMNS: [&str; 4] = ["workbook_id", "user_id", "credit_cost", "pl_run_finished_ts"];

/// What was found in a file.
#[derive(Debug, Default)]
pub struct Figures {
    pub bytes: u64,
    pub crc32: u32,
    /// The names of the columns.
    pub header: Vec<String>,
    pub total: Amount,
    /// By workspace id; `None` if the file has no such column.
    pub workspaces: Option<BTreeMap<String, Amount>>,
    /// By month, such as `2025-01`; `None` if the file has no column with the start of a run.
    pub months: Option<BTreeMap<String, Amount>>,
    /// Of each of [`OPTIONAL_COLUMNS`] that the file has.
    pub empty_cells: BTreeMap<&'static str, u64>,
    /// What makes the file no CSV of ours, as far as the first such place in it.
    pub fault: Option<String>,
}

/// Some rows and what they cost.
#[derive(Debug, Default, Clone)]
pub struct Amount {
    pub rows: u64,
    /// `None` if the file has no such column.
    pub credit_cost: Option<BigDecimal>,
}

/// Where columns stand in a row.
struct Columns {
    workspace_id: Option<usize>,
    started: Option<usize>,
    credit_cost: Option<usize>,
    optional: Vec<(&'static str, usize)>,
}

impl Figures {
    /// Reads a file to its end. `known_workspaces` tells whether a `'` before a workspace id belongs to the id.
    ///
    /// # Errors
    ///
    /// The file cannot be read. A file that is no CSV has a [`Figures::fault`] instead.
    pub fn read(file: impl Read, known_workspaces: &BTreeSet<&str>) -> Result<Self> {
        let file = Counted { inner: file, bytes: 0, crc32: crc32fast::Hasher::new() };
        let mut csv = ReaderBuilder::new().has_headers(false).from_reader(file);
        let mut figures = Self::default();
        if let Err(error) = figures.add_all(&mut csv, known_workspaces) {
            if error.is_io_error() {
                return Err(error.into());
            }
            figures.fault.get_or_insert(error.to_string());
        }
        // What the csv crate has buffered is counted already.
        let mut file = csv.into_inner();
        io::copy(&mut file, &mut io::sink())?;
        (figures.bytes, figures.crc32) = (file.bytes, file.crc32.finalize());
        Ok(figures)
    }

    fn add_all(&mut self, csv: &mut csv::Reader<impl Read>, known: &BTreeSet<&str>) -> csv::Result<()> {
        let mut row = ByteRecord::new();
        if csv.read_byte_record(&mut row)? {
            self.header = row.iter().map(text).collect();
        }
        let columns = Columns::new(&self.header);
        self.workspaces = columns.workspace_id.map(|_| BTreeMap::new());
        self.months = columns.started.map(|_| BTreeMap::new());
        self.total.credit_cost = columns.credit_cost.map(|_| BigDecimal::zero());
        self.empty_cells = columns.optional.iter().map(|(name, _)| (*name, 0)).collect();
        while csv.read_byte_record(&mut row)? {
            self.add(&row, &columns, known);
        }
        Ok(())
    }

    fn add(&mut self, row: &ByteRecord, columns: &Columns, known: &BTreeSet<&str>) {
        let cell = |column: Option<usize>| column.and_then(|column| row.get(column)).map(text);
        let cost = cell(columns.credit_cost).map(|cost| decimal(&cost).ok_or(cost));
        let cost = cost.transpose().unwrap_or_else(|cost| {
            let fault =
                format!("row {}: the credit_cost {cost:?} is not a plain decimal", self.total.rows + 1);
            self.fault.get_or_insert(fault);
            Some(BigDecimal::zero())
        });
        self.total.add(cost.as_ref());
        if let (Some(workspaces), Some(id)) = (&mut self.workspaces, cell(columns.workspace_id)) {
            workspaces.entry(unescaped(id, known)).or_default().add(cost.as_ref());
        }
        if let (Some(months), Some(started)) = (&mut self.months, cell(columns.started)) {
            let month = started.get(.."2025-01".len()).unwrap_or(&started);
            months.entry(month.to_owned()).or_default().add(cost.as_ref());
        }
        for (name, column) in &columns.optional {
            if row.get(*column).is_some_and(<[u8]>::is_empty) {
                *self.empty_cells.entry(name).or_default() += 1;
            }
        }
    }
}

impl Amount {
    fn add(&mut self, credit_cost: Option<&BigDecimal>) {
        self.rows += 1;
        if let Some(cost) = credit_cost {
            *self.credit_cost.get_or_insert_default() += cost;
        }
    }
}

impl Columns {
    fn new(header: &[String]) -> Self {
        let find = |name: &str| header.iter().position(|column| column == name);
        Self {
            workspace_id: find("workspace_id"),
            started: find("pl_run_created_ts"),
            credit_cost: find("credit_cost"),
            optional: OPTIONAL_COLUMNS.iter().filter_map(|name| Some((*name, find(name)?))).collect(),
        }
    }
}

/// Counts what is read.
struct Counted<R> {
    inner: R,
    bytes: u64,
    crc32: crc32fast::Hasher,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.bytes += count as u64;
        self.crc32.update(&buffer[..count]);
        Ok(count)
    }
}

fn text(cell: &[u8]) -> String {
    String::from_utf8_lossy(cell).into_owned()
}

/// A decimal without an exponent; an empty cell is 0.
fn decimal(cell: &str) -> Option<BigDecimal> {
    if cell.is_empty() {
        return Some(BigDecimal::zero());
    }
    let is_plain = cell.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'-' | b'.'));
    cell.parse().ok().filter(|_| is_plain)
}

/// The workspace id in a cell: without the `'` that keeps a spreadsheet from running it as a formula, if there is one.
fn unescaped(cell: String, known: &BTreeSet<&str>) -> String {
    match cell.strip_prefix('\'') {
        Some(id) if known.contains(id) && !known.contains(cell.as_str()) => id.to_owned(),
        _ => cell,
    }
}
