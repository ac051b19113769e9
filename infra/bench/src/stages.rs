//! What is measured, in order.

use anyhow::Result;
use chrono::{DateTime, Utc};

use crate::bench::{Bench, FLOOR, PEERS, PRODUCT, Run, Served, Transport};
use crate::data::Data;
use crate::data::directory::Directory;
use crate::findings::{Findings, Median, Start, median, megabytes, mib};
use crate::options::Options;
use crate::worker::{Used, Worker};

/// Workspaces of the organization.
const WORKSPACES: usize = 10;
/// For each partition of the export, how many partitions the table has that no export asks for.
const FOREIGN: usize = 100;
/// Pages in flight in the run that measures their memory.
const STREAMS: usize = 8;
/// Every function, and the peers that a function could be written with.
const STARTS: [&str; 6] = ["export_data", "export_status", "export_worker", "settings_page", "boto3", "node"];
/// Rows of an export as most people make it.
const SMALL_ROWS: usize = 10_000;
/// Starts for each run of the options: a start is short, so its figures vary more.
const STARTS_PER_RUN: usize = 4;

/// Measures everything that the options ask for.
///
/// # Errors
///
/// Fails if a worker fails or leaves another file than the one that must come out.
pub async fn measure(options: &Options, now: DateTime<Utc>) -> Result<Findings> {
    let bench = Bench::new(options, Directory::generate(WORKSPACES), now).await?;
    let everything = options.only.is_empty();
    let starts = if everything { measure_starts(&bench).await? } else { Vec::new() };
    let mut findings = Findings { starts, ..Findings::default() };
    let directory = &bench.directory;
    let served = bench.serve(generate(options.rows, directory)?).await?;
    let wanted = |name: &&&str| everything || options.only.iter().any(|only| only == **name);
    for transport in [Transport::Http, Transport::Tls] {
        // The scripts take long, and are an order of magnitude slower over both transports.
        let slow = |name: &str| transport == Transport::Tls && ["boto3", "node"].contains(&name);
        let names = [PRODUCT].iter().chain(&PEERS).filter(wanted).filter(|name| !slow(name));
        let workers: Vec<_> = names.map(|name| served.worker(name, transport)).collect();
        findings.compared.extend(compare(&served, &workers, transport).await?);
    }
    if !everything {
        return Ok(findings);
    }
    let mut wide = served.worker(PRODUCT, Transport::Http);
    wide.environment.push(("READ_AHEAD".to_owned(), STREAMS.to_string()));
    findings.streams = compare(&served, &[wide], Transport::Http).await?.pop();
    drop(served);

    let served = bench.serve(generate(SMALL_ROWS, directory)?).await?;
    for transport in [Transport::Http, Transport::Tls] {
        let workers = [PRODUCT, FLOOR].map(|name| served.worker(name, transport));
        findings.small.extend(compare(&served, &workers, transport).await?);
    }
    drop(served);

    let rows = options.rows.min(200_000);
    findings.foreign = measure_foreign(&bench, rows).await?;
    let mut rows = 10 * SMALL_ROWS;
    while rows <= options.largest {
        let served = bench.serve(generate(rows, directory)?).await?;
        let worker = served.worker(PRODUCT, Transport::Http);
        findings.growth.extend(compare(&served, &[worker], Transport::Http).await?);
        rows *= 10;
    }
    Ok(findings)
}

fn generate(rows: usize, directory: &Directory) -> Result<Data> {
    println!("Generating {rows} rows");
    Data::generate(rows, directory)
}

/// Runs the workers in turn, so that whatever else the machine does affects all of them alike.
async fn compare(served: &Served<'_>, workers: &[Worker], transport: Transport) -> Result<Vec<Median>> {
    let mut runs: Vec<Vec<Run>> = vec![Vec::new(); workers.len()];
    for _ in 0..served.runs() {
        for (worker, runs) in workers.iter().zip(&mut runs) {
            runs.push(served.run(worker).await?);
        }
    }
    let medians = workers.iter().zip(&runs).map(|(worker, runs)| medians(served, worker, transport, runs));
    let medians: Vec<_> = medians.collect();
    for median in &medians {
        println!("  {}", median.line());
    }
    Ok(medians)
}

/// Measures the product with a table that has only the rows of the export, and with one that has 100 times as many
/// foreign rows.
async fn measure_foreign(bench: &Bench<'_>, rows: usize) -> Result<Vec<Median>> {
    let alone = bench.serve(generate(rows, &bench.directory)?).await?;
    let mut data = generate(rows, &bench.directory)?;
    data.foreign = FOREIGN;
    let among = bench.serve(data).await?;
    let mut runs = [Vec::new(), Vec::new()];
    let workers = [&alone, &among].map(|served| {
        let mut worker = served.worker(PRODUCT, Transport::Http);
        // Where a split cuts, a page ends: how many pages there are depends on when it takes place.
        worker.environment.push(("SEGMENT_PAGES".to_owned(), "1000".to_owned()));
        worker
    });
    // Twice as often, because the difference to show is 2 %.
    for _ in 0..2 * alone.runs() {
        runs[0].push(alone.run(&workers[0]).await?);
        runs[1].push(among.run(&workers[1]).await?);
    }
    let medians = [
        medians(&alone, &workers[0], Transport::Http, &runs[0]),
        medians(&among, &workers[1], Transport::Http, &runs[1]),
    ];
    for median in &medians {
        println!("  {} {} pages", median.line(), median.queries);
    }
    Ok(medians.to_vec())
}

fn medians(served: &Served<'_>, worker: &Worker, transport: Transport, runs: &[Run]) -> Median {
    let last = runs[runs.len() - 1];
    Median {
        worker: worker.name.to_owned(),
        transport: if transport == Transport::Http { "http" } else { "tls" },
        rows: served.data.rows,
        cpu_s: median(runs.iter().map(|run| run.used.cpu.as_secs_f64())),
        wall_s: median(runs.iter().map(|run| run.used.wall.as_secs_f64())),
        rss_mib: median(runs.iter().map(|run| mib(run.used.peak_bytes))),
        bytes: last.stored.bytes,
        crc: format!("{:08x}", last.stored.crc32),
        runs: runs.len(),
        queries: last.queries,
        calls: last.calls,
    }
}

async fn measure_starts(bench: &Bench<'_>) -> Result<Vec<Start>> {
    // As on AWS, the endpoint is one with TLS. No worker calls it before the first event.
    let workers = STARTS.map(|name| bench.worker(name, "https://127.0.0.1:1"));
    let mut used: [Vec<Used>; STARTS.len()] = Default::default();
    for _ in 0..STARTS_PER_RUN * bench.options.runs {
        for (worker, used) in workers.iter().zip(&mut used) {
            used.push(worker.cold_start(&bench.options.results).await?);
        }
    }
    let starts = workers.iter().zip(&used).map(|(worker, used)| Start {
        worker: worker.name.to_owned(),
        cpu_ms: median(used.iter().map(|used| used.cpu.as_secs_f64() * 1e3)),
        wall_ms: median(used.iter().map(|used| used.wall.as_secs_f64() * 1e3)),
        rss_mib: median(used.iter().map(|used| mib(used.peak_bytes))),
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
