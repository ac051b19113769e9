//! From how many rows on there is no file.

use std::fmt::Write as _;

use super::format::{grouped, tenths};
use super::{WORKERS, export};
use crate::commands::capacity::aws::MAX_PARTS;
use crate::commands::capacity::inputs::Inputs;
use crate::commands::capacity::parts::LARGEST_UNSPLIT;
use crate::commands::capacity::shape::Shape;

/// From where on an export fails.
pub fn failures(inputs: &[Inputs]) -> String {
    let mut text = format!(
        "\n## When an export is too large\n\nS3 takes {} parts of a file.\n\n\
         | rows of | workers | most rows | file, TB | hours | a million rows more: |\n\
         | --- | --: | --: | --: | --: | --- |\n",
        grouped(MAX_PARTS)
    );
    for one in inputs {
        for workers in WORKERS {
            let rows = most_rows(one, workers);
            let (work, times) = export(one, rows, workers);
            let failing = export(one, rows + 1_000_000, workers).1;
            let _ = writeln!(
                text,
                "| {} | {workers} | {} | {} | {} | {} |",
                one.shape.name(),
                grouped(rows),
                tenths(work.file, 1_000_000_000_000),
                tenths(times.total_ms, 3_600_000),
                failing.failure().unwrap_or_default(),
            );
        }
    }
    if let Some(one) = inputs.iter().find(|one| one.shape == Shape::OnePartition) {
        let _ = write!(
            text,
            "\nA partition that is never split ends at {} GB, {} rows: 4,000 parts of 8 MiB and 6,000 of 32 MiB.",
            grouped(LARGEST_UNSPLIT / 1_000_000_000),
            grouped(LARGEST_UNSPLIT * 1_000_000 / one.file),
        );
    }
    text.push('\n');
    text += include_str!("../failures.md");
    text
}

/// The most rows that do not fail, to a million. Parts and times grow with the rows, but for small steps.
fn most_rows(inputs: &Inputs, workers: u128) -> u128 {
    let fits = |millions: u128| export(inputs, millions * 1_000_000, workers).1.failure().is_none();
    let (mut fitting, mut failing) = (1_u128, 1_000_000_u128);
    while failing - fitting > 1 {
        let middle = fitting.midpoint(failing);
        if fits(middle) { fitting = middle } else { failing = middle }
    }
    fitting * 1_000_000
}
