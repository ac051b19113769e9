//! Cells of a CSV file: RFC 4180 with CRLF, quotes only where they are needed.
//! <https://www.rfc-editor.org/rfc/rfc4180>

use crate::formula::is_formula;

/// A row of one empty cell would be an empty line, which readers of CSV skip. So it is written with quotes.
pub(crate) const EMPTY_ROW: &[u8] = b"\"\"";

/// Appends the cell of a text that others have chosen, so that a spreadsheet shows it and does not run it.
pub(crate) fn write_text(bytes: &mut Vec<u8>, text: &[u8]) {
    if is_formula(text) {
        write_cell(bytes, &[b"'", text].concat());
    } else {
        write_cell(bytes, text);
    }
}

/// Appends a cell, in quotes if it contains a comma, a quote or a line break.
pub(crate) fn write_cell(bytes: &mut Vec<u8>, text: &[u8]) {
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

/// Cells with commas between them.
pub(crate) fn join_cells<'a>(texts: impl IntoIterator<Item = &'a str>) -> Vec<u8> {
    let mut cells = Vec::new();
    for (position, text) in texts.into_iter().enumerate() {
        if position > 0 {
            cells.push(b',');
        }
        write_cell(&mut cells, text.as_bytes());
    }
    cells
}

/// The header row of a file, with CRLF.
///
/// ```
/// assert_eq!(query_csv::write_header(["run_id", "credit_cost"]), b"run_id,credit_cost\r\n");
/// ```
pub fn write_header<'a>(names: impl IntoIterator<Item = &'a str>) -> Vec<u8> {
    let mut header = join_cells(names);
    header.extend_from_slice(b"\r\n");
    header
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn quotes_cells_like_the_csv_crate(cells in proptest::collection::vec("[a-c,;\"\r\n é=]{0,6}", 2..5)) {
            let mut theirs = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
            theirs.write_record(&cells).unwrap();
            prop_assert_eq!(write_header(cells.iter().map(String::as_str)), theirs.into_inner().unwrap());
        }
    }
}
