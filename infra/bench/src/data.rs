//! The data of an export: pages as DynamoDB answers them, rendered before anything is measured, and the file that must
//! come out.
//!
//! It has its own generator of runs instead of the one of the sample data (`infra/seed`): the runs of one partition are
//! generated alone, in the order of their sort keys, so that a page can be rendered without a table, and ten million
//! rows take seconds. The sample data has no order, few rows in a partition, and special cases that would be measured
//! along. Keys and the items of the directory are those of `seed::records`.

pub mod directory;
pub mod expected;
pub mod pages;
mod runs;

use anyhow::Result;
use bytes::Bytes;
use chrono::{DateTime, Months, NaiveDate, Utc};
use usage_export::usage::{Month, partition_key};

use self::directory::{Directory, WORKSPACES};
use self::pages::{Partitions, Projection};

/// The most runs of a workspace in a month, which make about five pages.
const MAX_PARTITION_ROWS: usize = 25_000;

/// The data of one export.
pub struct Data {
    /// Rows of the export.
    pub rows: usize,
    /// Its months, such as `2025-01`.
    pub months: Vec<String>,
    /// The file that must come out.
    pub csv: Bytes,
    /// For each partition of the export, how many partitions there are that no export asks for. Their pages share
    /// memory with those of the export.
    pub foreign: usize,
    partitions: Vec<PartitionShape>,
}

/// How many rows one workspace has in one month.
struct PartitionShape {
    /// Index of the workspace in the directory.
    workspace: usize,
    /// The instant at which the month begins.
    month: DateTime<Utc>,
    rows: usize,
}

impl Data {
    /// Generates `rows` rows. The same number gives the same data.
    ///
    /// # Errors
    ///
    /// Fails if the file cannot be written to memory.
    pub fn generate(rows: usize, directory: &Directory) -> Result<Self> {
        let count = rows.div_ceil(WORKSPACES * MAX_PARTITION_ROWS).max(1);
        let first = NaiveDate::from_ymd_opt(2015, 1, 1).expect("a day").and_hms_opt(0, 0, 0);
        let first = first.expect("midnight").and_utc();
        let months: Vec<_> =
            (0..count).map(|index| first + Months::new(u32::try_from(index).unwrap_or(0))).collect();
        let partitions = partition_shapes(rows, &months);
        let mut csv = expected::writer()?;
        for shape in &partitions {
            for run in shape.runs(directory) {
                csv.write_record(
                    expected::row(directory, shape.workspace, &run).iter().map(AsRef::<str>::as_ref),
                )?;
            }
        }
        let csv = Bytes::from(csv.into_inner()?);
        let months = months.iter().map(|month| Month::of(*month).to_string()).collect();
        Ok(Self { rows, months, csv, foreign: 0, partitions })
    }

    /// Renders the pages of the whole table, with these attributes only.
    pub fn render(&self, projection: &Projection, directory: &Directory) -> Partitions {
        let mut rendered = Partitions::new();
        for shape in &self.partitions {
            let workspace_id = &directory.workspaces[shape.workspace].id;
            let key = partition_key(workspace_id, Month::of(shape.month));
            let pages = pages::render(&key, shape.runs(directory), projection);
            for copy in 0..self.foreign {
                rendered.insert(format!("foreign_{copy}_{key}"), pages.clone());
            }
            rendered.insert(key, pages);
        }
        rendered
    }

    /// The first and the last instant of the export, in the text form of the tables.
    pub fn interval(&self) -> (String, String) {
        let (first, last) = (&self.months[0], &self.months[self.months.len() - 1]);
        // Runs start in the first 28 days of a month.
        (format!("{first}-01T00:00:00.000Z"), format!("{last}-28T23:59:59.999Z"))
    }
}

/// Spreads the rows evenly over the partitions. Where they do not divide, the first partitions have one more.
fn partition_shapes(rows: usize, months: &[DateTime<Utc>]) -> Vec<PartitionShape> {
    let count = WORKSPACES * months.len();
    let keys = (0..WORKSPACES).flat_map(|workspace| months.iter().map(move |month| (workspace, *month)));
    keys.enumerate()
        .map(|(index, (workspace, month))| PartitionShape {
            workspace,
            month,
            rows: rows / count + usize::from(index < rows % count),
        })
        .collect()
}

impl PartitionShape {
    fn runs(&self, directory: &Directory) -> impl Iterator<Item = runs::Run> {
        runs::of_partition(self.workspace, self.month, self.rows, directory)
    }
}
