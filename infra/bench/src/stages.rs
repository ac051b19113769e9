//! What is measured, in order.

use anyhow::Result;
use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::Options;
use crate::bench::{Bench, PEERS, PRODUCT, Run, Served, Transport};
use crate::data::Data;
use crate::directory::Directory;
use crate::process::{Used, Worker};

/// Buckets that nobody asks for, for each one of the export.
const FOREIGN: usize = 100;
/// Streams that share one part writer, where memory is looked at.
const STREAMS: usize = 8;
/// Every function, and the peers that a function could be written with.
const STARTS: [&str; 6] = ["export_data", "export_status", "export_worker", "settings_page", "boto3", "node"];
/// A start is short, and varies more.
const STARTS_FOR_EACH_RUN: usize = 4;

/// Medians of one worker's runs.
#[derive(Debug, Clone, Serialize)]
pub struct Median {
    /// Which one.
    pub worker: String,
    /// `http` or `tls`.
    pub transport: &'static str,
    /// Rows of the export.
    pub rows: usize,
    /// User and system time of the whole process, in seconds.
    pub cpu_s: f64,
    /// From the event to its answer, in seconds.
    pub wall_s: f64,
    /// The most resident memory, in MiB.
    pub rss_mib: f64,
    /// Size of the file.
    pub bytes: u64,
    /// Its CRC-32, in hexadecimal digits.
    pub crc: String,
    /// How often it ran.
    pub runs: usize,
    /// Pages that it asked for.
    #[serde(skip)]
    pub queries: u64,
}

/// The start of a function.
#[derive(Debug, Clone, Serialize)]
pub struct Start {
    /// Which one.
    pub worker: String,
    /// From `exec` to the first poll of the Runtime API, in milliseconds.
    pub cpu_ms: f64,
    /// The same, of the clock on the wall.
    pub wall_ms: f64,
    /// In MiB.
    pub rss_mib: f64,
    /// Of the executable, in MB; nothing for scripts.
    pub binary_mb: Option<f64>,
}

/// All that was measured.
#[derive(Debug, Default)]
pub struct Findings {
    /// Workers beside each other.
    pub compared: Vec<Median>,
    /// The product alone, from few rows to many.
    pub growth: Vec<Median>,
    /// The product with more pages on their way.
    pub streams: Option<Median>,
    /// The product without foreign rows, and with them.
    pub foreign: Vec<Median>,
    /// Starts.
    pub starts: Vec<Start>,
}

/// Measures everything.
pub async fn all(options: &Options, now: DateTime<Utc>) -> Result<Findings> {
    let bench = Bench::new(options, now).await?;
    let everything = options.only.is_empty();
    let starts = if everything { starts(&bench).await? } else { Vec::new() };
    let mut findings = Findings { starts, ..Findings::default() };
    let directory = &bench.directory;
    let served = bench.serve(make(options.rows, directory)?).await?;
    let wanted = |name: &&&str| everything || options.only.iter().any(|only| only == **name);
    for transport in [Transport::Http, Transport::Tls] {
        // Those of scripts take long, and are an order of magnitude away over either.
        let slow = |name: &str| transport == Transport::Tls && ["boto3", "node"].contains(&name);
        let names = [PRODUCT].iter().chain(&PEERS).filter(wanted).filter(|name| !slow(name));
        let workers: Vec<_> = names.map(|name| served.worker(name, transport)).collect();
        findings.compared.extend(alternate(&served, &workers, transport).await?);
    }
    if !everything {
        return Ok(findings);
    }
    let mut wide = served.worker(PRODUCT, Transport::Http);
    wide.environment.push(("READ_AHEAD".to_owned(), STREAMS.to_string()));
    findings.streams = alternate(&served, &[wide], Transport::Http).await?.pop();
    drop(served);

    let rows = options.rows.min(200_000);
    findings.foreign = foreign(&bench, rows).await?;
    let mut rows = 10_000;
    while rows <= options.largest {
        let served = bench.serve(make(rows, directory)?).await?;
        let worker = served.worker(PRODUCT, Transport::Http);
        findings.growth.extend(alternate(&served, &[worker], Transport::Http).await?);
        rows *= 10;
    }
    Ok(findings)
}

fn make(rows: usize, directory: &Directory) -> Result<Data> {
    println!("Making {rows} rows");
    Data::make(rows, directory)
}

/// Runs the workers in turn, so that whatever else happens on the machine happens to all of them.
async fn alternate(served: &Served<'_>, workers: &[Worker], transport: Transport) -> Result<Vec<Median>> {
    let mut runs: Vec<Vec<Run>> = vec![Vec::new(); workers.len()];
    for _ in 0..served.runs() {
        for (worker, runs) in workers.iter().zip(&mut runs) {
            runs.push(served.run(worker).await?);
        }
    }
    let medians = workers.iter().zip(&runs).map(|(worker, runs)| median(served, worker, transport, runs));
    let medians: Vec<_> = medians.collect();
    for median in &medians {
        println!("  {}", median.line());
    }
    Ok(medians)
}

/// The product beside a table that holds 100 times as many rows of others.
async fn foreign(bench: &Bench<'_>, rows: usize) -> Result<Vec<Median>> {
    let alone = bench.serve(make(rows, &bench.directory)?).await?;
    let mut data = make(rows, &bench.directory)?;
    data.foreign = FOREIGN;
    let among = bench.serve(data).await?;
    let mut runs = [Vec::new(), Vec::new()];
    let workers = [&alone, &among].map(|served| served.worker(PRODUCT, Transport::Http));
    // Twice as often: it is about 2 %.
    for _ in 0..2 * alone.runs() {
        runs[0].push(alone.run(&workers[0]).await?);
        runs[1].push(among.run(&workers[1]).await?);
    }
    let medians = [
        median(&alone, &workers[0], Transport::Http, &runs[0]),
        median(&among, &workers[1], Transport::Http, &runs[1]),
    ];
    for median in &medians {
        println!("  {} {} pages", median.line(), median.queries);
    }
    Ok(medians.to_vec())
}

fn median(served: &Served<'_>, worker: &Worker, transport: Transport, runs: &[Run]) -> Median {
    let last = runs[runs.len() - 1];
    Median {
        worker: worker.name.to_owned(),
        transport: if transport == Transport::Http { "http" } else { "tls" },
        rows: served.data.rows,
        cpu_s: middle(runs.iter().map(|run| run.used.cpu.as_secs_f64())),
        wall_s: middle(runs.iter().map(|run| run.used.wall.as_secs_f64())),
        rss_mib: middle(runs.iter().map(|run| mib(run.used.peak_bytes))),
        bytes: last.stored.bytes,
        crc: format!("{:08x}", last.stored.crc32),
        runs: runs.len(),
        queries: last.queries,
    }
}

impl Median {
    /// Processor time of a row, in nanoseconds.
    #[expect(clippy::cast_precision_loss, reason = "a ratio of figures that are measured")]
    pub fn cpu_ns_of_a_row(&self) -> f64 {
        self.cpu_s * 1e9 / self.rows as f64
    }

    fn line(&self) -> String {
        format!(
            "{:<14} {:<4} {:>9} rows {:>8.3} s CPU {:>7.0} ns/row {:>8.3} s {:>6.1} MiB",
            self.worker,
            self.transport,
            self.rows,
            self.cpu_s,
            self.cpu_ns_of_a_row(),
            self.wall_s,
            self.rss_mib
        )
    }
}

async fn starts(bench: &Bench<'_>) -> Result<Vec<Start>> {
    // As on AWS: TLS, and nobody is called before the first event.
    let workers = STARTS.map(|name| bench.worker(name, "https://127.0.0.1:1"));
    let mut used: [Vec<Used>; STARTS.len()] = Default::default();
    for _ in 0..STARTS_FOR_EACH_RUN * bench.options.runs {
        for (worker, used) in workers.iter().zip(&mut used) {
            used.push(worker.cold_start(&bench.options.results).await?);
        }
    }
    let starts = workers.iter().zip(&used).map(|(worker, used)| Start {
        worker: worker.name.to_owned(),
        cpu_ms: middle(used.iter().map(|used| used.cpu.as_secs_f64() * 1e3)),
        wall_ms: middle(used.iter().map(|used| used.wall.as_secs_f64() * 1e3)),
        rss_mib: middle(used.iter().map(|used| mib(used.peak_bytes))),
        binary_mb: (worker.command.len() == 1)
            .then(|| std::fs::metadata(&worker.command[0]).ok())
            .flatten()
            .map(|file| megabytes(file.len())),
    });
    let starts: Vec<_> = starts.collect();
    for start in &starts {
        println!("  start of {:<14} {:>8.2} ms CPU {:>8.1} ms", start.worker, start.cpu_ms, start.wall_ms);
    }
    Ok(starts)
}

/// The median.
fn middle(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<_> = values.collect();
    values.sort_unstable_by(f64::total_cmp);
    f64::midpoint(values[(values.len() - 1) / 2], values[values.len() / 2])
}

#[expect(clippy::cast_precision_loss, reason = "for people")]
fn mib(bytes: u64) -> f64 {
    bytes as f64 / (1024.0 * 1024.0)
}

#[expect(clippy::cast_precision_loss, reason = "for people")]
fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}
