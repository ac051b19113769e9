//! The CSV: RFC 4180 with CRLF, quotes only where needed, UTF-8 without BOM.
//! <https://www.rfc-editor.org/rfc/rfc4180>

use std::borrow::Cow;

use usage_export::usage::Field;

use crate::names::{Joined, Names};
use crate::records::UsageRecord;
use crate::special;
use crate::upload::PART_BYTES;

/// The first characters that make a spreadsheet run a cell as a formula.
/// <https://owasp.org/www-community/attacks/CSV_Injection>
const FORMULA_STARTS: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// A part is cut after a page, of which so much more may come. Room that is not used costs no memory.
const ROOM_BYTES: usize = PART_BYTES + 4 * 1024 * 1024;

/// The part of the file that is being filled.
pub struct CsvPart {
    fields: Vec<Field>,
    bytes: Vec<u8>,
}

impl CsvPart {
    /// An empty part of a file with these columns.
    pub fn new(fields: &[Field]) -> Self {
        Self { fields: fields.to_vec(), bytes: Vec::with_capacity(ROOM_BYTES) }
    }

    /// Writes the header: the ids of the fields.
    pub fn write_header(&mut self) {
        for field in &self.fields {
            self.bytes.extend_from_slice(field.id().as_bytes());
            self.bytes.push(b',');
        }
        end_row(&mut self.bytes);
    }

    /// Writes one run of a workspace.
    pub fn write_row(
        &mut self,
        workspace: &WorkspaceCells<'_>,
        record: &UsageRecord<'_>,
        joined: Joined<'_>,
    ) {
        let start = self.bytes.len();
        let bytes = &mut self.bytes;
        for field in &self.fields {
            match field {
                Field::WorkspaceId => bytes.extend_from_slice(&workspace.id),
                Field::WorkspaceName => bytes.extend_from_slice(workspace.name),
                Field::WorkbookId => write_cell(bytes, record.workbook_id),
                Field::WorkbookName => bytes.extend_from_slice(&joined.workbook.name),
                Field::WorkbookCreatedTs => {
                    bytes.extend_from_slice(joined.workbook.created_ts.as_bytes());
                }
                Field::UserId => write_cell(bytes, record.user_id),
                Field::UserEmail => bytes.extend_from_slice(joined.user_email),
                Field::RunId => write_cell(bytes, record.run_id()),
                // Digits and times have nothing to quote.
                Field::CreditCost => bytes.extend_from_slice(record.credit_cost.as_bytes()),
                Field::PlRunCreatedTs => bytes.extend_from_slice(record.start().as_bytes()),
                Field::PlRunFinishedTs => bytes.extend_from_slice(record.finished_ts.as_bytes()),
            }
            bytes.push(b',');
        }
        if bytes.len() == start + 1 {
            // A row of one empty cell would be an empty line, which readers skip.
            bytes.truncate(start);
            bytes.extend_from_slice(b"\"\",");
        }
        end_row(bytes);
    }

    /// How many bytes are in it.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Takes the bytes and starts the next part.
    pub fn take(&mut self) -> Vec<u8> {
        std::mem::replace(&mut self.bytes, Vec::with_capacity(ROOM_BYTES))
    }
}

/// The cells that are the same in every row of a workspace.
pub struct WorkspaceCells<'a> {
    id: Vec<u8>,
    name: &'a [u8],
}

impl<'a> WorkspaceCells<'a> {
    /// Of the workspace with this id.
    pub fn new(id: &str, names: &'a Names) -> Self {
        let mut cell = Vec::new();
        write_cell(&mut cell, id);
        Self { id: cell, name: names.workspace_name(id) }
    }
}

/// The comma after the last cell becomes the end of the row.
fn end_row(bytes: &mut Vec<u8>) {
    bytes.pop();
    bytes.extend_from_slice(b"\r\n");
}

/// Writes a cell, in quotes if it needs them.
fn write_cell(bytes: &mut Vec<u8>, text: &str) {
    if !special::any(text.as_bytes(), needs_quotes) {
        bytes.extend_from_slice(text.as_bytes());
        return;
    }
    bytes.push(b'"');
    for (index, piece) in text.split('"').enumerate() {
        if index > 0 {
            bytes.extend_from_slice(b"\"\"");
        }
        bytes.extend_from_slice(piece.as_bytes());
    }
    bytes.push(b'"');
}

#[expect(clippy::needless_bitwise_bool, reason = "as special::any wants it")]
fn needs_quotes(byte: u8) -> bool {
    (byte == b',') | (byte == b'"') | (byte == b'\r') | (byte == b'\n')
}

/// The cell of a text that people chose.
pub fn text_cell(text: &str) -> Box<[u8]> {
    let mut cell = Vec::new();
    write_cell(&mut cell, &inert(text));
    cell.into()
}

/// A text that people chose, so that a spreadsheet shows it and does not run it.
///
/// ```
/// use export_worker::csv::inert;
/// assert_eq!(inert("=1+1"), "'=1+1");
/// assert_eq!(inert("a=1"), "a=1");
/// ```
pub fn inert(text: &str) -> Cow<'_, str> {
    if text.starts_with(FORMULA_STARTS) { format!("'{text}").into() } else { text.into() }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use usage_export::usage::FIELDS;

    use crate::names::Joins;

    use super::*;

    fn record(workbook_id: &str) -> UsageRecord<'_> {
        UsageRecord {
            sort_key: "2025-01-31T09:30:00.000Z#run_1",
            workbook_id,
            user_id: "usr_1",
            credit_cost: "-0.0125",
            finished_ts: "",
        }
    }

    fn csv(fields: &[Field], workspace_name: &str, rows: usize) -> Vec<u8> {
        let names = Names::new([("wsp_1".to_owned(), workspace_name.to_owned())].into(), "org_1", fields);
        let mut part = CsvPart::new(fields);
        part.write_header();
        for _ in 0..rows {
            let joined = names.joined(&Joins::default(), 0);
            part.write_row(&WorkspaceCells::new("wsp_1", &names), &record("wbk_1"), joined);
        }
        part.take()
    }

    #[test]
    fn a_file_is_plain_rfc_4180() {
        let fields = [Field::RunId, Field::WorkspaceName, Field::CreditCost, Field::PlRunFinishedTs];
        let text = String::from_utf8(csv(&fields, "Sales, \"EU\"", 1)).unwrap();
        assert_eq!(
            text,
            "run_id,workspace_name,credit_cost,pl_run_finished_ts\r\nrun_1,\"Sales, \"\"EU\"\"\",-0.0125,\r\n"
        );
    }

    #[test]
    fn numbers_and_times_are_never_prefixed_and_texts_are() {
        for start in FORMULA_STARTS {
            let name = format!("{start}cmd");
            let file = csv(&[Field::WorkspaceName, Field::CreditCost], &name, 1);
            let mut reader = csv::Reader::from_reader(file.as_slice());
            let row = reader.records().next().unwrap().unwrap();
            assert_eq!((&row[0], &row[1]), (format!("'{name}").as_str(), "-0.0125"));
        }
    }

    #[test]
    fn one_empty_cell_is_still_a_row() {
        assert_eq!(csv(&[Field::PlRunFinishedTs], "x", 2), b"pl_run_finished_ts\r\n\"\"\r\n\"\"\r\n");
    }

    proptest! {
        #[test]
        fn cells_are_quoted_like_those_of_the_csv_crate(cells in proptest::collection::vec("[a-c,;\"\r\n é=]{0,6}", 2..5)) {
            let mut theirs = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
            theirs.write_record(&cells).unwrap();
            let mut ours = Vec::new();
            for cell in &cells {
                write_cell(&mut ours, cell);
                ours.push(b',');
            }
            end_row(&mut ours);
            prop_assert_eq!(ours, theirs.into_inner().unwrap());
        }

        #[test]
        fn what_is_written_reads_back(
            name in any::<String>(),
            fields in proptest::sample::subsequence(FIELDS.iter().map(|info| info.field).collect::<Vec<_>>(), 1..=11),
            rows in 0_usize..5,
        ) {
            let file = csv(&fields, &name, rows);
            let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(file.as_slice());
            let read: Vec<_> = reader.records().collect::<Result<Vec<_>, _>>().unwrap();
            prop_assert_eq!(read.len(), rows + 1);
            prop_assert!(read[0].iter().eq(fields.iter().map(|field| field.id())));
            for row in &read[1..] {
                prop_assert_eq!(row.len(), fields.len());
                for (field, cell) in fields.iter().zip(row) {
                    if *field == Field::WorkspaceName {
                        let prefix = if name.starts_with(FORMULA_STARTS) { "'" } else { "" };
                        prop_assert_eq!(cell, format!("{prefix}{name}"));
                    }
                }
            }
        }
    }
}
