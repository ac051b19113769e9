//! The targets of the figures, and the gate of CI.

use crate::bench::{FLOOR, PRODUCT};
use crate::findings::{Findings, Median};

/// How much worse than its target a figure may be before CI fails. Where a figure misses its target by more than that,
/// its gate is given beside the target: two thirds of what was measured with as few rows as CI has time for.
const GATE: f64 = 1.5;

/// A figure compared with its target.
pub struct Verdict {
    what: String,
    measured: f64,
    target: f64,
    /// Whether the figure must be at least the target, not at most.
    at_least: bool,
    /// The worst figure with which CI passes.
    gate: f64,
}

impl Verdict {
    /// A figure that must be at least its target.
    pub fn at_least(what: impl Into<String>, measured: f64, target: f64) -> Self {
        Self { what: what.into(), measured, target, at_least: true, gate: target / GATE }
    }

    /// A figure that must be at most its target.
    pub fn at_most(what: impl Into<String>, measured: f64, target: f64) -> Self {
        Self { what: what.into(), measured, target, at_least: false, gate: target * GATE }
    }

    /// The same figure, where CI looks at none.
    pub fn without_gate(self) -> Self {
        let gate = if self.at_least { f64::NEG_INFINITY } else { f64::INFINITY };
        Self { gate, ..self }
    }

    fn holds(&self, limit: f64) -> bool {
        if self.at_least { self.measured >= limit } else { self.measured <= limit }
    }

    /// Whether CI passes with this figure.
    pub fn passes_the_gate(&self) -> bool {
        self.holds(self.gate)
    }

    fn word(&self) -> &'static str {
        match (self.holds(self.target), self.passes_the_gate()) {
            (true, _) => "met",
            (false, true) => "missed",
            (false, false) => "missed, and beyond CI's gate",
        }
    }

    fn bound(&self) -> String {
        format!("{} {}", if self.at_least { "≥" } else { "≤" }, self.target)
    }

    /// A line for the terminal.
    pub fn line(&self) -> String {
        format!("{:<64} {:>9.2}  {:<8} {}", self.what, self.measured, self.bound(), self.word())
    }

    /// A row of the document's table.
    pub fn row(&self) -> String {
        format!("| {} | {:.2} | {} | {} |", self.what, self.measured, self.bound(), self.word())
    }
}

/// Compares every figure that has a target and was measured.
pub fn verdicts(findings: &Findings) -> Vec<Verdict> {
    let mut verdicts = ratios(findings);
    let product = |median: &&Median| median.worker == PRODUCT;
    let peaks = findings.compared.iter().chain(&findings.growth).filter(product).map(|median| median.rss_mib);
    if let Some(peak) = peaks.max_by(f64::total_cmp) {
        verdicts.push(Verdict::at_most("peak memory, MiB, whatever the number of rows", peak, 96.0));
    }
    if let Some(streams) = &findings.streams {
        verdicts.push(Verdict::at_most("peak memory with 8 streams, MiB", streams.rss_mib, 96.0));
    }
    let growth = |rows: usize| findings.growth.iter().find(|median| median.rows == rows);
    if let (Some(few), Some(many)) = (growth(100_000), growth(10_000_000)) {
        let ratio = many.cpu_ns_per_row() / few.cpu_ns_per_row();
        verdicts.push(Verdict::at_most("CPU per row, 10M rows : 100k rows", ratio, 1.05));
    }
    if let (Some(few), Some(many)) = (growth(1_000_000), growth(10_000_000)) {
        verdicts.push(Verdict::at_most("peak memory, 10M rows : 1M rows", many.rss_mib / few.rss_mib, 1.05));
    }
    if let [alone, among] = &findings.foreign[..] {
        #[expect(clippy::cast_precision_loss, reason = "a few hundred")]
        let pages = among.queries as f64 / alone.queries as f64;
        verdicts.push(Verdict {
            gate: 1.0,
            ..Verdict::at_most("pages read, 100 × foreign rows : none", pages, 1.0)
        });
        let cpu = among.cpu_s / alone.cpu_s;
        verdicts
            .push(Verdict { gate: 1.2, ..Verdict::at_most("CPU, 100 × foreign rows : none", cpu, 1.02) });
    }
    verdicts.extend(small(findings));
    verdicts.extend(starts(findings));
    verdicts
}

/// What most exports cost: half of it is not rows.
///
/// Milliseconds differ by half from machine to machine, so CI looks at the ratio to a peer of the same run instead: a start
/// of boto3, which is a process as short-lived as a small export.
fn small(findings: &Findings) -> impl Iterator<Item = Verdict> {
    let boto3 = findings.starts.iter().find(|start| start.worker == "boto3").map(|start| start.cpu_ms);
    findings.small.iter().filter(|median| median.worker == PRODUCT).flat_map(move |median| {
        let (target, gate) = if median.transport == "tls" { (20.0, 4.5) } else { (12.0, 6.0) };
        let (rows, transport, cpu_ms) = (median.rows, median.transport, median.cpu_s * 1000.0);
        let what = format!("CPU of {rows} rows, {transport}, ms");
        let ratio = boto3.map(|start| {
            let what = format!("CPU, a start of boto3 : {rows} rows, {transport}");
            Verdict { gate, ..Verdict::at_least(what, start / cpu_ms, 12.0) }
        });
        std::iter::once(Verdict::at_most(what, cpu_ms, target).without_gate()).chain(ratio)
    })
}

/// The processor time of the product as a ratio to that of its peers.
fn ratios(findings: &Findings) -> Vec<Verdict> {
    let cpu = |worker: &str, transport: &str| {
        let of = |median: &&Median| median.worker == worker && median.transport == transport;
        findings.compared.iter().find(of).map(|median| median.cpu_s)
    };
    let mut verdicts = Vec::new();
    for (peer, transport, target, gate) in [
        ("naive", "http", 15.0, 5.0),
        ("naive", "tls", 12.0, 3.5),
        ("boto3", "http", 60.0, 40.0),
        ("node", "http", 40.0, 26.0),
    ] {
        if let (Some(peer_cpu), Some(ours)) = (cpu(peer, transport), cpu(PRODUCT, transport)) {
            let what = format!("CPU, {peer} : export_worker, {transport}");
            verdicts.push(Verdict { gate, ..Verdict::at_least(what, peer_cpu / ours, target) });
        }
    }
    if let (Some(floor), Some(ours)) = (cpu(FLOOR, "http"), cpu(PRODUCT, "http")) {
        let verdict = Verdict::at_most("CPU, export_worker : floor, http", ours / floor, 2.0);
        verdicts.push(Verdict { gate: 4.5, ..verdict });
    }
    verdicts
}

fn starts(findings: &Findings) -> Vec<Verdict> {
    let is_ours = |worker: &str| !["boto3", "node"].contains(&worker);
    let ours: Vec<_> = findings.starts.iter().filter(|start| is_ours(&start.worker)).collect();
    let mut verdicts = Vec::new();
    if let Some(slowest) = ours.iter().map(|start| start.cpu_ms).max_by(f64::total_cmp) {
        verdicts.push(Verdict::at_most("CPU of the slowest start, ms", slowest, 5.0));
        if let Some(boto3) = findings.starts.iter().find(|start| start.worker == "boto3") {
            verdicts.push(Verdict::at_least("CPU of a start, boto3 : slowest", boto3.cpu_ms / slowest, 60.0));
        }
    }
    if let Some(largest) = ours.iter().filter_map(|start| start.binary_mb).max_by(f64::total_cmp) {
        verdicts.push(Verdict { gate: 14.0, ..Verdict::at_most("largest binary, MB", largest, 7.0) });
    }
    verdicts
}
