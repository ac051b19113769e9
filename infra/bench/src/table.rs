//! Exports of a table that has the limits of AWS: how much of what the table gives in a second an export uses, with one
//! worker and with several.

pub mod report;

use anyhow::Result;
use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::bench::as_aws::ServedAsAws;
use crate::bench::{Bench, PRODUCT};
use crate::data::Data;
use crate::data::directory::Directory;
use crate::findings::mib;
use crate::options::Options;
use crate::services::limits::{PARTITION_UNITS, TABLE_UNITS, units};
use crate::services::network::transfer_time;

/// Workspaces of the organization.
const WORKSPACES: usize = 50;
/// How the product makes each export: unsplit, and with so many workers.
const WAYS: [Way; 4] = [UNSPLIT, Way::of(PRODUCT, 1), Way::of(PRODUCT, 2), Way::of(PRODUCT, MAX_WORKERS)];
/// One worker of the product reads page after page, as its peers do. What splitting costs is seen beside it.
const UNSPLIT: Way =
    Way { name: "export_worker, unsplit", segment_pages: Some(10_000), ..Way::of(PRODUCT, 1) };
/// The most workers.
const MAX_WORKERS: usize = 4;
/// What else makes the exports, one worker each.
const PEERS: [&str; 3] = ["naive", "boto3", "node"];
/// How often the product makes each export: see [`median_run`].
const RUNS: usize = 3;
/// Peers take minutes for more rows than these, and export a tenth of them.
const MAX_PEER_ROWS: usize = 2_000_000;

/// How an export is made.
#[derive(Debug, Clone, Copy)]
struct Way {
    /// Its name in the results.
    name: &'static str,
    worker: &'static str,
    workers: usize,
    /// How many pages the first segments have at least, if that is not for the worker to say.
    segment_pages: Option<u32>,
}

impl Way {
    const fn of(worker: &'static str, workers: usize) -> Self {
        Self { name: worker, worker, workers, segment_pages: None }
    }
}

/// One export.
#[derive(Debug, Clone, Serialize)]
pub struct Finding {
    /// Which rows were exported.
    pub data: &'static str,
    /// Name of the worker, and that it did not split the export, if it did not.
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
}

/// Measures the product and its peers with one large partition, and with many workspaces of different sizes.
///
/// # Errors
///
/// Fails if a worker fails or leaves another file than the one that must come out.
pub async fn measure(options: &Options, now: DateTime<Utc>) -> Result<Findings> {
    let bench = Bench::new(options, Directory::generate(WORKSPACES), now).await?;
    let mut findings = Findings::default();
    let wanted = |worker: &&str| options.only.is_empty() || options.only.iter().any(|only| only == *worker);
    for (name, rows, generate) in [
        ("one partition", options.partition_rows, Data::in_one_partition as Generate),
        ("50 workspaces, 12 months", options.workspace_rows, Data::in_unequal_workspaces),
    ] {
        let serve = async |rows| {
            println!("Generating {rows} rows: {name}");
            bench.serve_as_aws(generate(rows, &bench.directory)?, MAX_WORKERS).await
        };
        if wanted(&PRODUCT) {
            let served = serve(rows).await?;
            findings.exports.extend(measure_ways(&served, name).await?);
        }
        let peers: Vec<_> = PEERS.into_iter().filter(wanted).collect();
        if peers.is_empty() {
            continue;
        }
        let served = serve(if rows > MAX_PEER_ROWS { rows / 10 } else { rows }).await?;
        for peer in peers {
            findings.exports.push(measure_one(&served, name, Way::of(peer, 1)).await?);
        }
    }
    Ok(findings)
}

/// Makes so many rows.
type Generate = fn(usize, &Directory) -> Result<Data>;

/// The product in every way. The ways take turns, because the machine is not as fast at one time as at another.
async fn measure_ways(served: &ServedAsAws<'_>, data: &'static str) -> Result<Vec<Finding>> {
    let mut findings = WAYS.map(|_| Vec::new());
    for _ in 0..RUNS {
        for (way, findings) in WAYS.into_iter().zip(&mut findings) {
            findings.push(measure_one(served, data, way).await?);
        }
    }
    Ok(findings.map(median_run).into())
}

/// The run whose time is the median, with the median of the CPU and the most memory of all.
fn median_run(mut findings: Vec<Finding>) -> Finding {
    let middle = findings.len() / 2;
    let peak_mib = findings.iter().map(|finding| finding.peak_mib).fold(0.0, f64::max);
    findings.sort_by(|one, other| one.cpu_s.total_cmp(&other.cpu_s));
    let cpu_s = findings[middle].cpu_s;
    findings.sort_by(|one, other| one.wall_s.total_cmp(&other.wall_s));
    Finding { cpu_s, peak_mib, ..findings.swap_remove(middle) }
}

async fn measure_one(served: &ServedAsAws<'_>, data: &'static str, way: Way) -> Result<Finding> {
    let Way { name, worker, workers, segment_pages } = way;
    let run = served.run(worker, workers, segment_pages).await?;
    let received = served.json_bytes(worker);
    let finding = Finding {
        data,
        worker: name,
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
    };
    println!("  {}", report::line(&finding));
    Ok(finding)
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
