//! The figures of a file beside those of its manifest.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Display, Formatter};

use usage_export::export::manifest::{Manifest, Total};

use super::figures::{Amount, Figures, OPTIONAL_COLUMNS};

/// What stands where there is no figure.
const NONE: &str = "-";
/// How wide a column of the table is at most. A longer text moves the rest of its line.
const MAX_WIDTH: usize = 48;

/// All figures of a manifest, each beside that of the file.
#[derive(Debug, Default)]
pub struct Comparison {
    lines: Vec<Line>,
    /// Whether both the manifest and the file have costs.
    has_costs: bool,
    /// What the manifest says and the file cannot show, with the reason.
    not_recomputed: Vec<String>,
}

/// One figure.
#[derive(Debug)]
struct Line {
    what: String,
    manifest: String,
    file: String,
}

impl Comparison {
    /// Compares all that the file can show.
    pub fn new(manifest: &Manifest, figures: &Figures) -> Self {
        let costs = [manifest.totals.total.credit_cost.is_some(), figures.total.credit_cost.is_some()];
        let mut comparison = Self { has_costs: costs == [true; 2], ..Self::default() };
        let columns: Vec<_> = manifest.fields.iter().map(|field| field.id()).collect();
        comparison.compare("columns", columns.join(","), figures.header.join(","));
        comparison.compare("faults", NONE, figures.fault.as_deref().unwrap_or(NONE));
        comparison.compare("rows", manifest.rows, figures.total.rows);
        comparison.compare("bytes", manifest.bytes, figures.bytes);
        comparison.compare("checksum", &manifest.checksum, format!("crc32:{:08x}", figures.crc32));
        comparison.compare_empty_cells(manifest, figures);
        comparison.compare_total("total", Some(&manifest.totals.total), Some(&figures.total));
        let workspaces = manifest.totals.workspaces.iter().map(|(id, total)| (id.clone(), total));
        comparison.compare_each("workspace", "workspace_id", workspaces, figures.workspaces.as_ref());
        let months = manifest.totals.months.iter().map(|(month, total)| (month.to_string(), total));
        comparison.compare_each("month", "pl_run_created_ts", months, figures.months.as_ref());
        if costs == [true, false] {
            comparison.not_recomputed.push(no_column("sums of credit_cost", "credit_cost"));
        }
        comparison
    }

    /// Whether no figure differs. What cannot be recomputed counts as agreed.
    pub fn agrees(&self) -> bool {
        self.lines.iter().all(Line::agrees)
    }

    fn compare(&mut self, what: impl Display, manifest: impl Display, file: impl Display) {
        let [what, manifest, file] = [what.to_string(), manifest.to_string(), file.to_string()];
        self.lines.push(Line {
            what: printable(&what),
            manifest: printable(&manifest),
            file: printable(&file),
        });
    }

    fn compare_empty_cells(&mut self, manifest: &Manifest, figures: &Figures) {
        for name in OPTIONAL_COLUMNS {
            let expected = manifest.empty_cells.iter().find(|(field, _)| field.id() == name);
            match (figures.empty_cells.get(name), expected) {
                (Some(found), _) => {
                    let expected = expected.map_or(0, |(_, count)| *count);
                    self.compare(format!("empty cells in {name}"), expected, found);
                }
                (None, Some(_)) => {
                    self.not_recomputed.push(no_column(&format!("empty cells in {name}"), name));
                }
                (None, None) => {}
            }
        }
    }

    /// Compares the rows, and the cost if both have it. Where one of them lists no such workspace or month, it has 0.
    fn compare_total(&mut self, what: &str, manifest: Option<&Total>, file: Option<&Amount>) {
        let rows = (manifest.map_or(0, |total| total.rows), file.map_or(0, |amount| amount.rows));
        self.compare(format!("{what}: rows"), rows.0, rows.1);
        if self.has_costs {
            let expected = manifest.and_then(|total| total.credit_cost.clone()).unwrap_or_default();
            let found = file.and_then(|amount| amount.credit_cost.clone()).unwrap_or_default();
            self.compare(format!("{what}: credit_cost"), expected, found.normalized().to_plain_string());
        }
    }

    /// Compares the totals of each workspace or each month, also of those that only the manifest or only the file has.
    fn compare_each<'a>(
        &mut self,
        kind: &str,
        column: &str,
        manifest: impl Iterator<Item = (String, &'a Total)>,
        file: Option<&BTreeMap<String, Amount>>,
    ) {
        let Some(file) = file else {
            self.not_recomputed.push(no_column(&format!("totals of each {kind}"), column));
            return;
        };
        let manifest: BTreeMap<_, _> = manifest.collect();
        let keys: BTreeSet<_> = manifest.keys().chain(file.keys()).collect();
        for key in keys {
            self.compare_total(&format!("{kind} {key}"), manifest.get(key).copied(), file.get(key));
        }
    }
}

impl Line {
    fn agrees(&self) -> bool {
        self.manifest == self.file
    }
}

/// The text with everything escaped that a terminal does not show as it is: a file from anywhere may have anything in its
/// cells, also what moves the cursor.
fn printable(text: &str) -> String {
    let escape = |character: char| match character {
        '"' | '\'' => character.to_string(),
        _ => character.escape_debug().to_string(),
    };
    text.chars().map(escape).collect()
}

fn no_column(what: &str, column: &str) -> String {
    format!("{what}: the file has no column {column}")
}

impl Display for Comparison {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let width = |text: fn(&Line) -> &str| {
            let widths = self.lines.iter().map(|line| text(line).chars().count());
            widths.filter(|width| *width <= MAX_WIDTH).max().unwrap_or(0)
        };
        let (what, manifest) = (width(|line| &line.what), width(|line| &line.manifest));
        let row = |formatter: &mut Formatter<'_>, line: &Line| {
            let mark = if line.agrees() { "  " } else { "≠ " };
            writeln!(formatter, "{mark}{:what$}  {:manifest$}  {}", line.what, line.manifest, line.file)
        };
        writeln!(formatter, "  {:what$}  {:manifest$}  file", "", "manifest")?;
        for line in &self.lines {
            row(formatter, line)?;
        }
        writeln!(formatter)?;
        for reason in &self.not_recomputed {
            writeln!(formatter, "Not recomputed: {reason}.")?;
        }
        let different: Vec<_> = self.lines.iter().filter(|line| !line.agrees()).collect();
        if different.is_empty() {
            return writeln!(formatter, "All {} figures agree.", self.lines.len());
        }
        writeln!(formatter, "{} of {} figures differ:", different.len(), self.lines.len())?;
        different.into_iter().try_for_each(|line| row(formatter, line))
    }
}
