//! The first rows of a file, found by a bounded number of calls.

use futures::future::try_join_all;
use usage_export::export::Range;
use usage_export::usage::LAST_SORT_KEY;

use crate::names::Names;
use crate::page::{Page, ReadError};
use crate::partition::Partition;
use crate::plan::Plan;
use crate::preview::cells::{ROWS, cells};
use crate::preview::survey::MAX_IN_FLIGHT;
use crate::query::UsageRecords;

/// How many calls of `Query` the search makes at most.
pub const MAX_CALLS: usize = 40;

/// The records that a call reads at most where runs of other workbooks are left out: their share is unknown.
const MAX_RECORDS_FILTERED: i32 = 250;

/// What a search has found.
#[derive(Debug)]
pub struct FirstRows {
    /// The first rows.
    pub rows: Vec<Vec<String>>,
    /// Whether the calls were used up before there were [`ROWS`] rows, so that more may follow.
    pub is_cut_off: bool,
}

/// Reads partitions in the order of the file, one, then two, then more of them at a time, until there are [`ROWS`] rows.
///
/// # Errors
///
/// A call failed, or a record makes no right row.
pub async fn first_rows(records: &UsageRecords, names: &Names, plan: &Plan) -> Result<FirstRows, ReadError> {
    let mut search = Search { records, names, rows: Vec::new(), calls_left: MAX_CALLS };
    let mut partitions = plan.partitions(&Range::default(), None).peekable();
    let mut at_once = 1;
    while partitions.peek().is_some() {
        let next: Vec<_> = partitions.by_ref().take(at_once.min(search.calls_left)).collect();
        if next.is_empty() {
            return Ok(FirstRows { rows: search.rows, is_cut_off: true });
        }
        search.calls_left -= next.len();
        let pages = try_join_all(next.into_iter().map(|partition| search.peek(partition))).await?;
        for page in pages {
            if let Some(is_cut_off) = search.take(page).await? {
                return Ok(FirstRows { rows: search.rows, is_cut_off });
            }
        }
        at_once = (at_once * 2).min(MAX_IN_FLIGHT);
    }
    Ok(FirstRows { rows: search.rows, is_cut_off: false })
}

struct Search<'a> {
    records: &'a UsageRecords,
    names: &'a Names,
    rows: Vec<Vec<String>>,
    calls_left: usize,
}

impl Search<'_> {
    fn peek(&self, partition: Partition) -> impl Future<Output = Result<Page, ReadError>> {
        let selection = &self.names.selection;
        let limit =
            if selection.leaves_out { MAX_RECORDS_FILTERED } else { i32::try_from(ROWS).unwrap_or(i32::MAX) };
        self.records.peek(partition, selection.interval, selection, limit)
    }

    /// Takes the rows of a page and of those behind it in its partition. The search ends with `Some`: whether it is cut off.
    async fn take(&mut self, mut page: Page) -> Result<Option<bool>, ReadError> {
        loop {
            let Page { partition, rows, up_to, .. } = page;
            let rows = self.names.complete(vec![rows]).await?.concat();
            self.rows.extend(cells(&rows, ROWS - self.rows.len())?);
            if self.rows.len() == ROWS {
                return Ok(Some(false));
            }
            if up_to == LAST_SORT_KEY {
                return Ok(None);
            }
            if self.calls_left == 0 {
                return Ok(Some(true));
            }
            self.calls_left -= 1;
            page = self.peek(Partition { after: Some(up_to), ..partition }).await?;
        }
    }
}
