//! The file that must come out of an export.
//!
//! The cells of a row are written again here, in the order of [`FIELDS`]: a benchmark that asked the product what is
//! right would compare the product with itself.

use std::borrow::Cow;

use anyhow::Result;
use usage_export::usage::FIELDS;

use super::directory::{CREATED_TS, Directory};
use super::runs::Run;

/// The ids of all fields, which are the columns of the file.
pub fn field_ids() -> [&'static str; FIELDS.len()] {
    FIELDS.map(|field| field.id)
}

/// Starts a file with its header.
///
/// # Errors
///
/// Fails if the header cannot be written.
pub fn writer() -> Result<csv::Writer<Vec<u8>>> {
    let mut csv = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    csv.write_record(field_ids())?;
    Ok(csv)
}

/// The cells of a run.
pub fn row<'a>(directory: &'a Directory, workspace: usize, run: &'a Run) -> [Cow<'a, str>; FIELDS.len()] {
    let (workspace, workbook, user) =
        (&directory.workspaces[workspace], &directory.workbooks[run.workbook], &directory.users[run.user]);
    [
        workspace.id.as_str().into(),
        escape_formula(&workspace.name),
        workbook.id.as_str().into(),
        escape_formula(&workbook.name),
        CREATED_TS.into(),
        user.id.as_str().into(),
        escape_formula(&user.name),
        run.id.as_str().into(),
        run.credit_cost.as_deref().unwrap_or("").into(),
        run.start.as_str().into(),
        run.finished_ts.as_deref().unwrap_or("").into(),
    ]
}

fn escape_formula(name: &str) -> Cow<'_, str> {
    if name.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{name}").into() } else { name.into() }
}
