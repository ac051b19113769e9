//! Usage records from the table: in order, some pages ahead, and every one counted.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::query::QueryOutput;
use aws_sdk_dynamodb::types::AttributeValue;
use futures::stream::{self, Stream, StreamExt, TryStreamExt};
use tokio::task::JoinHandle;
use usage_export::dynamo::{Item, text};
use usage_export::error::AwsError;
use usage_export::export::interval::Interval;
use usage_export::usage::{Field, sort_key_bounds};

use crate::columns::Columns;
use crate::plan::Bucket;
use crate::rows::Rows;
use crate::tap::Tap;

/// `IN` takes no more operands.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html#limits-expression-parameters>
const MOST_OPERANDS: usize = 100;

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

/// What is read of each bucket.
#[derive(Debug, Clone)]
pub struct Selection {
    /// When the runs started.
    pub interval: Interval,
    /// The attributes that are sent: a `ProjectionExpression`. The partition key is known, and what nobody asked for
    /// need not travel. It costs the same read capacity.
    pub attributes: String,
    /// Which records are sent: a `FilterExpression`, and what its names stand for. `None` if all are, or if the ids are
    /// too many for one: the worker leaves records out then. It costs the same read capacity.
    pub filter: Option<(String, HashMap<String, AttributeValue>)>,
    /// What is written of each record.
    pub columns: Arc<Columns>,
}

impl Selection {
    /// For a file with these columns.
    pub fn new(interval: Interval, columns: Arc<Columns>) -> Self {
        let fields = columns.fields();
        let wanted = |any_of: &[Field]| any_of.iter().any(|field| fields.contains(field));
        let workbook = [Field::WorkbookId, Field::WorkbookName, Field::WorkbookCreatedTs];
        let optional = [
            ("workbook_id", !columns.workbook_ids().is_empty() || wanted(&workbook)),
            ("user_id", wanted(&[Field::UserId, Field::UserEmail])),
            ("credit_cost", wanted(&[Field::CreditCost])),
            ("finished_ts", wanted(&[Field::PlRunFinishedTs])),
        ];
        let mut attributes = "SK".to_owned();
        for (name, _) in optional.iter().filter(|(_, wanted)| *wanted) {
            attributes.push_str(", ");
            attributes.push_str(name);
        }
        let filter = filter(columns.workbook_ids());
        Self { interval, attributes, filter, columns }
    }
}

fn filter(workbook_ids: &BTreeSet<String>) -> Option<(String, HashMap<String, AttributeValue>)> {
    if workbook_ids.is_empty() || workbook_ids.len() > MOST_OPERANDS {
        return None;
    }
    let values = workbook_ids.iter().enumerate().map(|(index, id)| (format!(":w{index}"), text(id)));
    let values: HashMap<_, _> = values.collect();
    let names: Vec<_> = values.keys().map(String::as_str).collect();
    Some((format!("workbook_id IN ({})", names.join(", ")), values))
}

/// One answer of `Query`.
#[derive(Debug)]
pub struct Page {
    /// Where it is from.
    pub bucket: Bucket,
    /// Its rows, in order.
    pub rows: Rows,
    /// How many records DynamoDB says it read.
    pub read: u64,
    /// How many of them it says it left out, because they are of another workbook.
    pub filtered: u64,
    /// Up to where its bucket is read then: a sort key, or the end of the interval.
    pub up_to: String,
    /// The key after which the next page of the bucket starts.
    next: Option<Item>,
}

impl Reader {
    /// The pages of the buckets, in order.
    ///
    /// While one page is worked on, the bucket's next page and the first pages of the next buckets are on their way:
    /// at most `read_ahead` + 1 pages are held.
    pub fn pages(
        &self,
        buckets: impl Iterator<Item = Bucket> + Send,
        selection: &Selection,
    ) -> impl Stream<Item = Result<Page, AwsError>> {
        let (selection, rest) = (selection.clone(), selection.clone());
        let read_ahead = self.read_ahead.max(1);
        stream::iter(buckets)
            .map(move |bucket| {
                let start = bucket.after.as_ref().map(|after| {
                    HashMap::from([
                        ("PK".to_owned(), text(&bucket.partition_key)),
                        ("SK".to_owned(), text(after)),
                    ])
                });
                self.spawn_page(bucket, selection.clone(), start)
            })
            .buffered(read_ahead)
            .map(move |first| self.rest_of_bucket(first, rest.clone()))
            .flatten()
    }

    /// The first page of a bucket, then the others.
    fn rest_of_bucket(
        &self,
        first: Result<Result<Page, AwsError>, tokio::task::JoinError>,
        selection: Selection,
    ) -> impl Stream<Item = Result<Page, AwsError>> {
        let first = stream::once(async move { joined(first) });
        first
            .map_ok(move |first| {
                stream::try_unfold(
                    (Some(Next::Here(Box::new(first))), selection.clone()),
                    move |(next, selection)| async move {
                        let mut page = match next {
                            None => return Ok(None),
                            Some(Next::Here(page)) => *page,
                            Some(Next::OnItsWay(page)) => joined(page.await)?,
                        };
                        let next = page.next.take().map(|start| {
                            Next::OnItsWay(self.spawn_page(
                                page.bucket.clone(),
                                selection.clone(),
                                Some(start),
                            ))
                        });
                        Ok(Some((page, (next, selection))))
                    },
                )
            })
            .try_flatten()
    }

    /// Asks for a page at once: a spawned task goes on while nobody polls.
    fn spawn_page(
        &self,
        bucket: Bucket,
        selection: Selection,
        start: Option<Item>,
    ) -> JoinHandle<Result<Page, AwsError>> {
        tokio::spawn(page(self.client.clone(), self.table.clone(), bucket, selection, start))
    }
}

/// A page that is here, or will be.
enum Next {
    Here(Box<Page>),
    OnItsWay(JoinHandle<Result<Page, AwsError>>),
}

fn joined(page: Result<Result<Page, AwsError>, tokio::task::JoinError>) -> Result<Page, AwsError> {
    page.map_err(AwsError::from_join("page of usage records"))?
}

async fn page(
    client: Client,
    table: String,
    bucket: Bucket,
    selection: Selection,
    start: Option<Item>,
) -> Result<Page, AwsError> {
    let (first, last) = sort_key_bounds(selection.interval.start(), selection.interval.end());
    let (filter, values) = selection.filter.unzip();
    let is_filtered = filter.is_some();
    let mut values = values.unwrap_or_default();
    values.extend([
        (":pk".to_owned(), text(&bucket.partition_key)),
        (":first".to_owned(), text(first)),
        (":last".to_owned(), text(last.as_str())),
    ]);
    let tap = Tap::new(selection.columns, &bucket.workspace_id);
    let output = client
        .query()
        .table_name(table)
        .key_condition_expression("PK = :pk AND SK BETWEEN :first AND :last")
        .set_filter_expression(filter)
        .set_expression_attribute_values(Some(values))
        .projection_expression(selection.attributes)
        // An eventually consistent read may miss a run that was just recorded.
        .consistent_read(true)
        .set_exclusive_start_key(start)
        .customize()
        .interceptor(tap.clone())
        .send()
        .await
        .map_err(AwsError::from_sdk("dynamodb:Query"))?;
    let rows = tap.rows(output.items.as_deref())?;
    let (read, filtered) = counts(&output, is_filtered);
    let next = output.last_evaluated_key;
    let up_to = match &next {
        // Not the last record that was sent: others may have been left out behind it.
        Some(key) => key.get("SK").and_then(|sort_key| sort_key.as_s().ok()).cloned(),
        None => Some(last),
    };
    let up_to =
        up_to.ok_or_else(|| AwsError::unexpected("page of usage records", "its last key has no SK"))?;
    Ok(Page { bucket, rows, read, filtered, up_to, next })
}

/// How many records DynamoDB says it read, and how many of them it left out.
fn counts(output: &QueryOutput, is_filtered: bool) -> (u64, u64) {
    let [sent, read] = [output.count, output.scanned_count].map(|count| u64::try_from(count).unwrap_or(0));
    // If nothing was to be left out, a difference is an error, and is found when all is counted.
    (read, if is_filtered { read.saturating_sub(sent) } else { 0 })
}
