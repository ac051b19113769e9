//! The CSV: RFC 4180 with CRLF, quotes only where needed, UTF-8 without BOM.
//! <https://www.rfc-editor.org/rfc/rfc4180>

use std::borrow::Cow;

use csv::{QuoteStyle, Terminator, Writer, WriterBuilder};
use usage_export::usage::Field;

use crate::names::Names;
use crate::read::UsageRecord;

/// The first characters that make a spreadsheet run a cell as a formula.
/// <https://owasp.org/www-community/attacks/CSV_Injection>
const FORMULA_STARTS: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// The part of the file that is being filled.
pub struct CsvPart {
    fields: Vec<Field>,
    writer: Writer<Vec<u8>>,
}

/// The buffer could not be written to. It is memory, so this does not happen.
type Result<T> = std::result::Result<T, csv::Error>;

impl CsvPart {
    /// An empty part of a file with these columns.
    pub fn new(fields: &[Field]) -> Self {
        Self { fields: fields.to_vec(), writer: writer(Vec::new()) }
    }

    /// Writes the header: the ids of the fields.
    pub fn write_header(&mut self) -> Result<()> {
        self.writer.write_record(self.fields.iter().map(|field| field.id()))
    }

    /// Writes one run.
    pub fn write_row(&mut self, workspace_id: &str, record: &UsageRecord, names: &Names) -> Result<()> {
        for field in &self.fields {
            let cell = match field {
                Field::WorkspaceId => Cow::Borrowed(workspace_id),
                Field::WorkspaceName => inert(names.workspace_name(workspace_id)),
                Field::WorkbookId => record.workbook_id.as_str().into(),
                Field::WorkbookName => inert(names.workbook_name(&record.workbook_id)),
                Field::WorkbookCreatedTs => names.workbook_created_ts(&record.workbook_id).into(),
                Field::UserId => record.user_id.as_str().into(),
                Field::UserEmail => inert(names.user_email(&record.user_id)),
                Field::RunId => record.run_id().into(),
                Field::CreditCost => record.credit_cost.as_str().into(),
                Field::PlRunCreatedTs => record.start().into(),
                Field::PlRunFinishedTs => record.finished_ts.as_str().into(),
            };
            self.writer.write_field(cell.as_bytes())?;
        }
        self.writer.write_record(None::<&[u8]>)
    }

    /// Bytes so far.
    pub fn bytes(&mut self) -> Result<usize> {
        self.writer.flush()?;
        Ok(self.writer.get_ref().len())
    }

    /// Takes the bytes and starts the next part.
    pub fn take(&mut self) -> Result<Vec<u8>> {
        self.writer.flush()?;
        let full = std::mem::replace(&mut self.writer, writer(Vec::new()));
        full.into_inner().map_err(|error| error.into_error().into())
    }
}

fn writer(buffer: Vec<u8>) -> Writer<Vec<u8>> {
    WriterBuilder::new()
        .terminator(Terminator::CRLF)
        .quote_style(QuoteStyle::Necessary)
        .flexible(true)
        .from_writer(buffer)
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

    use super::*;

    fn record(workbook_id: &str) -> UsageRecord {
        UsageRecord {
            sort_key: "2025-01-31T09:30:00.000Z#run_1".to_owned(),
            workbook_id: workbook_id.to_owned(),
            user_id: "usr_1".to_owned(),
            credit_cost: "-0.0125".to_owned(),
            finished_ts: String::new(),
        }
    }

    fn csv(fields: &[Field], workspace_name: &str, rows: usize) -> Vec<u8> {
        let names = Names::new([("wsp_1".to_owned(), workspace_name.to_owned())].into(), "org_1", fields);
        let mut part = CsvPart::new(fields);
        part.write_header().unwrap();
        for _ in 0..rows {
            part.write_row("wsp_1", &record("wbk_1"), &names).unwrap();
        }
        part.take().unwrap()
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
        fn what_is_written_reads_back(
            name in any::<String>(),
            fields in proptest::sample::subsequence(FIELDS.iter().map(|info| info.field).collect::<Vec<_>>(), 1..=11),
            rows in 0_usize..5,
        ) {
            let file = csv(&fields, &name, rows);
            let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(file.as_slice());
            let read: Vec<_> = reader.records().collect::<std::result::Result<Vec<_>, _>>().unwrap();
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
