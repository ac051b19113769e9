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
mod zipf;

use std::collections::BTreeSet;
use std::sync::Arc;

use anyhow::Result;
use bytes::Bytes;
use chrono::{DateTime, Months, NaiveDate, Utc};
use usage_export::usage::{Month, partition_key};

use self::directory::Directory;
use self::pages::{Partition, Partitions, Projection};

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
    /// Generates `rows` rows, spread evenly over all workspaces and as many months as they need. The same number gives the
    /// same data.
    ///
    /// # Errors
    ///
    /// Fails if the file cannot be written to memory.
    pub fn generate(rows: usize, directory: &Directory) -> Result<Self> {
        let workspaces = directory.workspaces.len();
        let months = months(rows.div_ceil(workspaces * MAX_PARTITION_ROWS).max(1));
        Self::of(&months, partition_shapes(rows, workspaces, &months), directory)
    }

    /// Generates `rows` rows in one partition.
    ///
    /// # Errors
    ///
    /// As for [`Self::generate`].
    pub fn in_one_partition(rows: usize, directory: &Directory) -> Result<Self> {
        let months = months(1);
        Self::of(&months, vec![PartitionShape { workspace: 0, month: months[0], rows }], directory)
    }

    /// Generates `rows` rows in all workspaces and twelve months. Workspaces have different sizes, by Zipf's law; the
    /// months of each are equal.
    ///
    /// # Errors
    ///
    /// As for [`Self::generate`].
    pub fn in_unequal_workspaces(rows: usize, directory: &Directory) -> Result<Self> {
        let months = months(12);
        let sizes = zipf::shuffled_sizes(rows, directory.workspaces.len());
        let shapes = sizes.iter().enumerate().flat_map(|(workspace, rows)| {
            months.iter().zip(shares(*rows, months.len())).map(move |(month, rows)| PartitionShape {
                workspace,
                month: *month,
                rows,
            })
        });
        Self::of(&months, shapes.collect(), directory)
    }

    fn of(months: &[DateTime<Utc>], partitions: Vec<PartitionShape>, directory: &Directory) -> Result<Self> {
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
        let rows = partitions.iter().map(|shape| shape.rows).sum();
        Ok(Self { rows, months, csv, foreign: 0, partitions })
    }

    /// Indexes of the workspaces that have rows.
    pub fn workspaces(&self) -> BTreeSet<usize> {
        self.partitions.iter().map(|shape| shape.workspace).collect()
    }

    /// Renders the whole table, with these attributes only.
    pub fn render(&self, projection: &Projection, directory: &Directory) -> Partitions {
        let mut rendered = Partitions::new();
        for shape in &self.partitions {
            let workspace_id = &directory.workspaces[shape.workspace].id;
            let key = partition_key(workspace_id, Month::of(shape.month));
            let partition = Arc::new(Partition::render(&key, shape.runs(directory), projection));
            for copy in 0..self.foreign {
                rendered.insert(format!("foreign_{copy}_{key}"), Arc::clone(&partition));
            }
            rendered.insert(key, partition);
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

/// The first instants of so many months.
fn months(count: usize) -> Vec<DateTime<Utc>> {
    let first = NaiveDate::from_ymd_opt(2015, 1, 1).expect("a day").and_hms_opt(0, 0, 0);
    let first = first.expect("midnight").and_utc();
    (0..count).map(|index| first + Months::new(u32::try_from(index).unwrap_or(0))).collect()
}

/// Spreads rows evenly. Where they do not divide, the first shares have one more.
fn shares(rows: usize, count: usize) -> impl Iterator<Item = usize> {
    (0..count).map(move |index| rows / count + usize::from(index < rows % count))
}

/// Spreads the rows evenly over the partitions.
fn partition_shapes(rows: usize, workspaces: usize, months: &[DateTime<Utc>]) -> Vec<PartitionShape> {
    let keys = (0..workspaces).flat_map(|workspace| months.iter().map(move |month| (workspace, *month)));
    let shares = shares(rows, workspaces * months.len());
    keys.zip(shares).map(|((workspace, month), rows)| PartitionShape { workspace, month, rows }).collect()
}

impl PartitionShape {
    fn runs(&self, directory: &Directory) -> impl Iterator<Item = runs::Run> {
        runs::of_partition(self.workspace, self.month, self.rows, directory)
    }
}
