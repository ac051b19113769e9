//! What was measured.

use serde::Serialize;

/// Medians of the runs of one worker over one transport with one number of rows.
#[derive(Debug, Clone, Serialize)]
pub struct Median {
    /// Name of the worker.
    pub worker: String,
    /// `http` or `tls`.
    pub transport: &'static str,
    /// Rows of the export.
    pub rows: usize,
    /// User and system time of the whole process, in seconds.
    pub cpu_s: f64,
    /// Time from the event to its answer, in seconds.
    pub wall_s: f64,
    /// The most resident memory, in MiB.
    pub rss_mib: f64,
    /// Size of the file.
    pub bytes: u64,
    /// CRC-32 of the file, in hexadecimal digits.
    pub crc: String,
    /// How often the worker ran.
    pub runs: usize,
    /// Pages that it asked for.
    #[serde(skip)]
    pub queries: u64,
    /// Calls of AWS that it made.
    pub calls: u64,
}

/// Medians of the starts of one function.
#[derive(Debug, Clone, Serialize)]
pub struct Start {
    /// Name of the function.
    pub worker: String,
    /// Processor time from `exec` to the first poll of the Runtime API, in milliseconds.
    pub cpu_ms: f64,
    /// Time from `exec` to the first poll, in milliseconds.
    pub wall_ms: f64,
    /// The most resident memory, in MiB.
    pub rss_mib: f64,
    /// Size of the executable in MB; `None` for scripts.
    pub binary_mb: Option<f64>,
}

/// Everything that was measured.
#[derive(Debug, Default)]
pub struct Findings {
    /// The workers beside each other.
    pub compared: Vec<Median>,
    /// A small export over each transport.
    pub small: Vec<Median>,
    /// The product alone, from ten times as many rows to very many.
    pub growth: Vec<Median>,
    /// The product with more pages in flight.
    pub streams: Option<Median>,
    /// The product without foreign rows, and with them.
    pub foreign: Vec<Median>,
    /// Starts of all functions.
    pub starts: Vec<Start>,
}

impl Median {
    /// Processor time per row, in nanoseconds.
    #[expect(clippy::cast_precision_loss, reason = "a ratio of measured figures")]
    pub fn cpu_ns_per_row(&self) -> f64 {
        self.cpu_s * 1e9 / self.rows as f64
    }

    /// A line for the terminal.
    pub fn line(&self) -> String {
        format!(
            "{:<14} {:<4} {:>9} rows {:>8.3} s CPU {:>7.0} ns/row {:>8.3} s {:>6.1} MiB",
            self.worker,
            self.transport,
            self.rows,
            self.cpu_s,
            self.cpu_ns_per_row(),
            self.wall_s,
            self.rss_mib
        )
    }
}

/// The median of some values, which must not be none.
pub fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<_> = values.collect();
    values.sort_unstable_by(f64::total_cmp);
    f64::midpoint(values[(values.len() - 1) / 2], values[values.len() / 2])
}

/// Bytes in MiB.
#[expect(clippy::cast_precision_loss, reason = "shown to people with few digits")]
pub fn mib(bytes: u64) -> f64 {
    bytes as f64 / (1024.0 * 1024.0)
}

/// Bytes in MB.
#[expect(clippy::cast_precision_loss, reason = "shown to people with few digits")]
pub fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}
