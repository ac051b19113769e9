//! The CSV: RFC 4180 with CRLF, quotes only where needed, UTF-8 without BOM.
//! <https://www.rfc-editor.org/rfc/rfc4180>

use std::borrow::Cow;

use usage_export::usage::Field;

/// The first characters that make a spreadsheet run a cell as a formula.
/// <https://owasp.org/www-community/attacks/CSV_Injection>
const FORMULA_STARTS: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// The header: the ids of the fields.
pub fn header(fields: &[Field]) -> Vec<u8> {
    let ids: Vec<_> = fields.iter().map(|field| field.id()).collect();
    format!("{}\r\n", ids.join(",")).into_bytes()
}

/// Writes a cell, in quotes if it needs them.
pub fn write_cell(bytes: &mut Vec<u8>, text: &[u8]) {
    if !text.iter().any(|byte| matches!(byte, b',' | b'"' | b'\r' | b'\n')) {
        bytes.extend_from_slice(text);
        return;
    }
    bytes.push(b'"');
    for byte in text {
        if *byte == b'"' {
            bytes.push(b'"');
        }
        bytes.push(*byte);
    }
    bytes.push(b'"');
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
    use std::collections::BTreeSet;
    use std::sync::Arc;

    use proptest::prelude::*;
    use usage_export::usage::FIELDS;

    use crate::columns::Columns;
    use crate::record::{Attribute, RawRecord, Value};
    use crate::rows::RowWriter;

    use super::*;

    /// A file whose runs have neither workbook nor user.
    fn csv(fields: &[Field], workspace_name: &str, rows: usize) -> Vec<u8> {
        let names = [("wsp_1".to_owned(), workspace_name.to_owned())].into();
        let columns = Arc::new(Columns::new(fields, names, &BTreeSet::new()));
        let mut writer = RowWriter::new(Arc::clone(&columns), "wsp_1", 0);
        let mut record = RawRecord::default();
        record[Attribute::SortKey] = Value::Text(b"2025-01-31T09:30:00.000Z#run_1");
        record[Attribute::CreditCost] = Value::Number(b"-0.0125");
        for _ in 0..rows {
            writer.push(&record, &mut columns.known()).unwrap();
        }
        let written = writer.finish();
        assert!(written.gaps.is_empty());
        [header(fields), written.text].concat()
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
        for field in [
            Field::PlRunFinishedTs,
            Field::WorkspaceName,
            Field::WorkbookName,
            Field::UserId,
            Field::UserEmail,
        ] {
            let file = String::from_utf8(csv(&[field], "", 2)).unwrap();
            assert_eq!(file, format!("{}\r\n\"\"\r\n\"\"\r\n", field.id()));
        }
    }

    proptest! {
        #[test]
        fn cells_are_quoted_like_those_of_the_csv_crate(cells in proptest::collection::vec("[a-c,;\"\r\n é=]{0,6}", 2..5)) {
            let mut theirs = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
            theirs.write_record(&cells).unwrap();
            let mut ours = Vec::new();
            for (index, cell) in cells.iter().enumerate() {
                if index > 0 {
                    ours.push(b',');
                }
                write_cell(&mut ours, cell.as_bytes());
            }
            ours.extend_from_slice(b"\r\n");
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
