//! How long an export takes, and what it waits for.
//!
//! Everything is read at the same time, so reading takes as long as its scarcest resource. Joining begins when all is read.

use super::aws::{CALL_MS, COPY_BYTES, MB_PER_VCPU, NETWORK_BYTES, PARTITION_UNITS, TABLE_UNITS};
use super::parts::Files;
use super::product::{
    COPIES_IN_FLIGHT, LANES, LIFE_MS, READ_BUDGET, SEGMENT_PAGES, SPLIT_FROM_PAGES, START_AND_END_MS,
    WORKER_MB,
};
use super::workload::Workload;

/// What an export waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// Read units of the largest partition.
    Partition,
    /// Read units of the table.
    Table,
    /// `MaxReadUnits`.
    Budget,
    /// Read units of as many partitions as there are lanes.
    Lanes,
    /// The answers of calls.
    Calls,
    /// The networks of the workers.
    Network,
    /// The share of a vCPU that the workers have.
    Cpu,
    /// S3, which copies the files of the segments.
    Joining,
    /// What an export of one row has too.
    StartAndEnd,
}

impl Limit {
    /// Its name in the tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Partition => "partition",
            Self::Table => "table",
            Self::Budget => "read budget",
            Self::Lanes => "lanes",
            Self::Calls => "calls",
            Self::Network => "network",
            Self::Cpu => "CPU share",
            Self::Joining => "joining",
            Self::StartAndEnd => "start and end",
        }
    }
}

/// Where an export runs: what the template gives it, or the benchmark.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    /// Read units a second that exports may take; `None` for all.
    pub budget: Option<u128>,
    /// Memory of a worker in MB, which gives it its share of CPU; `None` for as much CPU as it wants.
    pub memory: Option<u128>,
}

impl Place {
    /// AWS, with the template's defaults.
    pub const AWS: Self = Self { budget: Some(READ_BUDGET), memory: Some(WORKER_MB) };
    /// The benchmark, whose workers have no budget and a machine for themselves.
    pub const BENCH: Self = Self { budget: None, memory: None };
}

/// How long an export takes.
#[derive(Debug, Clone)]
pub struct Times {
    /// Workers that have something to do.
    pub workers: u128,
    /// Segments that are read at the same time.
    pub lanes: u128,
    /// Milliseconds in which everything is read.
    pub reading_ms: u128,
    /// Milliseconds in which files are still joined when everything is read.
    pub joining_ms: u128,
    /// From the first event to the completed file, in milliseconds.
    pub total_ms: u128,
    /// What takes most of it.
    pub limit: Limit,
    /// The files.
    pub files: Files,
}

impl Times {
    /// The times of an export by at most so many workers.
    pub fn new(work: &Workload, max_workers: u128, place: Place) -> Self {
        let is_split = work.full_pages >= SPLIT_FROM_PAGES;
        let lanes =
            if is_split { (work.full_pages / SEGMENT_PAGES).clamp(1, max_workers * LANES) } else { 1 };
        let workers = lanes.div_ceil(LANES);
        let files = Files::new(work, lanes);
        let limits = limits(work, lanes, workers, place);
        let (reading, reading_ms) =
            limits.into_iter().max_by_key(|(_, ms)| *ms).unwrap_or((Limit::StartAndEnd, 0));
        let copying_ms = (files.copied * 1_000).div_ceil(COPIES_IN_FLIGHT * COPY_BYTES);
        let joining_ms = copying_ms.saturating_sub(reading_ms);
        // Whoever goes on after a hand-over has to start, too.
        let starts = (reading_ms + joining_ms).div_ceil(LIFE_MS).max(1);
        let start_ms = starts * START_AND_END_MS;
        let parts = [(reading, reading_ms), (Limit::Joining, joining_ms), (Limit::StartAndEnd, start_ms)];
        let limit = parts.into_iter().max_by_key(|(_, ms)| *ms).map_or(reading, |(limit, _)| limit);
        Self {
            workers,
            lanes,
            reading_ms,
            joining_ms,
            total_ms: reading_ms + joining_ms + start_ms,
            limit,
            files,
        }
    }
}

impl Times {
    /// Why there is no file, if there is none.
    pub fn failure(&self) -> Option<&'static str> {
        self.files.are_too_many().then_some("too many parts")
    }
}

/// How long each resource makes reading last, in milliseconds.
fn limits(work: &Workload, lanes: u128, workers: u128, place: Place) -> Vec<(Limit, u128)> {
    let seconds = |amount: u128, per_second: u128| (amount * 1_000).div_ceil(per_second);
    let waits = if lanes == 1 { work.waits_unsplit } else { work.waits_split };
    let mut limits = vec![
        (Limit::Lanes, seconds(work.units, lanes * PARTITION_UNITS)),
        (Limit::Table, seconds(work.units, TABLE_UNITS)),
        (Limit::Calls, (waits * CALL_MS).div_ceil(lanes)),
        (Limit::Network, seconds(work.received.max(work.file), workers * NETWORK_BYTES)),
        (Limit::Partition, seconds(work.largest_units, PARTITION_UNITS)),
    ];
    limits.extend(place.budget.map(|budget| (Limit::Budget, seconds(work.units, budget))));
    limits.extend(
        place.memory.map(|memory| (Limit::Cpu, (work.cpu_ms * MB_PER_VCPU).div_ceil(workers * memory))),
    );
    limits
}
