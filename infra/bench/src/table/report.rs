//! Reports what was measured: `table.json`, lines for the terminal, a table of docs/performance.md.

use std::fmt::Write as _;
use std::fs;

use anyhow::Result;

use super::{Finding, Findings, UNSPLIT};
use crate::bench::PRODUCT;
use crate::options::Options;
use crate::report::targets::Verdict;
use crate::report::{into_document, machine};

/// What is between these lines in docs/performance.md is replaced.
const MARKERS: (&str, &str) = (
    "<!-- table of cargo xtask bench --table -->\n",
    "<!-- end of the table of cargo xtask bench --table -->\n",
);

/// Writes and prints everything.
///
/// # Errors
///
/// Fails if a file cannot be written.
pub fn write(options: &Options, findings: &Findings) -> Result<()> {
    fs::write(options.results.join("table.json"), serde_json::to_vec_pretty(findings)?)?;
    let verdicts = verdicts(findings);
    println!();
    for verdict in &verdicts {
        println!("  {}", verdict.line());
    }
    if let Some(docs) = &options.docs {
        into_document(&docs.join("performance.md"), MARKERS, &markdown(findings, &verdicts))?;
    }
    Ok(())
}

/// A line for the terminal.
pub fn line(finding: &Finding) -> String {
    format!(
        "{:<22} {} workers {:>9} rows {:>8.2} s of {:>6.2} s ({:>3.0} %) {:>7.0} ns/row {:>6.1} MiB {} queries, {} refused",
        finding.worker,
        finding.workers,
        finding.rows,
        finding.wall_s,
        finding.limit_s,
        100.0 * finding.share(),
        finding.cpu_ns_per_row(),
        finding.peak_mib,
        finding.queries,
        finding.throttled,
    )
}

impl Findings {
    /// How much more processor time a row takes than with the unsplit export of the same rows, if this is one of the product that is split.
    fn to_unsplit(&self, finding: &Finding) -> Option<f64> {
        let is_unsplit = |one: &&Finding| one.worker == UNSPLIT.name && one.data == finding.data;
        let unsplit = self.exports.iter().find(is_unsplit)?;
        (finding.worker == PRODUCT).then(|| finding.cpu_ns_per_row() / unsplit.cpu_ns_per_row())
    }
}

/// The figures of the product beside their targets. The best number of workers counts for the time, the worst one for
/// what it costs.
fn verdicts(findings: &Findings) -> Vec<Verdict> {
    let mut verdicts = Vec::new();
    let mut datas: Vec<_> = findings.exports.iter().map(|finding| finding.data).collect();
    datas.dedup();
    for data in datas {
        let ours: Vec<_> =
            findings.exports.iter().filter(|one| one.data == data && one.worker == PRODUCT).collect();
        let highest =
            |figure: &dyn Fn(&Finding) -> f64| ours.iter().map(|one| figure(one)).fold(0.0, f64::max);
        if ours.is_empty() {
            continue;
        }
        let what = format!("share of the limit, {data}");
        verdicts.push(Verdict::at_least(what, highest(&Finding::share), 0.85));
        let what = format!("peak memory of a worker, MiB, {data}");
        verdicts.push(Verdict::at_most(what, highest(&|one| one.peak_mib), 96.0));
        let ratio = highest(&|one| findings.to_unsplit(one).unwrap_or_default());
        verdicts.push(Verdict::at_most(format!("CPU per row : unsplit, {data}"), ratio, 1.1));
    }
    verdicts.into_iter().map(Verdict::without_gate).collect()
}

/// The tables in Markdown.
fn markdown(findings: &Findings, verdicts: &[Verdict]) -> String {
    let mut text = format!("\nMeasured on {}.\n\n", machine());
    text.push_str(
        "| rows of | worker | workers | rows | wall s | limit s | share of the limit | network s | CPU ns per row | \
         : unsplit | peak MiB | queries | refused |\n\
         | --- | --- | --: | --: | --: | --: | --: | --: | --: | --: | --: | --: | --: |\n",
    );
    let most_rows = |data| findings.exports.iter().filter(|one| one.data == data).map(|one| one.rows).max();
    for finding in &findings.exports {
        let ratio = findings.to_unsplit(finding);
        let is_part = most_rows(finding.data) > Some(finding.rows);
        let _ = writeln!(
            text,
            "| {} | {} | {} | {}{} | {:.2} | {:.2} | {:.2} | {:.2} | {:.0} | {} | {:.1} | {} | {} |",
            finding.data,
            finding.worker,
            finding.workers,
            finding.rows,
            if is_part { ", a tenth" } else { "" },
            finding.wall_s,
            finding.limit_s,
            finding.share(),
            finding.network_s,
            finding.cpu_ns_per_row(),
            ratio.map_or_else(String::new, |ratio| format!("{ratio:.2}")),
            finding.peak_mib,
            finding.queries,
            finding.throttled,
        );
    }
    text.push_str("\n| what | measured | target | |\n| --- | --: | --: | --- |\n");
    for verdict in verdicts {
        let _ = writeln!(text, "{}", verdict.row());
    }
    text.push('\n');
    text
}
