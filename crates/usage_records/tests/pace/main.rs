//! How fast pages are read. Time is that of the paused runtime.

mod world;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use futures::{StreamExt, TryStreamExt};
use tokio::time::Instant;
use usage_export::error::AwsError;
use usage_export::export::interval::{Interval, parse_end, parse_start};
use usage_export::usage::Field;
use usage_records::page::{Page, ReadError};
use usage_records::partition::Partition;
use usage_records::query::UsageRecords;
use usage_records::selection::Selection;

use crate::world::{Limit, World, partition};

/// The first so many units of an export are not counted.
const FREE: u64 = 4_096;

fn selection() -> Arc<Selection> {
    let [start, end] = [parse_start("2025-01-01"), parse_end("2025-12-31")].map(|day| day.expect("a day"));
    let interval = Interval::new(start, end).expect("in order");
    Arc::new(Selection::new(interval, &[Field::RunId], &BTreeSet::new()).expect("fields"))
}

async fn read(reader: &UsageRecords, partitions: Vec<Partition>) -> Result<Vec<Page>, ReadError> {
    reader.pages(partitions.into_iter(), &selection()).try_collect().await
}

async fn read_all(reader: &UsageRecords, partitions: Vec<Partition>) -> Vec<Page> {
    read(reader, partitions).await.expect("pages")
}

#[tokio::test(start_paused = true)]
async fn a_page_tells_what_it_cost() {
    let world = World::new(3, 128.5);
    let pages = read_all(&world.reader(0), vec![partition("2025-01")]).await;
    let costs: Vec<_> = pages.iter().map(|page| (page.read_units, page.throttled)).collect();
    assert_eq!(costs, [(129, false); 3]);
}

#[tokio::test(start_paused = true)]
async fn what_is_throttled_is_asked_for_until_it_comes() {
    for code in ["ProvisionedThroughputExceededException", "ThrottlingException", "RequestLimitExceeded"] {
        let world = World::new(2, 1.0);
        let refusals = fastrand::usize(20..60);
        world.made().refusals = vec![code; refusals];
        let began = Instant::now();
        let pages = read_all(&world.reader(20_000), vec![partition("2025-01")]).await;
        assert_eq!(pages.iter().map(|page| page.throttled).collect::<Vec<_>>(), [true, true]);
        let made = world.made();
        assert_eq!((made.refused, made.reads.len(), made.takes), (refusals, 2, 0), "{code}");
        // The SDK makes no pause of its own. Each is at most two seconds long, and at least half of its length.
        assert!(began.elapsed() <= Duration::from_secs(2) * u32::try_from(refusals).expect("few"));
        assert!(began.elapsed() >= Duration::from_secs(1) * u32::try_from(refusals - 8).expect("few"));
    }
}

/// A refusal costs a call, and the units of a second in which nothing was read are lost.
#[tokio::test(start_paused = true)]
async fn reads_are_as_fast_as_their_partition_and_few_are_refused() {
    let units_per_second = f64::from(fastrand::u32(1_000..6_000));
    let world = World::new(300, 256.0);
    world.made().limit = Some(Limit::new(units_per_second, "TableReadKeyRangeThroughputExceeded"));
    let began = Instant::now();
    let read = read_all(&world.reader(0), vec![partition("2025-01")]).await;
    assert!(read.iter().filter(|page| page.throttled).count() > 290, "more reads at a time would not help");
    let least = Duration::from_secs_f64(300.0 * 256.0 / units_per_second);
    let (took, refused) = (began.elapsed(), world.made().refused);
    assert!(took.as_secs_f64() < 1.05 * least.as_secs_f64(), "{took:?} of {least:?}");
    assert!(refused as u64 <= 10 + 2 * took.as_secs(), "{refused} in {took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_table_at_its_limit_slows_down_all_partitions_and_says_nothing_of_one() {
    let world = World::new(200, 256.0);
    let units_per_second = f64::from(fastrand::u32(8_000..40_000));
    world.made().limit = Some(Limit::new(units_per_second, "TableReadAccountLimitExceeded"));
    let (began, reader) = (Instant::now(), world.reader(0));
    let lanes = (0..6).map(|_| read_all(&reader, vec![partition("2025-01")]));
    let read = futures::future::join_all(lanes).await;
    assert!(read.iter().flatten().all(|page| !page.throttled), "partitions may be divided");
    let least = Duration::from_secs_f64(6.0 * 200.0 * 256.0 / units_per_second);
    let (took, refused) = (began.elapsed(), world.made().refused);
    assert!(took.as_secs_f64() < 1.1 * least.as_secs_f64(), "{took:?} of {least:?}");
    assert!(refused < 400, "{refused} of 1,200");
}

#[tokio::test(start_paused = true)]
async fn nothing_is_asked_for_once_nobody_wants_the_page() {
    let world = World::new(1, 1.0);
    world.made().refusals = vec!["ThrottlingException"; 1_000];
    let reader = world.reader(20_000);
    let reading = read(&reader, vec![partition("2025-01")]);
    assert!(tokio::time::timeout(Duration::from_secs(30), reading).await.is_err(), "it has no end");
    let refused = world.made().refused;
    tokio::time::sleep(Duration::from_mins(1)).await;
    assert_eq!(world.made().refused, refused);
}

#[tokio::test(start_paused = true)]
async fn another_refusal_ends_the_pages() {
    let world = World::new(1, 1.0);
    world.made().refusals = vec!["AccessDeniedException", "ThrottlingException"];
    let error = read(&world.reader(20_000), vec![partition("2025-01")]).await.expect_err("a refusal");
    assert!(
        matches!(&error, ReadError::Aws(AwsError::Refused { code, .. }) if code == "AccessDeniedException"),
        "{error}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_small_export_makes_no_call_for_its_budget() {
    let world = World::new(15, 256.0);
    read_all(&world.reader(20_000), vec![partition("2025-01")]).await;
    assert_eq!(world.made().takes, 0);
}

#[tokio::test(start_paused = true)]
async fn workers_and_their_exports_keep_to_one_budget_together() {
    let world = World::new(40, 256.0);
    let budget = 256 * fastrand::u32(4..40);
    let first = world.reader(budget);
    // Two exports of one worker, one of another.
    let readers = [first.clone(), first.for_export(), world.reader(budget)];
    let all =
        readers.each_ref().map(|reader| read_all(reader, vec![partition("2025-01"), partition("2025-02")]));
    futures::future::join_all(all).await;
    let made = world.made();
    assert_eq!(made.reads.len(), 3 * 2 * 40);
    assert!(made.taken.values().all(|taken| *taken <= u64::from(budget)), "{budget}: {:?}", made.taken);
    let taken: u64 = made.taken.values().sum();
    let counted = 256 * (3 * 2 * 40) - 3 * FREE;
    assert!(taken >= counted, "{taken} of {counted}");
    // Chunks of each of the three that were not spent.
    assert!(taken <= counted + 3 * 2_560 + 3 * 256, "{taken} of {counted}");
}

#[tokio::test(start_paused = true)]
async fn cheap_pages_give_back_what_they_did_not_cost() {
    let world = World::new(380, 10.0);
    read_all(&world.reader(20_000), vec![partition("2025-01")]).await;
    assert_eq!(world.made().takes, 0, "3,800 units");
}

#[tokio::test(start_paused = true)]
async fn without_a_budget_nothing_is_taken() {
    let world = World::new(100, 256.0);
    read_all(&world.reader(0), vec![partition("2025-01")]).await;
    assert_eq!(world.made().takes, 0);
}

/// Half of what DynamoDB gives a partition is left to the product.
#[tokio::test(start_paused = true)]
async fn the_current_month_is_read_slowly_and_others_are_not() {
    for budget in [0, 1_000_000] {
        let world = World::new(60, 256.0);
        let others = read_all(&world.reader(budget), vec![partition("2025-05")]).await;
        assert!(others.iter().all(|page| !page.throttled));
        let at_once = world.made().most_in_a_second();
        assert_eq!(at_once, 60, "{budget}");

        let world = World::new(60, 256.0);
        let pages = read_all(&world.reader(budget), vec![partition("2025-06")]).await;
        assert!(pages.iter().any(|page| page.throttled), "more reads at a time would not help");
        let made = world.made();
        let of_partition = made.taken.iter().filter(|(key, _)| key.ends_with("#2025-06"));
        assert!(of_partition.clone().count() >= 8, "{:?}", made.taken);
        assert!(of_partition.clone().all(|(_, taken)| *taken <= 1_500), "{:?}", made.taken);
        // The first 1,500 come on top.
        assert!(made.most_in_a_second() <= 2 * 1_500 / 256, "{:?}", made.reads);
    }
}

#[tokio::test(start_paused = true)]
async fn an_export_goes_on_where_units_cannot_be_taken() {
    let world = World::new(60, 256.0);
    world.made().fails = true;
    let pages = read_all(&world.reader(20_000), vec![partition("2025-01")]).await;
    assert_eq!(pages.len(), 60);
    let made = world.made();
    // Two thousand units after each pause of a second.
    assert!(made.takes >= 5, "{}", made.takes);
    assert!(made.most_in_a_second() <= 16 + 8, "{:?}", made.reads);
}

#[tokio::test(start_paused = true)]
async fn pages_that_are_dropped_give_their_units_back() {
    let world = World::new(1_000, 0.0);
    let reader = world.reader(20_000);
    for _ in 0..100 {
        let selection = selection();
        let mut pages = std::pin::pin!(reader.pages([partition("2025-01")].into_iter(), &selection));
        pages.next().await.expect("a page").expect("records");
    }
    tokio::task::yield_now().await;
    assert_eq!(world.made().takes, 0);
}
