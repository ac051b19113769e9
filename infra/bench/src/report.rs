//! Reports the findings: `results.json`, the comparison with the targets, docs/performance.md.

mod plot;
pub mod targets;

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};
use procfs::{CpuInfo, Current, Meminfo};

use self::targets::{Verdict, verdicts};
use crate::findings::Findings;
use crate::options::Options;

/// What is between these lines in docs/performance.md is replaced.
const BEGIN: &str = "<!-- figures of cargo xtask bench --docs -->\n";
const END: &str = "<!-- end of the figures -->\n";

/// Writes and prints everything. The exit code is that of a failure if a figure is beyond the gate and the options ask
/// for the gate.
///
/// # Errors
///
/// Fails if a file cannot be written.
pub fn write(options: &Options, findings: &Findings) -> Result<ExitCode> {
    let all: Vec<_> = findings
        .compared
        .iter()
        .chain(&findings.streams)
        .chain(&findings.foreign)
        .chain(&findings.small)
        .chain(&findings.growth)
        .collect();
    fs::write(options.results.join("results.json"), serde_json::to_vec_pretty(&all)?)?;
    fs::write(options.results.join("starts.json"), serde_json::to_vec_pretty(&findings.starts)?)?;
    let verdicts = verdicts(findings);
    println!();
    for verdict in &verdicts {
        println!("  {}", verdict.line());
    }
    if let Some(docs) = &options.docs {
        let small = findings.small.iter().filter(|median| median.transport == "http");
        let from_few_to_many: Vec<_> = small.chain(&findings.growth).cloned().collect();
        plot::draw(&from_few_to_many, &docs.join("performance.svg"))?;
        into_document(&docs.join("performance.md"), (BEGIN, END), &figures(findings, &verdicts))?;
    }
    let failed = options.gate && verdicts.iter().any(|verdict| !verdict.passes_the_gate());
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Replaces what is between two lines of a document.
///
/// # Errors
///
/// Fails if the document cannot be read or written, or has no such lines.
pub fn into_document(path: &Path, (begin, end): (&str, &str), figures: &str) -> Result<()> {
    let path_text = path.display();
    let text = fs::read_to_string(path).with_context(|| format!("{path_text} cannot be read"))?;
    let (before, rest) =
        text.split_once(begin).with_context(|| format!("{path_text} has no line {begin}"))?;
    let (_, after) = rest.split_once(end).with_context(|| format!("{path_text} has no line {end}"))?;
    Ok(fs::write(path, format!("{before}{begin}{figures}{end}{after}"))?)
}

/// The tables in Markdown.
fn figures(findings: &Findings, verdicts: &[Verdict]) -> String {
    let mut text = format!("\nMeasured on {}.\n\n", machine());
    text.push_str(
        "| worker | transport | rows | CPU s | CPU ns per row | rows per CPU s | wall s | peak MiB |\n",
    );
    text.push_str("| --- | --- | --: | --: | --: | --: | --: | --: |\n");
    for median in findings.compared.iter().chain(&findings.small).chain(&findings.growth) {
        let _ = writeln!(
            text,
            "| {} | {} | {} | {:.3} | {:.0} | {:.0} | {:.2} | {:.1} |",
            median.worker,
            median.transport,
            median.rows,
            median.cpu_s,
            median.cpu_ns_per_row(),
            1e9 / median.cpu_ns_per_row(),
            median.wall_s,
            median.rss_mib
        );
    }
    text.push_str(
        "\n| start of | CPU ms | wall ms | peak MiB | binary MB |\n| --- | --: | --: | --: | --: |\n",
    );
    for start in &findings.starts {
        let size = start.binary_mb.map_or_else(String::new, |size| format!("{size:.1}"));
        let _ = writeln!(
            text,
            "| {} | {:.1} | {:.1} | {:.1} | {size} |",
            start.worker, start.cpu_ms, start.wall_ms, start.rss_mib
        );
    }
    text.push_str("\n| small export | transport | calls of AWS | CPU ms | CPU ms per call |\n| --- | --- | --: | --: | --: |\n");
    for median in &findings.small {
        let cpu_ms = median.cpu_s * 1e3;
        #[expect(clippy::cast_precision_loss, reason = "a few dozens")]
        let per_call = cpu_ms / median.calls as f64;
        let (worker, transport, calls) = (&median.worker, median.transport, median.calls);
        let _ = writeln!(text, "| {worker} | {transport} | {calls} | {cpu_ms:.1} | {per_call:.2} |");
    }
    text.push_str("\n| what | measured | target | |\n| --- | --: | --: | --- |\n");
    for verdict in verdicts {
        let _ = writeln!(text, "{}", verdict.row());
    }
    text.push('\n');
    text
}

/// Describes the machine: processor, cores and memory.
pub fn machine() -> String {
    let cpu = CpuInfo::current().ok();
    let cpu =
        |name: &str| cpu.as_ref().and_then(|cpu| cpu.get_info(0)?.get(name).map(|value| (*value).to_owned()));
    let model = cpu("model name").unwrap_or_else(|| std::env::consts::ARCH.to_owned());
    let megahertz = cpu("cpu MHz").unwrap_or_default();
    let memory_mib = Meminfo::current().map_or(0, |memory| memory.mem_total / (1024 * 1024));
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    format!("{model}, {megahertz} MHz, {cores} cores, {memory_mib} MiB memory, a virtual machine with Linux")
}
