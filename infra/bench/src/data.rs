//! The data of a run: pages as DynamoDB answers them, rendered before anything is measured, and the file that has to
//! come out.

use std::collections::HashMap;
use std::fmt::Write as _;

use anyhow::Result;
use bytes::Bytes;
use chrono::{DateTime, Months, NaiveDate, SecondsFormat, TimeDelta, Utc};
use fastrand::Rng;

use crate::directory::{Directory, any_workbook, csv_writer};

/// Workspaces of the export.
pub const WORKSPACES: usize = 10;
/// The most runs of a workspace in a month: some five pages.
const ROWS_IN_BUCKET: usize = 25_000;
/// `Query` ends a page with the item that goes beyond 1 MB, counted in names and values, not as JSON.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Query.Pagination.html>
const PAGE_BYTES: usize = 1024 * 1024;
/// Attributes of an item, in the order in which they are rendered before a bucket rotates them.
const ATTRIBUTES: [&str; 6] = ["credit_cost", "SK", "finished_ts", "PK", "workbook_id", "user_id"];

/// The attributes that a `ProjectionExpression` leaves; all if it is empty.
pub type Projection = Vec<String>;

/// Pages by partition key.
pub type Buckets = HashMap<String, Vec<Page>>;

/// An answer of `Query`.
#[derive(Clone)]
pub struct Page {
    /// As it goes over the wire.
    pub body: Bytes,
    /// Of `body`.
    pub crc32: u32,
    /// Sort key of its last item.
    pub last: String,
}

/// All that a run needs.
pub struct Data {
    /// Rows of the export.
    pub rows: usize,
    /// Its months, such as `2025-01`.
    pub months: Vec<String>,
    /// The file.
    pub csv: Bytes,
    /// Buckets that nobody asks for, for each one of the export. Their pages share memory with those.
    pub foreign: usize,
    /// Workspace, first day of the month and number of rows of each bucket.
    shape: Vec<(usize, NaiveDate, usize)>,
}

impl Data {
    /// Makes `rows` rows. The same number gives the same data.
    pub fn make(rows: usize, directory: &Directory) -> Result<Self> {
        let months = rows.div_ceil(WORKSPACES * ROWS_IN_BUCKET).max(1);
        let first = NaiveDate::from_ymd_opt(2015, 1, 1).expect("a day");
        let days: Vec<_> =
            (0..months).map(|index| first + Months::new(u32::try_from(index).unwrap_or(0))).collect();
        let buckets = WORKSPACES * months;
        let mut shape = Vec::new();
        for workspace in 0..WORKSPACES {
            for (month, day) in days.iter().enumerate() {
                let index = workspace * months + month;
                // Every row in some bucket: the first ones have one more where it does not divide.
                shape.push((workspace, *day, rows / buckets + usize::from(index < rows % buckets)));
            }
        }
        let mut csv = csv_writer()?;
        for (workspace, day, rows) in &shape {
            for run in bucket(*workspace, *day, *rows, directory) {
                csv.write_record(directory.row(*workspace, &run).iter().map(AsRef::<str>::as_ref))?;
            }
        }
        let csv = Bytes::from(csv.into_inner()?);
        let months = days.iter().map(|day| day.format("%Y-%m").to_string()).collect();
        Ok(Self { rows, months, csv, foreign: 0, shape })
    }

    /// The table: its pages with these attributes only.
    pub fn render(&self, projection: &Projection, directory: &Directory) -> Buckets {
        let mut buckets = Buckets::new();
        for (workspace, day, rows) in &self.shape {
            let key = partition_key(&directory.workspaces[*workspace].id, *day);
            let pages = pages(&key, bucket(*workspace, *day, *rows, directory), projection);
            for copy in 0..self.foreign {
                buckets.insert(format!("foreign_{copy}_{key}"), pages.clone());
            }
            buckets.insert(key, pages);
        }
        buckets
    }

    /// The first and the last instant of the export.
    pub fn interval(&self) -> (String, String) {
        let (first, last) = (&self.months[0], &self.months[self.months.len() - 1]);
        // Runs start in the first 28 days of a month.
        (format!("{first}-01T00:00:00.000Z"), format!("{last}-28T23:59:59.999Z"))
    }
}

fn partition_key(workspace_id: &str, day: NaiveDate) -> String {
    format!("{workspace_id}#{}", day.format("%Y-%m"))
}

/// One run.
pub struct Run {
    /// When it started.
    pub start: String,
    /// Its id.
    pub id: String,
    /// Place of its workbook in the directory.
    pub workbook: usize,
    /// Place of its user in the directory.
    pub user: usize,
    /// Exact; absent now and then.
    pub credit_cost: Option<String>,
    /// Absent now and then.
    pub finished_ts: Option<String>,
    workbook_id: String,
    user_id: String,
}

/// The runs of a workspace in a month, in order.
fn bucket(
    workspace: usize,
    month: NaiveDate,
    rows: usize,
    directory: &Directory,
) -> impl Iterator<Item = Run> {
    let seed = u64::try_from(workspace).unwrap_or(0) << 32
        | u64::from(month.format("%Y%m").to_string().parse::<u32>().unwrap_or(0));
    let mut rng = Rng::with_seed(seed);
    let begin = month.and_hms_opt(0, 0, 0).expect("midnight").and_utc();
    let step = TimeDelta::days(28).num_milliseconds() / i64::try_from(rows.max(1)).unwrap_or(i64::MAX);
    (0..rows).map(move |index| {
        let at = begin
            + TimeDelta::milliseconds(step * i64::try_from(index).unwrap_or(0) + rng.i64(0..step.max(1)));
        let took = TimeDelta::milliseconds(rng.i64(40..900_000));
        let workbook = any_workbook(workspace, &mut rng);
        let user = rng.usize(..directory.users.len());
        Run {
            start: text(at),
            id: format!("run_{}", (0..22).map(|_| rng.alphanumeric()).collect::<String>()),
            workbook,
            user,
            credit_cost: (rng.u8(..100) > 0).then(|| format!("{}.{:04}", rng.u32(..40), rng.u32(1..10_000))),
            finished_ts: (rng.u8(..100) > 0).then(|| text(at + took)),
            workbook_id: directory.workbooks[workbook].id.clone(),
            user_id: directory.users[user].id.clone(),
        }
    })
}

fn text(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// The pages of a bucket.
fn pages(key: &str, runs: impl Iterator<Item = Run>, projection: &Projection) -> Vec<Page> {
    let mut pages = Vec::new();
    let mut runs = runs.peekable();
    let mut attributes = ATTRIBUTES.to_vec();
    // The order of an item's members means nothing.
    attributes.rotate_left(key.bytes().map(usize::from).sum::<usize>() % ATTRIBUTES.len());
    while runs.peek().is_some() {
        let (mut items, mut count, mut size, mut last) = (String::new(), 0, 0, String::new());
        while size <= PAGE_BYTES {
            let Some(run) = runs.next() else { break };
            last = format!("{}#{}", run.start, run.id);
            let values = attributes.iter().filter_map(|name| Some((*name, run.attribute(name, key)?)));
            let values: Vec<_> = values.collect();
            size += values.iter().map(|(name, (_, value))| name.len() + value.len()).sum::<usize>();
            items.push_str(if count > 0 { ",{" } else { "{" });
            let kept = values
                .iter()
                .filter(|(name, _)| projection.is_empty() || projection.iter().any(|p| p == name));
            for (index, (name, (kind, value))) in kept.enumerate() {
                let comma = if index > 0 { "," } else { "" };
                let _ = write!(items, "{comma}\"{name}\":{{\"{kind}\":\"{value}\"}}");
            }
            items.push('}');
            count += 1;
        }
        let next = if runs.peek().is_some() {
            format!(",\"LastEvaluatedKey\":{{\"PK\":{{\"S\":\"{key}\"}},\"SK\":{{\"S\":\"{last}\"}}}}")
        } else {
            String::new()
        };
        let body = format!("{{\"Items\":[{items}],\"Count\":{count},\"ScannedCount\":{count}{next}}}");
        pages.push(Page { crc32: crc32fast::hash(body.as_bytes()), body: body.into(), last });
    }
    pages
}

impl Run {
    /// Type and value of an attribute. Nothing in them needs an escape.
    fn attribute(&self, name: &str, key: &str) -> Option<(&'static str, String)> {
        Some(match name {
            "PK" => ("S", key.to_owned()),
            "SK" => ("S", format!("{}#{}", self.start, self.id)),
            "workbook_id" => ("S", self.workbook_id.clone()),
            "user_id" => ("S", self.user_id.clone()),
            "credit_cost" => ("N", self.credit_cost.clone()?),
            _ => ("S", self.finished_ts.clone()?),
        })
    }
}
