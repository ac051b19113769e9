//! What is printed: a line for each scenario when it ends, and a table of all.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::proxy::Counts;
use crate::world::Outcome;

/// A scenario that has run.
pub struct Row {
    /// Its name.
    pub name: &'static str,
    /// How long it ran.
    pub took: Duration,
    /// Calls and faults of its last part, by operation.
    pub counts: BTreeMap<String, Counts>,
    /// What became of its exports.
    pub outcome: Outcome,
}

impl Row {
    /// Whether everything held.
    pub fn holds(&self) -> bool {
        self.outcome.broken.is_empty()
    }

    /// Prints the faults by operation, the reasons of failures, and what does not hold.
    pub fn print_findings(&self) {
        // At once, because others print too.
        print!("{}", self.findings());
    }

    fn findings(&self) -> String {
        let mut lines =
            vec![format!("── {}: {} after {:.0} s", self.name, verdict(self), self.took.as_secs_f64())];
        let faults = self.counts.iter().filter(|(_, counts)| !counts.faults.is_empty());
        for (operation, Counts { calls, faults }) in faults {
            let faults: Vec<_> = faults.iter().map(|(name, count)| format!("{name} {count}")).collect();
            lines.push(format!("{operation}: {calls} calls, {}", faults.join(", ")));
        }
        let mut reasons = BTreeMap::<&str, usize>::new();
        for reason in &self.outcome.failed {
            *reasons.entry(reason).or_default() += 1;
        }
        for (reason, count) in reasons {
            lines.push(format!("{count} FAILED: {reason}"));
        }
        lines.extend(self.outcome.notes.iter().cloned());
        lines.extend(self.outcome.broken.iter().map(|text| format!("BROKEN: {text}")));
        lines.join("\n   ") + "\n"
    }

    fn cells(&self) -> [String; 13] {
        let outcome = &self.outcome;
        let (median, max) = outcome.median_and_max();
        let [none, one, several] = outcome.emails;
        [
            self.name.to_owned(),
            outcome.faults.to_string(),
            outcome.exports.to_string(),
            outcome.completed.to_string(),
            outcome.failed.len().to_string(),
            outcome.unfinished.len().to_string(),
            outcome.wrong_files.len().to_string(),
            format!("{none}/{one}/{several}"),
            outcome.left_overs.len().to_string(),
            format!("{:.1}", median.as_secs_f64()),
            format!("{:.1}", max.as_secs_f64()),
            format!("{:.0}", self.took.as_secs_f64()),
            verdict(self).to_owned(),
        ]
    }
}

fn verdict(row: &Row) -> &'static str {
    if row.holds() { "holds" } else { "BROKEN" }
}

/// Prints the table of all scenarios, as Markdown. Median and maximum are of the seconds from the request to the end of an
/// export; what a scenario took includes making its data and examining its exports.
pub fn print_table(rows: &[Row]) {
    let head = [
        "scenario",
        "faults",
        "exports",
        "completed",
        "failed",
        "stuck",
        "wrong files",
        "emails 0/1/2+",
        "left over",
        "median s",
        "max s",
        "took s",
        "verdict",
    ];
    let mut lines = vec![head.map(str::to_owned)];
    lines.extend(rows.iter().map(Row::cells));
    let width = |column: usize| lines.iter().map(|line| line[column].len()).max().unwrap_or_default();
    let widths: Vec<_> = (0..head.len()).map(width).collect();
    println!();
    for (number, line) in lines.iter().enumerate() {
        let cells: Vec<_> = line.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        println!("| {} |", cells.join(" | "));
        if number == 0 {
            let dashes: Vec<_> = widths.iter().map(|width| "-".repeat(*width)).collect();
            println!("| {} |", dashes.join(" | "));
        }
    }
}
