//! `cargo xtask bench --ablate`: what each technique of `crates/query_csv` saves, by switching it off.
//!
//! Every variant is the example `read_pages`, built with one feature of the crate. The variants run in turns, so that a
//! slow moment of the machine meets all of them, and the best of their runs count.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use crate::{command, paths};

/// How many times each variant runs. A run prints the best of 15 rounds.
const RUNS: usize = 5;
/// A technique that saves less of a row than this is not worth its lines.
const MIN_SAVING_PERCENT: f64 = 5.0;
/// The table in the crate's design note stands between these lines.
const BEGIN: &str = "<!-- ablation -->\n";
const END: &str = "<!-- /ablation -->\n";

/// One technique, and the feature of the crate that switches it off.
struct Technique {
    feature: &'static str,
    name: &'static str,
    /// What the crate does when it is switched off.
    instead: &'static str,
    /// Lines of code, without comments and tests, that would go with it.
    lines: u32,
}

const TECHNIQUES: [Technique; 7] = [
    Technique {
        feature: "ablate_shapes",
        name: "record shapes",
        instead: "every record is read name by name",
        lines: 130,
    },
    Technique {
        feature: "ablate_buffer_pool",
        name: "buffer pool",
        instead: "fresh memory for the rows of each page",
        lines: 31,
    },
    Technique {
        feature: "ablate_simd",
        name: "SIMD: the end of a string, 16 bytes at a time",
        instead: "byte by byte",
        lines: 14,
    },
    Technique {
        feature: "ablate_cell_groups",
        name: "cell groups",
        instead: "every cell is looked up and copied by itself",
        lines: 40,
    },
    Technique {
        feature: "ablate_several_shapes",
        name: "four record shapes",
        instead: "one: every record that lacks an attribute replaces it",
        lines: 6,
    },
    Technique {
        feature: "ablate_cell_arena",
        name: "ids and cells side by side (arena)",
        instead: "std's `HashMap` with boxed ids and cells",
        lines: 41,
    },
    Technique {
        feature: "ablate_integer_sums",
        name: "the column's sum as integers, one for each scale",
        instead: "a `BigInt` for every number",
        lines: 22,
    },
];

/// Measures all variants and prints the table. `docs` also writes it into the crate's design note.
///
/// # Errors
///
/// Fails if a variant does not build or run, or if the design note has no markers around the table.
pub async fn ablate(docs: bool) -> Result<()> {
    let whole = build(None).await?;
    let mut variants = Vec::new();
    for technique in &TECHNIQUES {
        variants.push(build(Some(technique.feature)).await?);
    }
    let (mut with, mut without) = (f64::MAX, [f64::MAX; TECHNIQUES.len()]);
    for _ in 0..RUNS {
        with = with.min(nanos_per_row(&whole).await?);
        for (variant, best) in variants.iter().zip(&mut without) {
            *best = best.min(nanos_per_row(variant).await?);
        }
    }
    let table = table(with, &without);
    println!("{table}");
    if docs {
        write_into(&paths::root().join("crates/query_csv/README.md"), &table)?;
    }
    Ok(())
}

/// Builds a variant and keeps its binary beside those of the others.
async fn build(feature: Option<&str>) -> Result<PathBuf> {
    let mut cargo = command::cargo();
    cargo.args(["build", "--quiet", "--release", "--package", "query_csv", "--example", "read_pages"]);
    if let Some(feature) = feature {
        cargo.args(["--features", feature]);
    }
    command::run(&mut cargo).await?;
    let examples = paths::target_dir().join("release/examples");
    let kept = examples.join(format!("read_pages-{}", feature.unwrap_or("all")));
    std::fs::copy(examples.join("read_pages"), &kept)
        .with_context(|| format!("{} cannot be written", kept.display()))?;
    Ok(kept)
}

async fn nanos_per_row(variant: &Path) -> Result<f64> {
    let output = command::output(&mut command::program(variant)).await?;
    let printed = String::from_utf8(output.stdout)?;
    printed.trim().parse().with_context(|| format!("{} printed {printed:?}", variant.display()))
}

fn table(with: f64, without: &[f64]) -> String {
    let mut table = format!(
        "With everything a row costs {with:.0} ns.\n\n\
         | technique | without it | lines | ns a row without it | saves |\n| --- | --- | ---: | ---: | ---: |\n"
    );
    for (Technique { name, instead, lines, .. }, without) in TECHNIQUES.iter().zip(without) {
        let saves = (without - with) / without * 100.0;
        let verdict = if saves < MIN_SAVING_PERCENT { " (too little: remove it)" } else { "" };
        let _ = writeln!(table, "| {name} | {instead} | {lines} | {without:.0} | {saves:.0}%{verdict} |");
    }
    table
}

fn write_into(note: &Path, table: &str) -> Result<()> {
    let text = std::fs::read_to_string(note).with_context(|| format!("{} cannot be read", note.display()))?;
    let (begin, end) = (text.find(BEGIN), text.find(END));
    let (Some(begin), Some(end)) = (begin.map(|at| at + BEGIN.len()), end) else {
        return Err(anyhow::anyhow!("{} has no markers around the table", note.display()));
    };
    ensure!(begin <= end, "the marker behind the table in {} stands before it", note.display());
    std::fs::write(note, format!("{}\n{table}\n{}", &text[..begin], &text[end..]))
        .with_context(|| format!("{} cannot be written", note.display()))
}
