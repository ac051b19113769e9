//! Usage records from the table: in order, some pages ahead, and every one counted.

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use futures::stream::{self, Stream, StreamExt, TryStreamExt};
use tokio::task::JoinHandle;
use usage_export::dynamo::{Item, StoreError, text};
use usage_export::export::interval::Interval;
use usage_export::timestamp;
use usage_export::usage::{sort_key_bounds, split_sort_key};

use crate::decimal::plain_decimal;
use crate::plan::Bucket;

/// Reads the table of usage records.
#[derive(Debug, Clone)]
pub struct Reader {
    /// The client.
    pub client: Client,
    /// The table.
    pub table: String,
    /// Buckets whose first page is asked for before it is needed. It bounds memory: a page has up to 1 MB.
    pub read_ahead: usize,
}

/// One answer of `Query`.
#[derive(Debug)]
pub struct Page {
    /// Where it is from.
    pub bucket: Bucket,
    /// Its records, in order.
    pub records: Vec<UsageRecord>,
    /// How many records DynamoDB says it returned.
    pub count: u64,
    /// The key after which the next page of the bucket starts.
    next: Option<Item>,
}

/// One run, its values as they are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsageRecord {
    /// Start and run id, as in the table.
    pub sort_key: String,
    /// Empty if there is none.
    pub workbook_id: String,
    /// Who ran it; empty if there is none.
    pub user_id: String,
    /// Credits, an exact decimal without exponent; empty if there is none.
    pub credit_cost: String,
    /// Empty while the run goes on.
    pub finished_ts: String,
}

impl UsageRecord {
    /// When the run started, as text.
    pub fn start(&self) -> &str {
        split_sort_key(&self.sort_key).map_or("", |(start, _)| start)
    }

    /// The run's id.
    pub fn run_id(&self) -> &str {
        split_sort_key(&self.sort_key).map_or("", |(_, run_id)| run_id)
    }

    fn read(mut item: Item) -> Result<Self, StoreError> {
        let sort_key =
            string(&mut item, "SK").map_err(|reason| StoreError::corrupt("usage record", reason))?;
        Self::read_rest(item, &sort_key)
            .map_err(|reason| StoreError::corrupt(format!("usage record {sort_key}"), reason))
    }

    fn read_rest(mut item: Item, sort_key: &str) -> Result<Self, String> {
        if split_sort_key(sort_key).is_none() {
            return Err("SK is not a start and a run id".to_owned());
        }
        let credit_cost = match item.remove("credit_cost") {
            Some(AttributeValue::N(number)) => plain_decimal(number)?,
            None | Some(AttributeValue::Null(_)) => String::new(),
            Some(_) => return Err("credit_cost is not a number".to_owned()),
        };
        let finished_ts = string(&mut item, "finished_ts")?;
        if !finished_ts.is_empty() && timestamp::from_text(&finished_ts).is_none() {
            return Err("finished_ts is not an ISO 8601 UTC time with milliseconds".to_owned());
        }
        Ok(Self {
            sort_key: sort_key.to_owned(),
            workbook_id: string(&mut item, "workbook_id")?,
            user_id: string(&mut item, "user_id")?,
            credit_cost,
            finished_ts,
        })
    }
}

/// Takes a string out of an item; empty if it is absent.
fn string(item: &mut Item, name: &str) -> Result<String, String> {
    match item.remove(name) {
        Some(AttributeValue::S(value)) => Ok(value),
        None | Some(AttributeValue::Null(_)) => Ok(String::new()),
        Some(_) => Err(format!("{name} is not a string")),
    }
}

impl Reader {
    /// The pages of the buckets, in order.
    ///
    /// While one page is worked on, the bucket's next page and the first pages of the next buckets are on their way:
    /// at most `read_ahead` + 1 pages are held.
    pub fn pages(
        &self,
        buckets: impl Iterator<Item = Bucket> + Send,
        interval: Interval,
    ) -> impl Stream<Item = Result<Page, StoreError>> {
        let read_ahead = self.read_ahead.max(1);
        stream::iter(buckets)
            .map(move |bucket| {
                let start = bucket.after.as_ref().map(|after| {
                    HashMap::from([
                        ("PK".to_owned(), text(&bucket.partition_key)),
                        ("SK".to_owned(), text(after)),
                    ])
                });
                self.spawn_page(bucket, interval, start)
            })
            .buffered(read_ahead)
            .map(move |first| self.rest_of_bucket(first, interval))
            .flatten()
    }

    /// The first page of a bucket, then the others.
    fn rest_of_bucket(
        &self,
        first: Result<Result<Page, StoreError>, tokio::task::JoinError>,
        interval: Interval,
    ) -> impl Stream<Item = Result<Page, StoreError>> {
        let first = stream::once(async move { joined(first) });
        first
            .map_ok(move |first| {
                stream::try_unfold(Some(Next::Here(first)), move |next| async move {
                    let mut page = match next {
                        None => return Ok(None),
                        Some(Next::Here(page)) => page,
                        Some(Next::OnItsWay(page)) => joined(page.await)?,
                    };
                    let next = page.next.take().map(|start| {
                        Next::OnItsWay(self.spawn_page(page.bucket.clone(), interval, Some(start)))
                    });
                    Ok(Some((page, next)))
                })
            })
            .try_flatten()
    }

    /// Asks for a page at once: a spawned task goes on while nobody polls.
    fn spawn_page(
        &self,
        bucket: Bucket,
        interval: Interval,
        start: Option<Item>,
    ) -> JoinHandle<Result<Page, StoreError>> {
        tokio::spawn(page(self.client.clone(), self.table.clone(), bucket, interval, start))
    }
}

/// A page that is here, or will be.
enum Next {
    Here(Page),
    OnItsWay(JoinHandle<Result<Page, StoreError>>),
}

fn joined(page: Result<Result<Page, StoreError>, tokio::task::JoinError>) -> Result<Page, StoreError> {
    page.map_err(|error| StoreError::corrupt("page", error))?
}

async fn page(
    client: Client,
    table: String,
    bucket: Bucket,
    interval: Interval,
    start: Option<Item>,
) -> Result<Page, StoreError> {
    let (first, last) = sort_key_bounds(interval);
    let output = client
        .query()
        .table_name(table)
        .key_condition_expression("PK = :pk AND SK BETWEEN :first AND :last")
        .expression_attribute_values(":pk", text(&bucket.partition_key))
        .expression_attribute_values(":first", text(first))
        .expression_attribute_values(":last", text(last))
        // An eventually consistent read may miss a run that was just recorded.
        .consistent_read(true)
        .set_exclusive_start_key(start)
        .send()
        .await
        .map_err(StoreError::aws("dynamodb:Query"))?;
    Ok(Page {
        bucket,
        count: u64::try_from(output.count).unwrap_or(0),
        records: output
            .items
            .unwrap_or_default()
            .into_iter()
            .map(UsageRecord::read)
            .collect::<Result<_, _>>()?,
        next: output.last_evaluated_key,
    })
}
