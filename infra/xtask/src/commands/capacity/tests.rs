use super::bill::Usage;
use super::document;
use super::inputs::tests::inputs;
use super::money::Money;
use super::time::{Limit, Place, Times};
use super::workload::Workload;
use super::*;

fn export(shape: usize, rows: u128, workers: u128) -> (Workload, Times) {
    let work = Workload::new(&inputs()[shape], rows);
    let times = Times::new(&work, workers, Place::AWS);
    (work, times)
}

#[test]
fn one_partition_takes_its_units_by_three_thousand() {
    let (work, times) = export(0, 1_000_000, 1);
    assert_eq!((work.units, work.largest_units, work.pages), (49_440, 49_440, 195));
    // 49,440 by 3,000 a second; six lanes, because 195 pages make 24 segments.
    assert_eq!((times.reading_ms, times.limit, times.lanes), (16_480, Limit::Partition, 6));
    // Five sixths of 260 MB, by 1.6 GB a second, are copied while others are read.
    assert_eq!((times.joining_ms, times.total_ms), (0, 16_480 + 1_500));
    let usage = Usage::new(&work, &times);
    assert_eq!(usage.bill()[0].1, Money::pico(49_440 * 125_000));
    // 17.98 s of half a GB.
    assert_eq!((usage.worker_ms, usage.gb_seconds()), (17_980, 9));
    // That of the export, and five of other segments.
    assert_eq!(usage.s3.uploads, 6);
}

#[test]
fn cpu_is_a_share_of_a_vcpu() {
    let (work, times) = export(1, 10_000_000, 1);
    // 355 and 47 ns a row.
    assert_eq!(work.cpu_ms, 4_020);
    // 31 s of network are more than 25 s of the budget and 14 s of CPU, which are 4 s of a whole vCPU.
    assert_eq!(times.limit, Limit::Network);
    // With a quarter of the memory CPU is the limit: 4,020 ms of 1769/128.
    let small = Times::new(&work, 1, Place { memory: Some(128), ..Place::AWS });
    assert_eq!((small.limit, small.reading_ms), (Limit::Cpu, 55_558));
}

#[test]
fn the_budget_limits_many_workers() {
    let (work, times) = export(1, 1_000_000_000, 10);
    assert_eq!((times.limit, times.workers), (Limit::Budget, 10));
    assert_eq!(times.reading_ms, (work.units * 1_000).div_ceil(20_000));
    // Three lives of 14 minutes each.
    assert_eq!(Usage::new(&work, &times).executions, 30);
}

#[test]
fn few_rows_are_read_by_one_lane_and_put_by_one_request() {
    // In two pages, and in six hundred small ones.
    for (shape, pages) in [(0, 2), (1, 600)] {
        let (work, times) = export(shape, 10_000, 10);
        assert_eq!(work.pages, pages);
        assert_eq!((times.lanes, times.workers, times.files.segments), (1, 1, 1));
        assert_eq!((times.files.parts(), times.joining_ms, times.limit), (0, 0, Limit::StartAndEnd));
        let s3 = Usage::new(&work, &times).s3;
        assert_eq!((s3.uploads, s3.puts, s3.gets, s3.lists), (0, 2, 1, 0));
    }
}

#[test]
fn more_rows_take_more_and_more_workers_are_never_slower() {
    for shape in [0, 1] {
        for workers in [1, 2, 4, 10] {
            let (mut before, mut lanes_before) = ((0, Money::default()), 1);
            for rows in (0..40).map(|power| 10_000 << (power / 2)) {
                let (work, times) = export(shape, rows, workers);
                let now = (times.reading_ms, Usage::new(&work, &times).total());
                // What is just large enough for another lane is read faster.
                let has_more_lanes = times.lanes > lanes_before;
                assert!(
                    (has_more_lanes || now.0 >= before.0) && now.1 >= before.1,
                    "{rows} rows, {workers} workers: {now:?} {before:?}"
                );
                let fewer = export(shape, rows, workers.div_ceil(2)).1;
                assert!(times.reading_ms <= fewer.reading_ms, "{rows} rows, {workers} workers");
                (before, lanes_before) = (now, times.lanes);
            }
        }
    }
}

#[test]
fn an_export_fails_when_its_parts_are_too_many() {
    assert_eq!(export(0, 1_000_000_000, 2).1.failure(), None);
    assert_eq!(export(1, 6_500_000_000, 4).1.failure(), None);
    assert_eq!(export(0, 100_000_000_000, 1).1.failure(), Some("too many parts"));
}

#[test]
fn the_document_is_what_its_inputs_make() {
    let stored = fs::read_to_string(inputs::docs().join("capacity.md")).unwrap();
    let made = document::document(&inputs::read().unwrap(), &ROWS);
    assert!(stored == made, "docs/capacity.md is another one: run cargo xtask capacity");
}
