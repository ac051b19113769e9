//! How a test reads an answer: the steps that a caller of the crate takes.

use std::sync::Arc;

use query_csv::{BufferPool, CellCache, Column, Counts, Page, PageError, PageReader, RowLayout};

use crate::layouts::layout;

pub const CONSTANTS: [&str; 2] = ["place_1", "Sales, \"EU\""];

/// The values that are joined by an id: a test can tell them from anything else.
pub fn joined_values(attribute: &str, id: &str) -> [String; 2] {
    [format!("{attribute} of {id}"), format!("\"{id}\", again")]
}

/// Everything that the pages of one file share.
pub struct File {
    pub layout: Arc<RowLayout>,
    pub cells: Arc<CellCache>,
    pub pool: Arc<BufferPool>,
    /// How many ids were looked up.
    pub looked_up: usize,
}

impl File {
    pub fn new(columns: &[Column]) -> Self {
        Self::of(layout(columns))
    }

    pub fn of(layout: Arc<RowLayout>) -> Self {
        let cells = Arc::new(CellCache::new(&layout));
        Self { layout, cells, pool: Arc::default(), looked_up: 0 }
    }

    /// Reads one answer that arrives in these frames.
    pub fn page<'a>(
        &self,
        frames: impl IntoIterator<Item = &'a [u8]>,
        crc32: Option<u32>,
    ) -> Result<Page, PageError> {
        let mut reader = PageReader::new(&self.layout, &self.cells, &self.pool, &CONSTANTS, crc32);
        for frame in frames {
            reader.feed(frame)?;
        }
        reader.finish()
    }

    /// Looks up what a page misses, and completes its rows.
    pub fn complete(&mut self, page: Page) -> String {
        for (join, attribute) in self.layout.joins().enumerate() {
            for id in page.missing_ids(join, &self.cells) {
                let values = joined_values(attribute, id);
                self.cells.insert(join, id, &[&values[0], &values[1]]);
                self.looked_up += 1;
            }
        }
        let rows = page.into_rows(&self.cells, &self.pool).expect("nothing is missing");
        String::from_utf8(rows).expect("UTF-8")
    }

    /// The complete rows of an answer.
    pub fn rows(&mut self, answer: &str) -> Result<(String, Counts), PageError> {
        let page = self.page([answer.as_bytes()], None)?;
        let counts = page.counts;
        Ok((self.complete(page), counts))
    }
}
