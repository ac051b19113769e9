//! The cells of rows, read back from the bytes that are written to a file.

use usage_export::error::AwsError;

/// How many rows a preview has at most.
pub const ROWS: usize = 5;

/// The cells of at most so many rows.
///
/// # Errors
///
/// The bytes are no CSV, which the writer of rows excludes.
pub fn cells(csv: &[u8], rows: usize) -> Result<Vec<Vec<String>>, AwsError> {
    let reader = csv::ReaderBuilder::new().has_headers(false).from_reader(csv);
    let rows = reader.into_records().take(rows);
    rows.map(|row| row.map(|row| row.iter().map(str::to_owned).collect()))
        .collect::<Result<_, _>>()
        .map_err(|error| AwsError::internal("rows of a preview", &error))
}
