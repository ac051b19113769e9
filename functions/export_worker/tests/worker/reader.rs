//! Pages of usage records: in order, whatever is read ahead.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use aws_sdk_dynamodb::Client as DynamoDb;
use aws_sdk_dynamodb::error::ErrorMetadata;
use aws_sdk_dynamodb::operation::query::{QueryError, QueryOutput};
use aws_smithy_mocks::{MockResponse, mock};
use export_worker::columns::Columns;
use export_worker::plan::Bucket;
use export_worker::read::{Page, Reader, Selection};
use futures::{StreamExt, TryStreamExt};
use usage_export::error::AwsError;
use usage_export::export::interval::{Interval, parse_end, parse_start};
use usage_export::usage::Field;

use crate::world::{World, locked, page};

const PARTITIONS: [&str; 6] =
    ["wsp_1#2025-01", "wsp_1#2025-02", "wsp_1#2025-03", "wsp_2#2025-01", "wsp_2#2025-02", "wsp_2#2025-03"];

/// Runs in each partition; pages have two.
const RUNS: [usize; 6] = [5, 0, 2, 1, 0, 7];

fn world() -> World {
    let world = World::new();
    locked(&world.state).records.clear();
    for (partition, runs) in PARTITIONS.iter().zip(RUNS) {
        let month = &partition[6..];
        for run in 0..runs {
            world.add_run(partition, &format!("{month}-04T00:00:0{run}.000Z#run"), "wbk_1");
        }
    }
    world
}

fn buckets() -> impl Iterator<Item = Bucket> + Send {
    PARTITIONS.iter().enumerate().map(|(index, partition)| Bucket {
        index,
        workspace_id: partition[..5].to_owned(),
        partition_key: (*partition).to_owned(),
        after: None,
    })
}

fn everything() -> Selection {
    // Nothing that the directory would have to be asked for.
    let fields = [Field::PlRunCreatedTs, Field::RunId];
    Selection::new(interval(), Arc::new(Columns::new(&fields, BTreeMap::new(), &BTreeSet::new())))
}

fn interval() -> Interval {
    Interval::new(parse_start("2025-01-01").expect("a date"), parse_end("2025-03-31").expect("a date"))
        .expect("a range")
}

/// The sort keys of the rows.
fn sort_keys(pages: &[Page]) -> Vec<String> {
    let text = pages.iter().flat_map(|page| page.rows.text.clone()).collect();
    String::from_utf8(text).expect("UTF-8").lines().map(|row| row.replace(',', "#")).collect()
}

fn reader(world: &World, read_ahead: usize) -> Reader {
    Reader { read_ahead, ..world.worker().reader }
}

#[tokio::test]
async fn pages_come_in_the_order_of_the_file() {
    let world = world();
    let in_table: Vec<_> =
        locked(&world.state).records.values().flatten().map(|item| item["SK"].clone()).collect();
    for read_ahead in [0, 1, 4, 100] {
        let pages: Vec<_> =
            reader(&world, read_ahead).pages(buckets(), &everything()).try_collect().await.expect("pages");
        let read: Vec<_> = sort_keys(&pages).into_iter().map(usage_export::dynamo::text).collect();
        assert_eq!(read, in_table, "read_ahead {read_ahead}");
        assert_eq!(pages.iter().map(|page| page.read).sum::<u64>(), 15);
        assert_eq!(
            pages.iter().map(|page| page.bucket.index).collect::<Vec<_>>(),
            [0, 0, 0, 1, 2, 3, 4, 5, 5, 5, 5],
            "three pages, an empty one, one, one, an empty one, four"
        );
    }
}

/// The SDK asks for the first bucket's page a second time; those of the next buckets are here before.
#[tokio::test(start_paused = true)]
async fn a_page_that_is_late_keeps_its_place() {
    let mut world = world();
    let records = locked(&world.state).records["wsp_1#2025-01"].clone();
    let rule = mock!(DynamoDb::query)
        .match_requests(|request| {
            let values = request.expression_attribute_values().expect("values");
            values[":pk"] == usage_export::dynamo::text("wsp_1#2025-01")
        })
        .sequence()
        .http_status(503, None)
        .output(move || {
            QueryOutput::builder().count(5).scanned_count(5).set_items(Some(records.clone())).build()
        })
        .build();
    world.dynamodb(rule.clone());
    let pages: Vec<_> = reader(&world, 4).pages(buckets(), &everything()).try_collect().await.expect("pages");
    assert_eq!(rule.num_calls(), 2);
    let order: Vec<_> = pages.iter().map(|page| page.bucket.index).collect();
    assert_eq!(order, [0, 1, 2, 3, 4, 5, 5, 5, 5]);
}

#[tokio::test]
async fn reading_starts_after_a_position() {
    let world = world();
    let after = Some("2025-01-04T00:00:02.000Z#run".to_owned());
    let from = buckets().take(1).map(move |bucket| Bucket { after: after.clone(), ..bucket });
    let pages: Vec<_> = reader(&world, 4).pages(from, &everything()).try_collect().await.expect("pages");
    assert_eq!(sort_keys(&pages), ["2025-01-04T00:00:03.000Z#run", "2025-01-04T00:00:04.000Z#run"]);
}

#[tokio::test]
async fn an_error_in_the_middle_ends_the_pages() {
    for read_ahead in [1, 4] {
        let mut world = world();
        let state = Arc::clone(&world.state);
        // The second page of the last bucket.
        world.dynamodb(mock!(DynamoDb::query).then_compute_response(move |request| {
            let values = request.expression_attribute_values().expect("values");
            let last = values[":pk"] == usage_export::dynamo::text("wsp_2#2025-03");
            if last && request.exclusive_start_key().is_some() {
                let denied = ErrorMetadata::builder().code("AccessDeniedException").build();
                return MockResponse::Error(QueryError::generic(denied));
            }
            MockResponse::Output(page(&locked(&state).records, request, 2))
        }));
        let reader = reader(&world, read_ahead);
        let pages: Vec<_> = reader.pages(buckets(), &everything()).collect().await;
        let first_error = pages.iter().position(Result::is_err).expect("an error");
        assert_eq!(first_error, 8, "the pages before it are whole");
        assert!(matches!(&pages[8], Err(AwsError::Refused { code, .. }) if code == "AccessDeniedException"));
        assert_eq!(pages.len(), 9, "nothing follows");
    }
}

#[tokio::test]
async fn no_more_is_asked_for_than_is_read_ahead() {
    let mut world = world();
    let asked = Arc::new(AtomicUsize::new(0));
    let (state, asking) = (Arc::clone(&world.state), Arc::clone(&asked));
    world.dynamodb(mock!(DynamoDb::query).then_compute_output(move |request| {
        asking.fetch_add(1, Ordering::Relaxed);
        page(&locked(&state).records, request, 2)
    }));
    let reader = reader(&world, 2);
    let everything = everything();
    let mut pages = std::pin::pin!(reader.pages(buckets(), &everything));
    pages.next().await.expect("a page").expect("records");
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    // The first page, the next of its bucket, and the first pages of the two buckets ahead.
    assert!(asked.load(Ordering::Relaxed) <= 4, "{asked:?}");
}
