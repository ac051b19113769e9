//! The names that are joined to the rows: those of workbooks and the email addresses of users.
//!
//! Only ids that the rows contain are looked up, each once, and only if a requested field needs them.

use std::collections::BTreeSet;
use std::sync::Arc;

use query_csv::{CellCache, Page, escape_formula};
use usage_export::directory::{Directory, Workbook};
use usage_export::error::AwsError;
use usage_export::timestamp;

use crate::layout::WORKBOOK_ID;
use crate::selection::Selection;

/// Completes pages with names from the directory. Whoever completes pages of an export at the same time shares the cache.
pub struct Names {
    /// The directory that the names are read from.
    pub directory: Directory,
    /// The organization whose members the users are, and whose workbooks are named.
    pub organization_id: String,
    /// What the pages share, the cell cache among it.
    pub selection: Arc<Selection>,
}

/// How a page tells which ids of a join the cache lacks.
type MissingIds = for<'a> fn(&'a Page, usize, &CellCache) -> Vec<&'a str>;

impl Names {
    /// How many ids of a page have to be looked up.
    pub fn missing(&self, page: &Page) -> usize {
        let Selection { layout, cells, .. } = &*self.selection;
        layout.joins().enumerate().map(|(join, _)| page.missing_ids(join, cells).len()).sum()
    }

    /// The rows of each of these pages, complete.
    ///
    /// # Errors
    ///
    /// The directory could not be read, or a workbook in it cannot be written.
    pub async fn complete(&self, pages: Vec<Page>) -> Result<Vec<Vec<u8>>, AwsError> {
        // Whoever adds to a full cache empties it. Then it may lack what was there before this one looked up the rest.
        let mut found_missing = self.look_up(&pages, Page::missing_ids).await?;
        while found_missing {
            found_missing = self.look_up(&pages, Page::still_missing_ids).await?;
        }
        let Selection { cells, pool, .. } = &*self.selection;
        let rows = pages.into_iter().map(|page| page.into_rows(cells, pool));
        rows.collect::<Result<_, _>>().map_err(|error| AwsError::internal("page of usage records", &error))
    }

    /// Looks up the ids of pages that the cache lacks, and says whether there were any.
    async fn look_up(&self, pages: &[Page], missing_ids: MissingIds) -> Result<bool, AwsError> {
        let Selection { layout, cells, .. } = &*self.selection;
        let mut found_missing = false;
        for (join, attribute) in layout.joins().enumerate() {
            let ids: BTreeSet<_> = pages.iter().flat_map(|page| missing_ids(page, join, cells)).collect();
            if ids.is_empty() {
                continue;
            }
            found_missing = true;
            let ids = ids.into_iter().collect();
            if attribute == WORKBOOK_ID {
                self.look_up_workbooks(join, ids).await?;
            } else {
                self.look_up_users(join, ids).await?;
            }
        }
        Ok(found_missing)
    }

    // The ids are a `Vec` and not a slice, because the compiler does not see that a future with a slice of references is `Send`:
    // https://github.com/rust-lang/rust/issues/110338
    async fn look_up_workbooks(&self, join: usize, ids: Vec<&str>) -> Result<(), AwsError> {
        let found = self.directory.workbooks_of(&self.organization_id, ids.clone()).await?;
        for id in ids {
            let Some(workbook) = found.get(id) else {
                self.selection.cells.insert(join, id, &[]);
                continue;
            };
            let created_ts = created_ts(id, workbook)?;
            self.selection.cells.insert(join, id, &[&escape_formula(&workbook.name), created_ts]);
        }
        Ok(())
    }

    async fn look_up_users(&self, join: usize, ids: Vec<&str>) -> Result<(), AwsError> {
        let found = self.directory.members(&self.organization_id, ids.clone()).await?;
        for id in ids {
            let email = found.get(id).map_or("", |member| member.email.as_str());
            self.selection.cells.insert(join, id, &[&escape_formula(email)]);
        }
        Ok(())
    }
}

/// When the workbook was made; empty if that is not known.
fn created_ts<'a>(id: &str, workbook: &'a Workbook) -> Result<&'a str, AwsError> {
    let created_ts = workbook.created_ts.as_deref().unwrap_or_default();
    if !created_ts.is_empty() && timestamp::from_text(created_ts).is_none() {
        return Err(AwsError::corrupt(
            format!("directory item WORKBOOK#{id}"),
            "created_ts is not an ISO 8601 UTC time with milliseconds",
        ));
    }
    Ok(created_ts)
}
