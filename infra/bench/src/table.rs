//! Exports of a table that has the limits of AWS: how much of what the table gives in a second an export uses, with one
//! worker and with several.

pub mod report;

use anyhow::Result;
use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::bench::as_aws::{Run, ServedAsAws};
use crate::bench::{Bench, PRODUCT, Transport};
use crate::data::Data;
use crate::data::directory::Directory;
use crate::findings::{median, mib};
use crate::options::Options;
use crate::services::limits::{PARTITION_UNITS, TABLE_UNITS, units};
use crate::services::network::transfer_time;

/// Workspaces of the organization.
const WORKSPACES: usize = 50;
/// How many workers the product may use.
const WORKERS: [usize; 3] = [1, 2, 4];
/// What else makes the exports, one worker each.
const PEERS: [&str; 3] = ["naive", "boto3", "node"];
/// How often the product makes each export: the run counts whose time is the median, but for the memory, of which the most counts.
const RUNS: usize = 3;
/// Peers take minutes for more rows than these, and export a tenth of them.
const MAX_PEER_ROWS: usize = 2_000_000;
/// Rows of the export without limits, whose processor time is compared with.
const UNLIMITED_ROWS: usize = 1_000_000;

/// One export.
#[derive(Debug, Clone, Serialize)]
pub struct Finding {
    /// Which rows were exported.
    pub data: &'static str,
    /// Name of the worker.
    pub worker: &'static str,
    /// How many of them there were.
    pub workers: usize,
    /// Rows of the export.
    pub rows: usize,
    /// Seconds from the first event to the completed file.
    pub wall_s: f64,
    /// Seconds for which the limits of the table suffice.
    pub limit_s: f64,
    /// Seconds that the networks of the workers need for what DynamoDB sends them, if each gets its share.
    pub network_s: f64,
    /// User and system time of all workers, in seconds.
    pub cpu_s: f64,
    /// The most resident memory of a worker, in MiB.
    pub peak_mib: f64,
    /// Pages that were asked for, the refused ones included.
    pub queries: u64,
    /// How many of them were refused.
    pub throttled: u64,
    /// Messages that were sent, the first one included.
    pub messages: u64,
    /// Size of the file.
    pub bytes: u64,
    /// CRC-32 of the file, in hexadecimal digits.
    pub crc: String,
}

impl Finding {
    /// How much of what the table gives was used.
    pub fn share(&self) -> f64 {
        self.limit_s / self.wall_s
    }

    /// Processor time per row, in nanoseconds.
    #[expect(clippy::cast_precision_loss, reason = "a ratio of measured figures")]
    pub fn cpu_ns_per_row(&self) -> f64 {
        self.cpu_s * 1e9 / self.rows as f64
    }
}

/// Everything that was measured.
#[derive(Debug, Default, Serialize)]
pub struct Findings {
    /// All exports.
    pub exports: Vec<Finding>,
    /// Processor time per row of the product by one worker whose table has no limits, in nanoseconds.
    pub unlimited_cpu_ns_per_row: f64,
}

/// Measures the product and its peers with one large partition, and with many workspaces of different sizes.
///
/// # Errors
///
/// Fails if a worker fails or leaves another file than the one that must come out.
pub async fn measure(options: &Options, now: DateTime<Utc>) -> Result<Findings> {
    let bench = Bench::new(options, Directory::generate(WORKSPACES), now).await?;
    let mut findings =
        Findings { unlimited_cpu_ns_per_row: measure_unlimited(&bench).await?, ..Findings::default() };
    let wanted = |worker: &&str| options.only.is_empty() || options.only.iter().any(|only| only == *worker);
    for (name, rows, generate) in [
        ("one partition", options.partition_rows, Data::in_one_partition as Generate),
        ("50 workspaces, 12 months", options.workspace_rows, Data::in_unequal_workspaces),
    ] {
        let serve = async |rows| {
            println!("Generating {rows} rows: {name}");
            bench.serve_as_aws(generate(rows, &bench.directory)?, WORKERS[WORKERS.len() - 1]).await
        };
        if wanted(&PRODUCT) {
            let served = serve(rows).await?;
            for workers in WORKERS {
                findings.exports.push(measure_one(&served, name, PRODUCT, workers).await?);
            }
        }
        let peers: Vec<_> = PEERS.into_iter().filter(wanted).collect();
        if peers.is_empty() {
            continue;
        }
        let served = serve(if rows > MAX_PEER_ROWS { rows / 10 } else { rows }).await?;
        for peer in peers {
            findings.exports.push(measure_one(&served, name, peer, 1).await?);
        }
    }
    Ok(findings)
}

/// Makes so many rows.
type Generate = fn(usize, &Directory) -> Result<Data>;

/// The processor time of a row where nothing is waited for: the smallest of some runs.
#[expect(clippy::cast_precision_loss, reason = "a ratio of measured figures")]
async fn measure_unlimited(bench: &Bench<'_>) -> Result<f64> {
    println!("Generating {UNLIMITED_ROWS} rows: no limits");
    let served = bench.serve(Data::generate(UNLIMITED_ROWS, &bench.directory)?).await?;
    let mut worker = served.worker(PRODUCT, Transport::Http);
    worker.environment.push(("MAX_WORKERS".to_owned(), "1".to_owned()));
    let mut runs = Vec::new();
    for _ in 0..served.runs() {
        let run = served.run(&worker).await?;
        runs.push(run.used.cpu.as_secs_f64() * 1e9 / UNLIMITED_ROWS as f64);
    }
    let per_row = median(runs.into_iter());
    println!("  {per_row:.0} ns of CPU per row");
    Ok(per_row)
}

async fn measure_one(
    served: &ServedAsAws<'_>,
    data: &'static str,
    worker: &'static str,
    workers: usize,
) -> Result<Finding> {
    let mut findings = Vec::new();
    for _ in 0..if worker == PRODUCT { RUNS } else { 1 } {
        let run = served.run(worker, workers).await?;
        let finding = finding(served, data, worker, &run);
        println!("  {}", report::line(&finding));
        findings.push(finding);
    }
    let peak_mib = findings.iter().map(|finding| finding.peak_mib).fold(0.0, f64::max);
    findings.sort_by(|one, other| one.wall_s.total_cmp(&other.wall_s));
    let median = findings.swap_remove(findings.len() / 2);
    Ok(Finding { peak_mib, ..median })
}

fn finding(served: &ServedAsAws<'_>, data: &'static str, worker: &'static str, run: &Run) -> Finding {
    let workers = run.workers.len();
    let received = served.json_bytes(worker);
    Finding {
        data,
        worker,
        workers,
        rows: served.data.rows,
        wall_s: run.wall_s,
        limit_s: limit_s(&served.partition_sizes(worker)),
        network_s: transfer_time(received / workers as u64).as_secs_f64(),
        cpu_s: run.workers.iter().map(|used| used.cpu.as_secs_f64()).sum(),
        peak_mib: run.workers.iter().map(|used| mib(used.peak_bytes)).fold(0.0, f64::max),
        queries: run.queries,
        throttled: run.throttled,
        messages: run.messages,
        bytes: run.stored.bytes,
        crc: format!("{:08x}", run.stored.crc32),
    }
}

/// How long the limits of a table suffice for reading partitions of these sizes once: what all of them need, and what the
/// largest needs.
fn limit_s(partition_sizes: &[u64]) -> f64 {
    let each: Vec<_> = partition_sizes.iter().map(|size| units(*size, true)).collect();
    let largest = each.iter().copied().fold(0.0, f64::max);
    (each.iter().sum::<f64>() / TABLE_UNITS).max(largest / PARTITION_UNITS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_is_that_of_the_table_or_of_its_largest_partition() {
        let [one, many] = [vec![3_000 * 4096 * 10, 4096], vec![2_000 * 4096; 40]];
        assert!((limit_s(&one) - 10.0).abs() < 1e-9);
        assert!((limit_s(&many) - 2.0).abs() < 1e-9);
    }
}
