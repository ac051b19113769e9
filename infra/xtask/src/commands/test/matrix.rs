//! What each variant says of each target, as a table.

use std::collections::BTreeMap;
use std::fmt;

use super::variant::{Target, Variant};

/// The outcomes of the tests of one target.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub passed: u32,
    pub failed: u32,
    /// Tests that say themselves why they do not run here.
    pub different: Vec<(String, String)>,
    /// Tests that were left out by the variant, which knows why.
    pub left_out: u32,
}

/// All outcomes.
#[derive(Debug, Default)]
pub struct Matrix {
    /// By target, in the order of [`Variant::ALL`].
    rows: BTreeMap<Target, Vec<(Variant, Counts)>>,
}

impl Counts {
    /// Counts what a line says: `test a::b ... ok`, `… ... FAILED` or `… ... ignored, reason`; and how many were left out:
    /// `test result: ok. … 1 filtered out; …`.
    pub fn add_line(&mut self, line: &str) {
        if let Some(result) = line.strip_prefix("test result: ") {
            let left_out =
                result.split("; ").find_map(|part| part.strip_suffix(" filtered out")?.parse().ok());
            self.left_out += left_out.unwrap_or(0);
            return;
        }
        let Some((test, outcome)) = line.strip_prefix("test ").and_then(|line| line.split_once(" ... "))
        else {
            return;
        };
        match outcome {
            "ok" => self.passed += 1,
            "FAILED" => self.failed += 1,
            _ => {
                if let Some(reason) = outcome.strip_prefix("ignored, ") {
                    let test = test.rsplit("::").next().unwrap_or(test);
                    self.different.push((test.to_owned(), reason.to_owned()));
                }
            }
        }
    }
}

impl Matrix {
    pub fn add(&mut self, variant: Variant, target: Target, counts: Counts) {
        self.rows.entry(target).or_default().push((variant, counts));
    }

    pub fn has_failures(&self) -> bool {
        self.rows.values().flatten().any(|(_, counts)| counts.failed > 0)
    }

    fn cell(&self, variant: Variant, target: Target) -> String {
        if let Some(reason) = variant.cannot(target) {
            return format!("cannot: {reason}");
        }
        let row = self.rows.get(&target).into_iter().flatten();
        let Some((_, counts)) = row.into_iter().find(|(of, _)| *of == variant) else {
            return "not run".to_owned();
        };
        let mut parts = vec![format!("{} passed", counts.passed)];
        if counts.failed > 0 {
            parts.push(format!("**{} failed**", counts.failed));
        }
        let different = counts.different.len() + counts.left_out as usize;
        if different > 0 {
            parts.push(format!("{different} {}", if different == 1 { "differs" } else { "differ" }));
        }
        parts.join(", ")
    }
}

/// A table in Markdown, then why tests differ.
impl fmt::Display for Matrix {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = Variant::ALL.iter().map(|variant| variant.name()).collect();
        writeln!(formatter, "| tests | {} |", names.join(" | "))?;
        writeln!(formatter, "|{}", " --- |".repeat(names.len() + 1))?;
        for target in self.rows.keys() {
            let cells: Vec<_> = Variant::ALL.iter().map(|variant| self.cell(*variant, *target)).collect();
            writeln!(formatter, "| `{}` | {} |", target.name(), cells.join(" | "))?;
        }
        writeln!(formatter)?;
        for (target, row) in &self.rows {
            for (variant, Counts { different, .. }) in row {
                for (test, reason) in different {
                    writeln!(formatter, "- {}, `{}`, `{test}`: {reason}", variant.name(), target.name())?;
                }
            }
        }
        for variant in Variant::ALL {
            for (test, reason) in variant.different() {
                writeln!(formatter, "- {}, `{test}`: {reason}", variant.name())?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_tests_print_is_counted() {
        let mut counts = Counts::default();
        for line in [
            "running 4 tests",
            "test a::b ... ok",
            "test a::c ... FAILED",
            "test a::d ... ignored, MiniStack takes parts of any size",
            "test result: FAILED. 1 passed; 1 failed; 1 ignored; 0 measured; 2 filtered out; finished in 0.1s",
        ] {
            counts.add_line(line);
        }
        let different = vec![("d".to_owned(), "MiniStack takes parts of any size".to_owned())];
        assert_eq!(counts, Counts { passed: 1, failed: 1, different, left_out: 2 });

        let mut matrix = Matrix::default();
        matrix.add(Variant::Ministack, Target::Test("worker"), counts);
        let table = matrix.to_string();
        assert!(table.contains("| `worker` | 1 passed, **1 failed**, 3 differ | not run |"), "{table}");
        assert!(table.contains("cannot: the worker runs inside the test |"), "{table}");
        assert!(matrix.has_failures());
    }
}
