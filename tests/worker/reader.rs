//! Pages of usage records: in order, whatever is read ahead.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures::{StreamExt, TryStreamExt};
use integration_tests::org::text;
use integration_tests::{WAIT_TIMEOUT, run};
use tokio::sync::Semaphore;
use tokio::time::timeout;
use usage_export::error::AwsError;
use usage_export::export::interval::{Interval, parse_end, parse_start};
use usage_export::usage::Field;
use usage_records::bad_record::Fault;
use usage_records::page::{Page, ReadError};
use usage_records::partition::{PartOfMonth, Partition};
use usage_records::query::UsageRecords;
use usage_records::selection::Selection;

use crate::faults::{answer, error};
use crate::sent::Sent;
use crate::world::{World, now};

const MONTHS: [&str; 3] = ["2025-01", "2025-02", "2025-03"];

/// Runs in each partition, three months of two workspaces; pages have two.
const RUNS: [usize; 6] = [5, 0, 2, 1, 0, 7];

/// The partition of each page: three pages; an empty one; one, and an empty one because DynamoDB does not look ahead when
/// a page is full; one; an empty one; four.
const PAGES: [usize; 12] = [0, 0, 0, 1, 2, 2, 3, 4, 5, 5, 5, 5];

/// The workspace and the month of a partition.
fn workspace_and_month(partition: usize) -> (usize, &'static str) {
    (partition / MONTHS.len(), MONTHS[partition % MONTHS.len()])
}

/// An export, and the sort keys of its runs in the order of the file.
async fn world() -> (World, Vec<String>) {
    let world = World::without_runs(2, |_| ()).await;
    let mut all = Vec::new();
    for (partition, runs) in RUNS.into_iter().enumerate() {
        let (workspace, month) = workspace_and_month(partition);
        let starts = (0..runs).map(|run| format!("{month}-04T00:00:0{run}.000Z"));
        all.extend(starts.map(|start| world.run(workspace, &start).with_id("run")));
    }
    world.org.write_runs(&all).await;
    let sort_keys = all.iter().map(|run| format!("{}#{}", run.start, run.id)).collect();
    (world, sort_keys)
}

fn partitions(world: &World) -> Vec<Partition> {
    let partition = |index| {
        let (workspace, month) = workspace_and_month(index);
        let workspace_id = world.workspaces[workspace].clone();
        Partition {
            index,
            month: month.parse().unwrap(),
            partition_key: format!("{workspace_id}#{month}"),
            workspace_id,
            workspace_name: String::new(),
            after: None,
            time: PartOfMonth::new(month.parse().unwrap(), now(), now()),
            sort_keys: (None, None),
            covered_before: Duration::ZERO,
        }
    };
    (0..RUNS.len()).map(partition).collect()
}

fn everything() -> Arc<Selection> {
    // Nothing that the directory would have to be asked for.
    let fields = [Field::PlRunCreatedTs, Field::RunId];
    let interval = Interval::new(parse_start("2025-01-01").unwrap(), parse_end("2025-03-31").unwrap());
    Arc::new(Selection::new(interval.unwrap(), &fields, &BTreeSet::new()).unwrap())
}

/// The sort keys of the rows.
fn sort_keys(pages: Vec<Page>) -> Vec<String> {
    let selection = everything();
    let rows = pages
        .into_iter()
        .flat_map(|page| page.rows.into_rows(&selection.cells, &selection.pool).expect("nothing is joined"));
    String::from_utf8(rows.collect()).unwrap().lines().map(|row| row.replace(',', "#")).collect()
}

fn reader(world: &World, read_ahead: usize) -> UsageRecords {
    UsageRecords { read_ahead, ..world.worker().usage_records }
}

async fn read(world: &World, read_ahead: usize, partitions: Vec<Partition>) -> Vec<Page> {
    let pages = reader(world, read_ahead);
    pages.pages(partitions.into_iter(), &everything()).try_collect().await.expect("pages")
}

fn indexes(pages: &[Page]) -> Vec<usize> {
    pages.iter().map(|page| page.partition.index).collect()
}

fn is_of(sent: &Sent, partition_key: &str) -> bool {
    sent.json()["ExpressionAttributeValues"][":pk"]["S"] == partition_key
}

#[test]
fn pages_come_in_the_order_of_the_file() {
    run(async {
        let (world, in_table) = world().await;
        for read_ahead in [0, 1, 4, 100] {
            let pages = read(&world, read_ahead, partitions(&world)).await;
            assert_eq!(pages.iter().map(|page| page.read).sum::<u64>(), 15);
            assert_eq!(indexes(&pages), PAGES);
            assert_eq!(sort_keys(pages), in_table, "read_ahead {read_ahead}");
        }
    });
}

/// The SDK asks for the first partition's page a second time; those of the next partitions are here before.
#[test]
fn a_page_that_is_late_keeps_its_position() {
    run(async {
        let (world, in_table) = world().await;
        let partitions = partitions(&world);
        let first = partitions[0].partition_key.clone();
        let (late, arrived) = (first.clone(), Arc::new(Semaphore::new(0)));
        let refused = AtomicBool::new(false);
        world.faults.on("Query", move |call, _| {
            let is_late = is_of(&call.sent, &late);
            let refuse = is_late && !refused.swap(true, Ordering::Relaxed);
            let arrived = Arc::clone(&arrived);
            async move {
                if refuse {
                    return answer(503, "");
                }
                if is_late {
                    // The first pages of the three partitions that are read ahead.
                    let three = timeout(WAIT_TIMEOUT, arrived.acquire_many(3)).await;
                    drop(three.expect("three pages that do not wait for this one").unwrap());
                    return call.send().await;
                }
                let page = call.send().await;
                arrived.add_permits(1);
                page
            }
        });
        let pages = read(&world, 4, partitions).await;
        let asked = world.faults.sent("Query").iter().filter(|sent| is_of(sent, &first)).count();
        assert_eq!(asked, 1 + 3, "its first page was asked for twice");
        assert_eq!(indexes(&pages), PAGES);
        assert_eq!(sort_keys(pages), in_table);
    });
}

#[test]
fn reading_starts_after_a_position() {
    run(async {
        let (world, _) = world().await;
        let mut first = partitions(&world).remove(0);
        first.after = Some("2025-01-04T00:00:02.000Z#run".to_owned());
        let pages = read(&world, 4, vec![first]).await;
        assert_eq!(sort_keys(pages), ["2025-01-04T00:00:03.000Z#run", "2025-01-04T00:00:04.000Z#run"]);
    });
}

#[test]
fn an_error_in_the_middle_ends_the_pages() {
    run(async {
        for read_ahead in [1, 4] {
            let (world, _) = world().await;
            let partitions = partitions(&world);
            // The second page of the last partition.
            let last = partitions[5].partition_key.clone();
            world.faults.on("Query", move |call, _| {
                let denied = is_of(&call.sent, &last) && call.sent.json()["ExclusiveStartKey"].is_object();
                async move { if denied { error(400, "AccessDeniedException") } else { call.send().await } }
            });
            let reader = reader(&world, read_ahead);
            let pages: Vec<_> = reader.pages(partitions.into_iter(), &everything()).collect().await;
            let first_error = pages.iter().position(Result::is_err).expect("an error");
            assert_eq!(first_error, 9, "the pages before it are whole");
            assert!(
                matches!(&pages[9], Err(ReadError::Aws(AwsError::Refused { code, .. })) if code == "AccessDeniedException")
            );
            assert_eq!(pages.len(), 10, "nothing follows");
        }
    });
}

#[test]
fn no_more_is_asked_for_than_is_read_ahead() {
    run(async {
        let (world, _) = world().await;
        let reader = reader(&world, 2);
        let everything = everything();
        let mut pages = std::pin::pin!(reader.pages(partitions(&world).into_iter(), &everything));
        pages.next().await.expect("a page").expect("records");
        tokio::time::sleep(Duration::from_millis(300)).await;
        // The first page, the next of its partition, and the first pages of the two partitions ahead.
        let asked = world.faults.sent("Query").len();
        assert!((2..=4).contains(&asked), "{asked}");
    });
}

#[test]
fn a_bad_record_is_told_with_its_place_and_its_workbook() {
    run(async {
        let (world, _) = world().await;
        let run = world.run(1, "2025-01-09T00:00:00.000Z").of("wbk_7");
        world.org.write_run_with(&run, "SK", text("2025-04-01T00:00:00.000Z#run_9")).await;
        let everything = everything();
        let reader = reader(&world, 4);
        let pages = reader.pages(partitions(&world).into_iter(), &everything);
        let Err(ReadError::Record(bad)) = pages.try_collect::<Vec<_>>().await else {
            panic!("no bad record")
        };
        assert_eq!(
            (bad.workspace_id.as_str(), bad.month.to_string()),
            (world.workspaces[1].as_str(), "2025-01".into())
        );
        assert_eq!(bad.sort_key, "2025-04-01T00:00:00.000Z#run_9");
        assert_eq!(bad.workbook_id.as_deref(), Some("wbk_7"));
        assert_eq!(bad.fault, Fault::OtherMonth);
    });
}
