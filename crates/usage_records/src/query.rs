//! Reads the pages of partitions: in order, and some pages ahead.

use std::sync::Arc;

use aws_sdk_dynamodb::Client;
use futures::stream::{self, Stream, StreamExt, TryStreamExt};
use tokio::task::JoinError;
use tokio_util::task::AbortOnDropHandle;
use usage_export::dynamo::Item;
use usage_export::error::AwsError;
use usage_export::export::interval::Interval;
use usage_export::usage::sort_key_bounds;

use crate::pace::Pace;
use crate::page::{Page, PageRequest, ReadError, start_after};
use crate::partition::Partition;
use crate::read_ahead::ReadAhead;
use crate::selection::Selection;

/// How many records a page has at most that is asked for on the guess that its partition is small. Many such pages are in
/// flight at once, so this bounds memory. A partition that has more takes one more request.
const GUESSED_RECORDS: i32 = 100;

/// A partition with at most so many records is small: the next ones probably have less than a guessed page.
const MAX_SMALL_RECORDS: u64 = 50;

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
    /// How fast [`UsageRecords::pages`] reads. Pages of one export have one pace: see [`UsageRecords::for_export`].
    pub pace: Pace,
}

/// A page that is in flight. A spawned task goes on while nobody polls it, and ends when nobody wants it any more.
type PageInFlight = AbortOnDropHandle<Result<Page, ReadError>>;

impl UsageRecords {
    /// The same table for another export. Its clones, and the pages that they read, keep to one pace.
    #[must_use]
    pub fn for_export(&self) -> Self {
        Self { pace: self.pace.for_export(), ..self.clone() }
    }

    /// The pages of the partitions, in order.
    ///
    /// While one page is worked on, the partition's next page and the first pages of the next partitions are in flight: at
    /// most `read_ahead` + 1 pages are held. Where partitions are small, more of them are asked for at once, with small pages.
    ///
    /// What DynamoDB throttles is asked for again and again, until the stream is dropped.
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
                let start = start_after(&partition);
                self.request_page(partition, selection, start, is_guess.then_some(GUESSED_RECORDS))
            });
            let first = joined(next?.await);
            ahead.arrived(first.as_ref().is_ok_and(is_all_of_a_small_partition));
            Some((first, ahead))
        })
        .map(|first| self.pages_of_partition(first, selection))
        .flatten()
    }

    /// One page of a partition: of the runs that started within `interval`, behind `partition.after` if that is set. At most
    /// `limit` records are read, those that are left out included.
    ///
    /// Unlike [`UsageRecords::pages`] it is eventually consistent: a run that was just recorded may be missing, and it costs
    /// half the read capacity.
    ///
    /// # Errors
    ///
    /// The page cannot be read.
    pub async fn peek(
        &self,
        partition: Partition,
        interval: Interval,
        selection: &Arc<Selection>,
        limit: i32,
    ) -> Result<Page, ReadError> {
        let start = start_after(&partition);
        let sort_keys = sort_key_bounds(partition.month, interval.start(), interval.end());
        let request = PageRequest { partition, sort_keys, start, limit: Some(limit), is_of_export: false };
        request.send(&self.client, &self.table, selection).await
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
        let sort_keys = partition.sort_keys.clone();
        let request = PageRequest { partition, sort_keys, start, limit, is_of_export: true };
        let Self { client, table, pace, .. } = self.clone();
        let selection = Arc::clone(selection);
        let page = async move { pace.read(request, &client, &table, &selection).await };
        AbortOnDropHandle::new(tokio::spawn(page))
    }
}

enum NextPage {
    Arrived(Box<Page>),
    InFlight(PageInFlight),
}

fn is_all_of_a_small_partition(page: &Page) -> bool {
    page.read <= MAX_SMALL_RECORDS && page.next.is_none()
}

fn joined(page: Result<Result<Page, ReadError>, JoinError>) -> Result<Page, ReadError> {
    page.map_err(AwsError::from_join("page of usage records"))?
}
