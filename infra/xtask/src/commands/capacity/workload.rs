//! How large an export is.

use super::inputs::{Inputs, MILLION};

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
        let sum = |of: &dyn Fn(u128) -> u128| partitions.iter().map(|(rows, count)| of(*rows) * count).sum();
        Self {
            rows,
            units: sum(&units),
            largest_units: units(inputs.shape.largest_partition(rows)),
            pages: sum(&|rows| rows.div_ceil(inputs.rows_per_page).max(1)),
            received: rows * inputs.received / MILLION,
            file: rows * inputs.file / MILLION,
            cpu_ms: rows * (inputs.http_cpu_ns + inputs.tls_cpu_ns) / MILLION,
        }
    }
}
