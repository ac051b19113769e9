//! Writes docs/capacity.md.

mod failures;
mod format;

use std::fmt::Write as _;

use self::failures::failures;
use self::format::{capitalized, grouped, shown_time, tenths};
use super::Inputs;
use super::aws::{PRICE_LIST, PRICES_OF};
use super::bill::Usage;
use super::money::Money;
use super::product::SEGMENT_PAGES;
use super::time::{Place, Times};
use super::workload::Workload;

/// Values of `MaxWorkers` in the tables.
const WORKERS: [u128; 4] = [1, 2, 4, 10];
/// `MaxWorkers`, its default.
const DEFAULT_WORKERS: u128 = 2;

const HEAD: &str = include_str!("head.md");
const MODEL: &str = include_str!("model.md");

/// The whole document.
pub fn document(inputs: &[Inputs], sizes: &[u128]) -> String {
    let mut text = HEAD.to_owned() + &summary(inputs, sizes);
    for one in inputs {
        let _ = write!(text, "\n## {}\n\n", capitalized(one.shape.name()));
        text += &minutes(one, sizes);
        text += &bills(one, sizes);
    }
    text += &failures(inputs);
    text += MODEL;
    text += &measured(inputs);
    text += &prices();
    text
}

/// The tables of what an export takes by the default number of workers.
pub fn summary(inputs: &[Inputs], sizes: &[u128]) -> String {
    let mut text = "| rows of | rows | time | limited by | dollars | per million rows |\n\
                    | --- | --: | --: | --- | --: | --: |\n"
        .to_owned();
    for one in inputs {
        for rows in sizes {
            let (work, times) = export(one, *rows, DEFAULT_WORKERS);
            let total = Usage::new(&work, &times).total();
            let _ = writeln!(
                text,
                "| {} | {} | {} | {} | {} | {} |",
                one.shape.name(),
                grouped(*rows),
                shown_time(times.total_ms),
                limit(&times),
                total,
                total.share(1_000_000, *rows),
            );
        }
    }
    text
}

fn export(inputs: &Inputs, rows: u128, workers: u128) -> (Workload, Times) {
    let work = Workload::new(inputs, rows);
    let times = Times::new(&work, workers, Place::AWS);
    (work, times)
}

fn limit(times: &Times) -> String {
    match times.failure() {
        None => times.limit.name().to_owned(),
        Some(failure) => format!("**fails: {failure}**"),
    }
}

/// Minutes, limit and dollars by number of workers.
fn minutes(inputs: &Inputs, sizes: &[u128]) -> String {
    let mut text = "| rows | workers | of them used | time | limited by | GB-seconds | dollars |\n\
                    | --: | --: | --: | --: | --- | --: | --: |\n"
        .to_owned();
    for rows in sizes {
        for workers in WORKERS {
            let (work, times) = export(inputs, *rows, workers);
            let usage = Usage::new(&work, &times);
            let _ = writeln!(
                text,
                "| {} | {workers} | {} | {} | {} | {} | {} |",
                grouped(*rows),
                times.workers,
                shown_time(times.total_ms),
                limit(&times),
                grouped(usage.gb_seconds()),
                usage.total(),
            );
        }
    }
    text
}

/// A count of something that is used.
type Count = fn(&Usage, &Times) -> u128;

/// What is used and what it costs, with the default number of workers: a column for each size.
fn bills(inputs: &Inputs, sizes: &[u128]) -> String {
    let all: Vec<_> = sizes
        .iter()
        .map(|rows| {
            let (work, times) = export(inputs, *rows, DEFAULT_WORKERS);
            (Usage::new(&work, &times), times)
        })
        .collect();
    let mut text = format!("\nWith {DEFAULT_WORKERS} workers, the default:\n\n| rows |");
    for rows in sizes {
        let _ = write!(text, " {} |", grouped(*rows));
    }
    text += "\n| --- |";
    text += &" --: |".repeat(sizes.len());
    text.push('\n');
    let mut line = |name: &str, cell: &dyn Fn(&Usage, &Times) -> String| {
        let cells: Vec<_> = all.iter().map(|(usage, times)| cell(usage, times)).collect();
        let _ = writeln!(text, "| {name} | {} |", cells.join(" | "));
    };
    let counts: [(&str, Count); 16] = [
        ("read units of usage records", |usage, _| usage.units),
        ("other read units", |usage, _| usage.other_units),
        ("write units", |usage, _| usage.write_units),
        ("seconds of workers", |usage, _| usage.worker_ms.div_ceil(1_000)),
        ("of them with work for the CPU", |usage, _| usage.busy_ms.div_ceil(1_000)),
        ("executions of the worker", |usage, _| usage.executions),
        ("segments", |_, times| times.files.segments),
        ("parts of the file", |_, times| times.files.parts()),
        ("S3: create, complete and head, each", |usage, _| usage.s3.uploads),
        ("S3: `UploadPart`", |usage, _| usage.s3.parts),
        ("S3: `UploadPartCopy`", |usage, _| usage.s3.copies),
        ("S3: `PutObject`", |usage, _| usage.s3.puts),
        ("S3: lists", |usage, _| usage.s3.lists),
        ("S3: `GetObject`", |usage, _| usage.s3.gets),
        ("S3: `DeleteObject`, free", |usage, _| usage.s3.deletes),
        ("SQS: requests", |usage, _| usage.messages),
    ];
    for (name, count) in counts {
        line(name, &|usage, times| grouped(count(usage, times)));
    }
    line("file, MB", &|usage, _| grouped(usage.stored.div_ceil(1_000_000)));
    for (nth, (name, _)) in all[0].0.bill().into_iter().enumerate() {
        line(name, &|usage, _| usage.bill()[nth].1.to_string());
    }
    line("**total**", &|usage, _| format!("**{}**", usage.total()));
    text
}

/// The inputs, and the model beside the measurement.
fn measured(inputs: &[Inputs]) -> String {
    let mut text = "\n## What is measured\n\n\
        | figure | one partition | 50 workspaces, 12 months | from |\n| --- | --: | --: | --- |\n"
        .to_owned();
    let mut line = |name: &str, figure: fn(&Inputs) -> u128, source: &str| {
        let cells: Vec<_> = inputs.iter().map(|one| grouped(figure(one))).collect();
        let _ = writeln!(text, "| {name} | {} | {source} |", cells.join(" | "));
    };
    let table = "performance.md, the table of `bench --table`";
    line("CPU of a row in ns, the most of any number of workers", |one| one.http_cpu_ns, table);
    line("CPU of a row in ns that TLS adds", |one| one.tls_cpu_ns, "performance.md, figures: tls less http");
    line("read units of a million rows", |one| one.units, &format!("{table}: *limit*"));
    line("bytes of a record in DynamoDB", |one| one.units * 4_096 / 1_000_000, "the read units");
    line("bytes that DynamoDB sends for a million rows", |one| one.received, &format!("{table}: *network*"));
    line("rows of a full page", |one| one.rows_per_page, &format!("{table}: *queries* less *refused*"));
    line(
        "bytes of the file of a million rows",
        |one| one.file,
        "capacity.json, from `target/bench/table.json`",
    );
    text += "\nThe model beside the measurement, with what the benchmark gives: no budget, and all the CPU of its machine.\n\n\
        | rows of | rows | workers | model, s | limited by | measured, s | measured : model |\n\
        | --- | --: | --: | --: | --- | --: | --: |\n";
    for one in inputs {
        let work = Workload::new(one, one.rows);
        for (workers, measured_ms) in &one.measured_ms {
            let times = Times::new(&work, *workers, Place::BENCH);
            let _ = writeln!(
                text,
                "| {} | {} | {workers} | {} | {} | {} | {} |",
                one.shape.name(),
                grouped(one.rows),
                tenths(times.total_ms, 1_000),
                times.limit.name(),
                tenths(*measured_ms, 1_000),
                tenths(*measured_ms, times.total_ms),
            );
        }
    }
    text
}

fn prices() -> String {
    let mut text = format!(
        "\n## Prices\n\nThose of us-east-1 as of {PRICES_OF}, without the free tier and discounts. {}\n\n\
         | what | dollars | for a | where AWS has it |\n| --- | --: | --- | --- |\n",
        include_str!("prices.md").trim_end()
    );
    for (what, price, count, unit, url) in PRICE_LIST {
        let dollars: Money = price.times(count);
        let _ = writeln!(text, "| {what} | {dollars} | {unit} | <{url}> |");
    }
    let _ = write!(
        text,
        "\nA segment has at least {SEGMENT_PAGES} pages; `infra/xtask/src/commands/capacity/` has every other constant.\n"
    );
    text
}
