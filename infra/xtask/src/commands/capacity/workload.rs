//! How large an export is.

use super::inputs::{Inputs, MILLION};
use super::product::{MAX_SMALL_RECORDS, READ_AHEAD, SMALL_PAGES};

/// How many rows an export has, and how much that is of everything that is scarce.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workload {
    /// Rows of the file.
    pub rows: u128,
    /// Read units.
    pub units: u128,
    /// Read units of the largest partition.
    pub largest_units: u128,
    /// Pages.
    pub pages: u128,
    /// Full pages of the same size, where a small page counts as one of [`SMALL_PAGES`]: what splits are decided by.
    pub full_pages: u128,
    /// Times that a page is waited for by one lane that reads all. Small pages come many at a time, and the only pages of partitions
    /// some at a time.
    pub waits_unsplit: u128,
    /// The same of lanes beside each other: only small pages come many at a time.
    pub waits_split: u128,
    /// Bytes that DynamoDB sends.
    pub received: u128,
    /// Bytes of the file.
    pub file: u128,
    /// CPU, in milliseconds of one vCPU.
    pub cpu_ms: u128,
}

impl Workload {
    /// An export of so many rows.
    pub fn new(inputs: &Inputs, rows: u128) -> Self {
        // Each partition has a last page, which is rounded up to a unit.
        let units = |rows: u128| (rows * inputs.units).div_ceil(MILLION).max(1);
        let partitions = inputs.shape.partitions(rows);
        let pages = |rows: u128| rows.div_ceil(inputs.rows_per_page).max(1);
        let parts_of_pages = |rows: u128| (rows * SMALL_PAGES).div_ceil(inputs.rows_per_page).max(1);
        let parts_of_waits = |rows, read_ahead| match pages(rows) {
            _ if rows <= MAX_SMALL_RECORDS => 1,
            1 => SMALL_PAGES / read_ahead,
            pages => pages * SMALL_PAGES,
        };
        let sum = |of: &dyn Fn(u128) -> u128| partitions.iter().map(|(rows, count)| of(*rows) * count).sum();
        Self {
            rows,
            units: sum(&units),
            largest_units: units(inputs.shape.largest_partition(rows)),
            pages: sum(&pages),
            full_pages: sum(&parts_of_pages).div_ceil(SMALL_PAGES),
            waits_unsplit: sum(&|rows| parts_of_waits(rows, READ_AHEAD)).div_ceil(SMALL_PAGES),
            waits_split: sum(&|rows| parts_of_waits(rows, 1)).div_ceil(SMALL_PAGES),
            received: rows * inputs.received / MILLION,
            file: rows * inputs.file / MILLION,
            cpu_ms: rows * (inputs.http_cpu_ns + inputs.tls_cpu_ns) / MILLION,
        }
    }
}
