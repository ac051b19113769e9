//! Reads usage records with `Query`: in order, some pages ahead, and every record counted.

use std::collections::HashMap;
use std::sync::Arc;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::query::QueryOutput;
use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use futures::stream::{self, Stream, StreamExt, TryStreamExt};
use query_csv::escape_formula;
use tokio::task::JoinError;
use tokio_util::task::AbortOnDropHandle;
use usage_export::dynamo::{Item, text};
use usage_export::error::AwsError;
use usage_export::usage::{LAST_SORT_KEY, Month, sort_key_bounds};

use crate::bad_record::{BadRecord, Fault};
use crate::interceptor::QueryInterceptor;
use crate::partition::Partition;
use crate::read_ahead::ReadAhead;
use crate::selection::Selection;

/// How many records a page has at most that is asked for on the guess that its partition is empty. Many such pages are in
/// flight at once, so this bounds memory.
const GUESSED_RECORDS: i32 = 100;

/// Reads the table of usage records.
#[derive(Debug, Clone)]
pub struct UsageRecords {
    /// The client of DynamoDB that every `Query` goes through.
    pub client: Client,
    /// The name of the table.
    pub table: String,
    /// How many partitions have their first page requested at once, the current one included. It bounds memory: a page has up
    /// to 1 MB.
    pub read_ahead: usize,
}

/// One answer of `Query`, with what is needed to continue after it.
#[derive(Debug)]
pub struct Page {
    /// The partition that it is a page of.
    pub partition: Partition,
    /// The rows of its records.
    pub rows: query_csv::Page,
    /// How many records DynamoDB says it read.
    pub read: u64,
    /// How many of them DynamoDB says it left out, because they are runs of another workbook.
    pub filtered: u64,
    /// The sort key up to which the partition is read with this page, or [`LAST_SORT_KEY`].
    pub up_to: String,
    /// The key after which the partition's next page starts.
    next: Option<Item>,
}

/// Why a page could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// A call failed.
    #[error(transparent)]
    Aws(#[from] AwsError),
    /// A record of the page makes no right row. Reading it again does not help.
    #[error(transparent)]
    Record(Box<BadRecord>),
}

/// A page that is in flight. A spawned task goes on while nobody polls it, and ends when nobody wants it any more.
type PageInFlight = AbortOnDropHandle<Result<Page, ReadError>>;

impl UsageRecords {
    /// The pages of the partitions, in order.
    ///
    /// While one page is worked on, the partition's next page and the first pages of the next partitions are in flight: at
    /// most `read_ahead` + 1 pages are held. Where partitions are empty, more of them are asked for at once, with small pages.
    ///
    /// # Errors
    ///
    /// The stream ends with the first page that cannot be read.
    pub fn pages(
        &self,
        partitions: impl Iterator<Item = Partition> + Send,
        selection: &Arc<Selection>,
    ) -> impl Stream<Item = Result<Page, ReadError>> {
        let ahead = ReadAhead::new(partitions, self.read_ahead);
        stream::unfold(ahead, async |mut ahead| {
            let next = ahead.next(|partition, is_guess| {
                let start = partition.after.as_ref().map(|after| {
                    HashMap::from([
                        ("PK".to_owned(), text(&partition.partition_key)),
                        ("SK".to_owned(), text(after)),
                    ])
                });
                self.request_page(partition, selection, start, is_guess.then_some(GUESSED_RECORDS))
            });
            let first = joined(next?.await);
            ahead.arrived(first.as_ref().is_ok_and(|page| page.read == 0 && page.next.is_none()));
            Some((first, ahead))
        })
        .map(|first| self.pages_of_partition(first, selection))
        .flatten()
    }

    /// The first page of a partition, then the others.
    fn pages_of_partition(
        &self,
        first: Result<Page, ReadError>,
        selection: &Arc<Selection>,
    ) -> impl Stream<Item = Result<Page, ReadError>> {
        stream::once(async move { first })
            .map_ok(move |first| {
                stream::try_unfold(Some(NextPage::Arrived(Box::new(first))), async move |next| {
                    let mut page = match next {
                        None => return Ok(None),
                        Some(NextPage::Arrived(page)) => *page,
                        Some(NextPage::InFlight(page)) => joined(page.await)?,
                    };
                    let next = page.next.take().map(|start| {
                        NextPage::InFlight(self.request_page(
                            page.partition.clone(),
                            selection,
                            Some(start),
                            None,
                        ))
                    });
                    Ok(Some((page, next)))
                })
            })
            .try_flatten()
    }

    /// Requests a page at once.
    fn request_page(
        &self,
        partition: Partition,
        selection: &Arc<Selection>,
        start: Option<Item>,
        limit: Option<i32>,
    ) -> PageInFlight {
        let page = query(self.clone(), partition, Arc::clone(selection), start, limit);
        AbortOnDropHandle::new(tokio::spawn(page))
    }
}

enum NextPage {
    Arrived(Box<Page>),
    InFlight(PageInFlight),
}

fn joined(page: Result<Result<Page, ReadError>, JoinError>) -> Result<Page, ReadError> {
    page.map_err(AwsError::from_join("page of usage records"))?
}

/// Reads one page.
async fn query(
    records: UsageRecords,
    partition: Partition,
    selection: Arc<Selection>,
    start: Option<Item>,
    limit: Option<i32>,
) -> Result<Page, ReadError> {
    let workspace = [partition.workspace_id.clone(), escape_formula(&partition.workspace_name).into_owned()];
    let (interceptor, pages) = QueryInterceptor::new(Arc::clone(&selection), workspace);
    let output = request(&records, &partition, &selection)
        .set_exclusive_start_key(start)
        .set_limit(limit)
        .customize()
        .interceptor(interceptor)
        .send()
        .await
        .map_err(AwsError::from_sdk("dynamodb:Query"))?;
    let rows = pages.try_iter().last().ok_or_else(|| {
        AwsError::unexpected("page of usage records", "the SDK did not call the interceptor")
    })?;
    let rows = match rows {
        Ok(rows) => rows,
        Err(error) => {
            let fault = Fault::Unreadable(error.reason);
            return Err(bad_record(&records, &partition, &error.sort_key, fault).await);
        }
    };
    if let Some(start) = start_in_another_month(&rows, partition.month) {
        return Err(bad_record(&records, &partition, start, Fault::OtherMonth).await);
    }
    let (read, filtered) = counts(&output, selection.filter.is_some());
    let up_to = match &output.last_evaluated_key {
        // The last record that was sent would not do: others may have been left out behind it.
        Some(key) => key.get("SK").and_then(|sort_key| sort_key.as_s().ok()).cloned(),
        None => Some(LAST_SORT_KEY.to_owned()),
    };
    let up_to =
        up_to.ok_or_else(|| AwsError::unexpected("page of usage records", "its last key has no SK"))?;
    Ok(Page { partition, rows, read, filtered, up_to, next: output.last_evaluated_key })
}

/// The error that ends the export because of the record whose sort key begins like this.
async fn bad_record(
    records: &UsageRecords,
    partition: &Partition,
    sort_key: &str,
    fault: Fault,
) -> ReadError {
    let UsageRecords { client, table, .. } = records;
    ReadError::Record(Box::new(BadRecord::look_up(client, table, partition, sort_key, fault).await))
}

/// The request for the records of a partition that started in the interval.
fn request(records: &UsageRecords, partition: &Partition, selection: &Selection) -> QueryFluentBuilder {
    let (first, last) =
        sort_key_bounds(partition.month, selection.interval.start(), selection.interval.end());
    let condition = match (&first, &last) {
        (None, None) => "PK = :pk",
        (Some(_), None) => "PK = :pk AND SK >= :first",
        (None, Some(_)) => "PK = :pk AND SK <= :last",
        (Some(_), Some(_)) => "PK = :pk AND SK BETWEEN :first AND :last",
    };
    let (filter, values) = selection.filter.clone().unzip();
    let mut values = values.unwrap_or_default();
    values.insert(":pk".to_owned(), text(&partition.partition_key));
    values.extend(first.map(|first| (":first".to_owned(), text(first))));
    values.extend(last.map(|last| (":last".to_owned(), text(last))));
    records
        .client
        .query()
        .table_name(&records.table)
        .key_condition_expression(condition)
        .set_filter_expression(filter)
        .set_expression_attribute_values(Some(values))
        .projection_expression(&selection.projection)
        // An eventually consistent read may miss a run that was just recorded.
        .consistent_read(true)
}

/// When the first or the last run of a page started, if that was not in this month. The runs between them started between.
fn start_in_another_month(rows: &query_csv::Page, month: Month) -> Option<&str> {
    let month = month.to_string();
    rows.times.iter().flatten().map(String::as_str).find(|start| !start.starts_with(&month))
}

/// How many records DynamoDB says it read, and how many of them it left out.
fn counts(output: &QueryOutput, is_filtered: bool) -> (u64, u64) {
    let [sent, read] = [output.count, output.scanned_count].map(|count| u64::try_from(count).unwrap_or(0));
    // Without a filter nothing may be left out: a difference is found when the counts of the file are compared.
    (read, if is_filtered { read.saturating_sub(sent) } else { 0 })
}
