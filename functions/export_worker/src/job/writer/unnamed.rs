//! The last pages, whose rows still lack names: where pages are small, those of several are looked up at once.

use query_csv::Page;
use usage_export::dynamo::MAX_BATCH_GET_KEYS;
use usage_records::names::Names;

use super::Writer;
use crate::job::error::PipelineError;

/// How many bytes of rows wait, at most, for more ids that are to be looked up. A full page has more.
const MAX_WAITING_BYTES: usize = 256 * 1024;

/// Pages in the order in which they were read.
#[derive(Debug, Default)]
pub(super) struct Unnamed {
    pages: Vec<Page>,
    bytes: usize,
    /// How many ids they lack. One that several of them lack is counted more than once.
    missing: usize,
}

impl Unnamed {
    /// Adds a page.
    pub(super) fn push(&mut self, page: Page, names: &Names) {
        self.bytes += page.bytes();
        self.missing += names.missing(&page);
        self.pages.push(page);
    }

    /// Whether a further page would save no look-up.
    pub(super) fn is_enough(&self) -> bool {
        self.missing == 0 || self.missing >= MAX_BATCH_GET_KEYS || self.bytes >= MAX_WAITING_BYTES
    }
}

impl Writer<'_> {
    /// Completes the rows of the last pages and adds them to the part.
    ///
    /// # Errors
    ///
    /// A name could not be read, or cannot be written.
    pub(super) async fn name_rows(&mut self) -> Result<(), PipelineError> {
        let Unnamed { pages, .. } = std::mem::take(&mut self.unnamed);
        for rows in self.names.complete(pages).await? {
            if rows.is_empty() {
                self.names.selection.pool.release(rows);
            } else {
                self.part.push(rows);
            }
        }
        Ok(())
    }
}
