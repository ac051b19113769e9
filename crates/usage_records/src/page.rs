//! One page of usage records: a call of `Query`, and what is made of its answer. Every record is counted.

use std::sync::Arc;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::operation::query::{QueryError, QueryOutput};
use aws_sdk_dynamodb::types::{ConsumedCapacity, ReturnConsumedCapacity};
use query_csv::escape_formula;
use usage_export::dynamo::{Item, text};
use usage_export::error::AwsError;
use usage_export::usage::{LAST_SORT_KEY, Month};

use crate::bad_record::{BadRecord, Fault};
use crate::interceptor::QueryInterceptor;
use crate::partition::Partition;
use crate::selection::Selection;
use crate::throttling::ThrottlingIsWaitedOut;
pub use crate::throttling::{Limit, UNITS_OF_PAGE};

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
    /// What it cost, in read units, where DynamoDB said so. A page that is read consistently costs whole ones.
    pub read_units: u64,
    /// Whether it is as large as a page can be: it was asked for without a limit, and the partition has more.
    pub is_full: bool,
    /// Whether it waited because DynamoDB throttles its partition, or because exports may not read more of its partition in a second. More
    /// reads of the partition at the same time would not be faster.
    pub throttled: bool,
    /// The sort key up to which the partition is read with this page, or [`LAST_SORT_KEY`].
    pub up_to: String,
    /// The key after which the partition's next page starts.
    pub(crate) next: Option<Item>,
}

/// Why a page could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// A call failed.
    #[error(transparent)]
    Aws(#[from] AwsError),
    /// DynamoDB gives no more in this second.
    #[error("{error}")]
    Throttled {
        /// By which limit.
        limit: Limit,
        /// The error of the call.
        error: AwsError,
    },
    /// A record of the page makes no right row. Reading it again does not help.
    #[error(transparent)]
    Record(Box<BadRecord>),
}

/// What one call of `Query` reads.
#[derive(Debug, Clone)]
pub(crate) struct PageRequest {
    pub(crate) partition: Partition,
    /// The least and the greatest sort key that is read.
    pub(crate) sort_keys: (Option<String>, Option<String>),
    /// The key after which it starts.
    pub(crate) start: Option<Item>,
    /// How many records it reads at most. Without a limit it reads up to 1 MB.
    pub(crate) limit: Option<i32>,
    /// A page of an export is read consistently, and whoever asks for it repeats it when it is throttled. Another one may miss a
    /// run that was just recorded, costs half the read capacity, and the SDK repeats it.
    pub(crate) is_of_export: bool,
}

/// The key after which to start, if a checkpoint lies in this partition.
pub(crate) fn start_after(partition: &Partition) -> Option<Item> {
    let after = partition.after.as_ref()?;
    let key = [("PK", &partition.partition_key), ("SK", after)];
    Some(key.into_iter().map(|(name, value)| (name.to_owned(), text(value))).collect())
}

impl PageRequest {
    /// Reads the page.
    pub(crate) async fn send(
        self,
        client: &Client,
        table: &str,
        selection: &Arc<Selection>,
    ) -> Result<Page, ReadError> {
        let call = self.call(client, table, selection);
        let Self { partition, start, limit, is_of_export, .. } = self;
        let workspace = [&partition.workspace_id, &partition.workspace_name]
            .map(|text| escape_formula(text).into_owned());
        let (interceptor, pages) = QueryInterceptor::new(Arc::clone(selection), workspace);
        let output = call
            .set_exclusive_start_key(start)
            .set_limit(limit)
            .customize()
            .config_override(retries(is_of_export))
            .interceptor(interceptor)
            .send()
            .await
            .map_err(refused)?;
        let rows = pages.try_iter().last().ok_or_else(|| {
            AwsError::unexpected("page of usage records", "the SDK did not call the interceptor")
        })?;
        let rows = match rows {
            Ok(rows) => rows,
            Err(error) => {
                let fault = Fault::Unreadable(error.reason);
                return Err(bad_record(client, table, &partition, &error.sort_key, fault).await);
            }
        };
        if let Some(start) = start_in_another_month(&rows, partition.month) {
            return Err(bad_record(client, table, &partition, start, Fault::OtherMonth).await);
        }
        let (read, filtered) = counts(&output, selection.filter.is_some());
        let up_to = match &output.last_evaluated_key {
            // The last record that was sent would not do: others may have been left out behind it.
            Some(key) => key.get("SK").and_then(|sort_key| sort_key.as_s().ok()).cloned(),
            None => Some(LAST_SORT_KEY.to_owned()),
        };
        let up_to =
            up_to.ok_or_else(|| AwsError::unexpected("page of usage records", "its last key has no SK"))?;
        let read_units = read_units(output.consumed_capacity.as_ref());
        let next = output.last_evaluated_key;
        let is_full = next.is_some() && limit.is_none();
        Ok(Page { partition, rows, read, filtered, read_units, is_full, throttled: false, up_to, next })
    }

    /// The call for the records of a partition with these sort keys.
    fn call(&self, client: &Client, table: &str, selection: &Selection) -> QueryFluentBuilder {
        let Self { partition, sort_keys: (first, last), is_of_export, .. } = self;
        let condition = match (first, last) {
            (None, None) => "PK = :pk",
            (Some(_), None) => "PK = :pk AND SK >= :first",
            (None, Some(_)) => "PK = :pk AND SK <= :last",
            (Some(_), Some(_)) => "PK = :pk AND SK BETWEEN :first AND :last",
        };
        let (filter, values) = selection.filter.clone().unzip();
        let mut values = values.unwrap_or_default();
        values.insert(":pk".to_owned(), text(&partition.partition_key));
        values.extend(first.as_ref().map(|first| (":first".to_owned(), text(first))));
        values.extend(last.as_ref().map(|last| (":last".to_owned(), text(last))));
        client
            .query()
            .table_name(table)
            .key_condition_expression(condition)
            .set_filter_expression(filter)
            .set_expression_attribute_values(Some(values))
            .projection_expression(&selection.projection)
            .consistent_read(*is_of_export)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
    }
}

fn refused(error: SdkError<QueryError>) -> ReadError {
    let limit = Limit::of(&error);
    let error = AwsError::from_sdk("dynamodb:Query")(error);
    match limit {
        Some(limit) => ReadError::Throttled { limit, error },
        None => ReadError::Aws(error),
    }
}

/// What the SDK repeats by itself: not what was throttled, if the page is one of an export.
fn retries(is_of_export: bool) -> config::Builder {
    let config = config::Builder::new();
    if is_of_export { config.retry_classifier(ThrottlingIsWaitedOut) } else { config }
}

/// The error that ends the export because of the record whose sort key begins like this.
async fn bad_record(
    client: &Client,
    table: &str,
    partition: &Partition,
    sort_key: &str,
    fault: Fault,
) -> ReadError {
    ReadError::Record(Box::new(BadRecord::look_up(client, table, partition, sort_key, fault).await))
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

/// What a page cost, in whole read units: a half counts as one. 0 if the answer does not say so.
fn read_units(capacity: Option<&ConsumedCapacity>) -> u64 {
    let units = capacity.and_then(|capacity| capacity.capacity_units).unwrap_or_default().round();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it saturates, and what is no number is 0"
    )]
    let whole = units as u64;
    whole
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_half_of_a_unit_counts_as_one() {
        let units = |units| read_units(Some(&ConsumedCapacity::builder().capacity_units(units).build()));
        assert_eq!([0.0, 0.4, 0.5, 1.0, 128.5, 256.0].map(units), [0, 0, 1, 1, 129, 256]);
        assert_eq!([-1.0, f64::NAN].map(units), [0, 0], "what no service would say");
        assert_eq!([None, Some(&ConsumedCapacity::builder().build())].map(read_units), [0, 0]);
    }
}
