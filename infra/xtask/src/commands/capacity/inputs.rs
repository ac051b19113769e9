//! The measured figures, from docs/performance.md; only the sizes of the files are in docs/capacity.json, because the tables do
//! not have them. `cargo xtask bench` writes the one, and this command takes the other from `target/bench/table.json`.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};

use super::aws::{NETWORK_BYTES, PARTITION_UNITS, TABLE_UNITS};
use super::shape::Shape;
use super::tables::{Row, hundredths, rows_of_tables};
use crate::paths;

/// The worker that is measured.
const PRODUCT: &str = "export_worker";

/// Fewer rows than these say little about a row.
const MIN_ROWS: u64 = 1_000_000;

/// One million.
pub const MILLION: u128 = 1_000_000;

/// What was measured of exports of one shape.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inputs {
    /// The shape of the data.
    pub shape: Shape,
    /// Rows of the measured exports.
    pub rows: u128,
    /// CPU of a row over HTTP, in nanoseconds: the most of any number of workers.
    pub http_cpu_ns: u128,
    /// What TLS adds to it.
    pub tls_cpu_ns: u128,
    /// Read units of a million rows.
    pub units: u128,
    /// Bytes that DynamoDB sends for a million rows.
    pub received: u128,
    /// Bytes of the file of a million rows.
    pub file: u128,
    /// Rows of a full page.
    pub rows_per_page: u128,
    /// Workers, and how many milliseconds the export took with them.
    pub measured_ms: Vec<(u128, u128)>,
}

/// The size of one measured file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct FileSize {
    /// Which rows were exported.
    data: String,
    /// How many.
    rows: u64,
    /// Bytes of the file.
    bytes: u64,
}

/// An export in `target/bench/table.json`.
#[derive(Deserialize)]
struct Measured {
    worker: String,
    #[serde(flatten)]
    size: FileSize,
}

#[derive(Deserialize)]
struct Findings {
    exports: Vec<Measured>,
}

/// Takes the sizes of the files from `target/bench/table.json` into docs/capacity.json, if the benchmark has left any of exports that are
/// large enough.
///
/// # Errors
///
/// Fails if a file cannot be read or written.
pub fn update_file_sizes() -> Result<()> {
    let Ok(json) = fs::read(paths::target_dir().join("bench/table.json")) else { return Ok(()) };
    let sizes = file_sizes(&json).context("target/bench/table.json")?;
    if Shape::ALL.iter().any(|shape| sizes.iter().all(|size| size.data != shape.name())) {
        return Ok(());
    }
    let json = serde_json::to_string_pretty(&sizes)? + "\n";
    Ok(fs::write(docs().join("capacity.json"), json)?)
}

/// The sizes of the product's files in `target/bench/table.json`, one for each shape.
fn file_sizes(json: &[u8]) -> Result<Vec<FileSize>> {
    let findings: Findings = serde_json::from_slice(json)?;
    let mut sizes: Vec<FileSize> = Vec::new();
    for Measured { worker, size } in findings.exports {
        let is_new = sizes.iter().all(|other| other.data != size.data);
        if worker == PRODUCT && size.rows >= MIN_ROWS && is_new {
            sizes.push(size);
        }
    }
    Ok(sizes)
}

/// Reads what was measured.
///
/// # Errors
///
/// Fails if docs/performance.md lacks a figure.
pub fn read() -> Result<Vec<Inputs>> {
    let text = fs::read_to_string(docs().join("performance.md")).context("docs/performance.md")?;
    let sizes = fs::read(docs().join("capacity.json")).context("docs/capacity.json")?;
    let sizes: Vec<FileSize> = serde_json::from_slice(&sizes).context("docs/capacity.json")?;
    parse(&text, &sizes).context("docs/performance.md")
}

/// The folder of the documents.
pub fn docs() -> std::path::PathBuf {
    Path::new(paths::root()).join("docs")
}

fn parse(text: &str, sizes: &[FileSize]) -> Result<Vec<Inputs>> {
    let rows: Vec<_> = rows_of_tables(text).filter(|row| row.cell("worker") == Some(PRODUCT)).collect();
    let cpu_of_a_million = |transport: &str| {
        let mut found = rows.iter().filter(|row| row.cell("transport") == Some(transport));
        let row = found.find(|row| row.cell("rows") == Some("1000000"));
        let row = row.with_context(|| format!("no export of a million rows over {transport}"))?;
        row.number("CPU ns per row")
    };
    let tls_cpu_ns = cpu_of_a_million("tls")?.saturating_sub(cpu_of_a_million("http")?);
    // The rows of a page are those of one partition: elsewhere many a page is the last one of its partition.
    let one = &of_shape(&rows, Shape::OnePartition)?[0];
    let rows_per_page = one.number("rows")? / (one.number("queries")? - one.number("refused")?).max(1);
    let inputs = Shape::ALL.into_iter().map(|shape| {
        let size = sizes.iter().find(|size| size.data == shape.name());
        let size = size.with_context(|| format!("docs/capacity.json has no file of {}", shape.name()))?;
        inputs_of(shape, &of_shape(&rows, shape)?, size, tls_cpu_ns, rows_per_page)
    });
    inputs.collect()
}

fn of_shape<'a>(rows: &[Row<'a>], shape: Shape) -> Result<Vec<Row<'a>>> {
    let found: Vec<_> =
        rows.iter().filter(|row| row.cell("rows of") == Some(shape.name())).cloned().collect();
    ensure!(
        found.first().is_some_and(|row| row.cell("workers") == Some("1")),
        "no export by one worker: {}",
        shape.name()
    );
    Ok(found)
}

fn inputs_of(
    shape: Shape,
    measured: &[Row<'_>],
    size: &FileSize,
    tls_cpu_ns: u128,
    rows_per_page: u128,
) -> Result<Inputs> {
    let by_one_worker = &measured[0];
    let rows = by_one_worker.number("rows")?;
    // The limit of the table is that of all units or that of the largest partition, whichever is longer.
    let units_per_second = TABLE_UNITS.min(PARTITION_UNITS * rows / shape.largest_partition(rows));
    let (mut http_cpu_ns, mut measured_ms) = (0, Vec::new());
    for row in measured {
        http_cpu_ns = http_cpu_ns.max(row.number("CPU ns per row")?);
        measured_ms.push((row.number("workers")?, hundredths(row.text("wall s")?)? * 10));
    }
    Ok(Inputs {
        shape,
        rows,
        http_cpu_ns,
        tls_cpu_ns,
        units: hundredths(by_one_worker.text("limit s")?)? * units_per_second * MILLION / (100 * rows),
        received: hundredths(by_one_worker.text("network s")?)? * NETWORK_BYTES * MILLION / (100 * rows),
        file: u128::from(size.bytes) * MILLION / u128::from(size.rows),
        rows_per_page,
        measured_ms,
    })
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    const TABLES: &str = "\
        | worker | transport | rows | CPU ns per row |\n\
        | --- | --- | --: | --: |\n\
        | export_worker | http | 1000000 | 263 |\n\
        | export_worker | tls | 1000000 | 310 |\n\
        | naive | http | 1000000 | 2802 |\n\
        \n\
        | rows of | worker | workers | rows | wall s | limit s | network s | CPU ns per row | queries | refused |\n\
        | --- | --- | --: | --: | --: | --: | --: | --: | --: | --: |\n\
        | one partition | export_worker | 1 | 1000000 | 17.17 | 16.48 | 3.11 | 378 | 217 | 23 |\n\
        | one partition | export_worker | 2 | 1000000 | 18.03 | 16.48 | 1.55 | 417 | 220 | 26 |\n\
        | 50 workspaces, 12 months | export_worker | 1 | 10000000 | 67.23 | 12.37 | 31.06 | 355 | 2200 | 28 |\n";

    /// Inputs of each shape that do not change.
    pub fn inputs() -> Vec<Inputs> {
        let size = |shape: Shape| FileSize { data: shape.name().to_owned(), rows: 10, bytes: 2_600 };
        parse(TABLES, &Shape::ALL.map(size)).unwrap()
    }

    #[test]
    fn figures_come_from_the_tables() {
        let [one, many] = inputs().try_into().unwrap();
        assert_eq!((one.rows, one.http_cpu_ns, one.tls_cpu_ns), (1_000_000, 417, 47));
        // 16.48 s of 3,000 units; 3.11 s of 75 MB; 194 pages.
        assert_eq!((one.units, one.received, one.rows_per_page), (49_440, 233_250_000, 5_154));
        assert_eq!(one.measured_ms, [(1, 17_170), (2, 18_030)]);
        // 12.37 s of 40,000 units for ten millions.
        assert_eq!((many.units, many.received, many.file), (49_480, 232_950_000, 260_000_000));
    }

    #[test]
    fn sizes_come_from_large_exports_of_the_product() {
        let export = |worker: &str, rows: u64| {
            format!(
                r#"{{"data": "one partition", "worker": "{worker}", "wall_s": 1.5, "rows": {rows}, "bytes": 7}}"#
            )
        };
        let exports = [export("naive", MIN_ROWS), export(PRODUCT, 50_000), export(PRODUCT, MIN_ROWS)];
        let json = format!(r#"{{"exports": [{}]}}"#, exports.join(","));
        let size = FileSize { data: "one partition".to_owned(), rows: MIN_ROWS, bytes: 7 };
        assert_eq!(file_sizes(json.as_bytes()).unwrap(), [size]);
    }

    #[test]
    fn a_figure_that_is_missing_is_named() {
        let error = parse(&TABLES.replace("| tls", "| none"), &[]).unwrap_err();
        assert!(error.to_string().contains("over tls"), "{error}");
    }
}
