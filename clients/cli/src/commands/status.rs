//! `usage-export status`, and how an export is described.

use std::iter;

use indicatif::HumanCount;

use crate::client::Client;
use crate::console::Console;
use crate::error::Error;
use crate::export::{Export, ExportId, Status};
use crate::text::Text;

pub fn status(client: &Client, console: Console, id: &ExportId) -> Result<(), Error> {
    let export = client.status(id)?;
    console.result(&export.document, &describe(&export))
}

/// An export in one line.
pub fn describe(export: &Export) -> String {
    let Status { data_export_id: id, state, row_count, size_bytes, checksum, error, progress, .. } =
        &export.status;
    let percent = progress.filter(|_| !state.is_final()).map(|percent| format!("{percent} %"));
    let size = size_bytes.map(|size| format!("{} bytes", HumanCount(size)));
    let texts = [checksum, error].map(|text| text.as_ref().map(Text::to_string));
    let details = [percent, row_count.map(rows_text), size].into_iter().chain(texts).flatten();
    let parts: Vec<_> = iter::once(format!("{id} {}", state.name())).chain(details).collect();
    parts.join(", ")
}

/// A count of rows, as people read it.
pub fn rows_text(rows: u64) -> String {
    let count = HumanCount(rows);
    if rows == 1 { format!("{count} row") } else { format!("{count} rows") }
}
