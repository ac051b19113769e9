//! Writing many items into a table, in batches.

use std::cell::Cell;
use std::time::Duration;

use anyhow::{Context, bail};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{PutRequest, WriteRequest};
use futures::{StreamExt, TryStreamExt, stream};

use crate::records::Item;

/// Items that one `BatchWriteItem` takes at most:
/// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html>.
const MAX_BATCH_ITEMS: usize = 25;

/// Batches in flight at a time. More do not help a local emulator, and a new on-demand table takes 4,000 writes a
/// second: <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/on-demand-capacity-mode.html>.
const CONCURRENT_BATCHES: usize = 8;

/// How often the unprocessed rest of a batch is sent. With the pauses in between, about 13 seconds pass.
const MAX_ATTEMPTS: u32 = 9;

/// Pause before the second attempt. Each further pause is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(50);

/// Writes the items, which may be more than fit into memory. `progress` is called with the number written so far.
///
/// # Errors
///
/// Fails if `DynamoDB` refuses a batch, or leaves items of one unprocessed nine times in a row. Batches that were
/// written before stay written.
pub async fn write_items(
    dynamodb: &Client,
    table: &str,
    mut items: impl Iterator<Item = Item>,
    progress: impl Fn(usize),
) -> anyhow::Result<()> {
    let batches = std::iter::from_fn(|| {
        let batch: Vec<_> = items.by_ref().take(MAX_BATCH_ITEMS).collect();
        (!batch.is_empty()).then_some(batch)
    });
    let written = Cell::new(0);
    stream::iter(batches)
        .map(|batch| write_batch(dynamodb, table, batch))
        .buffer_unordered(CONCURRENT_BATCHES)
        .try_for_each(async |count| {
            written.set(written.get() + count);
            progress(written.get());
            Ok(())
        })
        .await
}

/// Writes one batch and returns how many items it held. Sends again what `DynamoDB` leaves unprocessed.
async fn write_batch(dynamodb: &Client, table: &str, items: Vec<Item>) -> anyhow::Result<usize> {
    let count = items.len();
    let mut requests = items.into_iter().map(put_request).collect::<anyhow::Result<Vec<_>>>()?;
    let mut pause = FIRST_PAUSE;
    for _ in 0..MAX_ATTEMPTS {
        let sending = dynamodb.batch_write_item().request_items(table, requests).send();
        let output = sending.await.with_context(|| {
            format!("could not write to table {table}: check that it exists and that the credentials may write to it")
        })?;
        requests = output.unprocessed_items.and_then(|mut tables| tables.remove(table)).unwrap_or_default();
        if requests.is_empty() {
            return Ok(count);
        }
        tokio::time::sleep(with_jitter(pause)).await;
        pause *= 2;
    }
    bail!(
        "table {table} is throttled: it left {} items unprocessed {MAX_ATTEMPTS} times in a row. Wait a minute and seed \
         again with the same seed: what is written already is written again unchanged",
        requests.len()
    )
}

fn put_request(item: Item) -> anyhow::Result<WriteRequest> {
    let put = PutRequest::builder().set_item(Some(item)).build()?;
    Ok(WriteRequest::builder().put_request(put).build())
}

/// A random time between half of `pause` and all of it, so that batches that were throttled together are not sent again
/// together.
fn with_jitter(pause: Duration) -> Duration {
    pause.mul_f64(0.5 + fastrand::f64() / 2.0)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use aws_sdk_dynamodb::operation::batch_write_item::BatchWriteItemOutput;
    use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};

    use super::*;
    use crate::records::ItemBuilder;

    fn items(count: usize) -> impl Iterator<Item = Item> {
        (0..count).map(|nth| ItemBuilder::new(format!("partition {nth}"), "item".to_owned()).build())
    }

    /// A table that leaves the last item of a batch unprocessed, unless the batch has only one item.
    fn leaves_the_last_item() -> Rule {
        mock!(Client::batch_write_item).then_compute_output(|request| {
            let requests = &request.request_items().expect("a batch")["runs"];
            let left = HashMap::from([("runs".to_owned(), requests[requests.len() - 1..].to_vec())]);
            let left = if requests.len() > 1 { left } else { HashMap::new() };
            BatchWriteItemOutput::builder().set_unprocessed_items(Some(left)).build()
        })
    }

    #[tokio::test(start_paused = true)]
    async fn unprocessed_items_are_sent_again() {
        let rule = leaves_the_last_item();
        let dynamodb = mock_client!(aws_sdk_dynamodb, RuleMode::MatchAny, [&rule]);
        let written = Cell::new(0);
        write_items(&dynamodb, "runs", items(60), |count| written.set(count)).await.unwrap();
        assert_eq!(written.get(), 60);
        assert_eq!(rule.num_calls(), 6, "three batches, each in two attempts");
    }

    #[tokio::test(start_paused = true)]
    async fn throttling_without_end_is_an_error_that_says_what_to_do() {
        let rule = mock!(Client::batch_write_item).then_compute_output(|request| {
            BatchWriteItemOutput::builder().set_unprocessed_items(request.request_items().cloned()).build()
        });
        let dynamodb = mock_client!(aws_sdk_dynamodb, RuleMode::MatchAny, [&rule]);
        let error = write_items(&dynamodb, "runs", items(3), |_| ()).await.unwrap_err();
        assert!(error.to_string().contains("left 3 items unprocessed"), "{error}");
        assert!(error.to_string().contains("seed again"), "{error}");
        assert_eq!(rule.num_calls(), MAX_ATTEMPTS as usize);
    }
}
