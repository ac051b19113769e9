//! How many rows and bytes a file will have.

use std::ops::Range;

use chrono::{DateTime, TimeDelta, Utc};
use query_csv::write_header;
use usage_export::error::AwsError;
use usage_export::export::interval::Interval;
use usage_export::usage::{Field, LAST_SORT_KEY};

use crate::names::Names;
use crate::page::ReadError;
use crate::partition::{Partition, start_of};
use crate::plan::Plan;
use crate::preview::cells::{ROWS, cells};
use crate::preview::survey::{Answer, Found, survey};
use crate::preview::visit::{Counts, MAX_RECORDS};
use crate::query::UsageRecords;

/// How many rows the average length is taken of, or a few more. Each may need names that have to be looked up.
const MEASURED_ROWS: u64 = 500;

/// How large a file will be. `preview/survey.rs` says how it is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Estimate {
    /// Rows, without the header.
    pub rows: u64,
    /// Size of the file in bytes, with the header: the rows times their average length in the sample.
    pub bytes: u64,
    /// Whether there are exactly so many rows: all of them were read. The size is exact too if there are at most 500.
    pub is_exact: bool,
    /// Whether it is a guess: there are more workspaces than were looked at. Nine in ten such estimates are within a factor of 5,
    /// others usually within a factor of 2; `docs/adr/0024-an-estimate-is-a-bounded-sample.md` has what was measured.
    pub is_rough: bool,
}

/// An estimate, and rows from anywhere in the file.
pub(super) async fn estimate(
    records: &UsageRecords,
    names: &Names,
    plan: &Plan,
    fields: &[Field],
    now: DateTime<Utc>,
    seed: u64,
) -> Result<(Estimate, Vec<Vec<String>>), ReadError> {
    let ask = |partition: Partition, time: Range<i64>| async move {
        let interval = interval_of(&time).ok_or_else(|| AwsError::unexpected("a survey", "no interval"))?;
        let limit = i32::try_from(MAX_RECORDS).unwrap_or(i32::MAX);
        let page = records.peek(partition, interval, &names.selection, limit).await?;
        let counts = Counts { read: page.read, rows: page.rows.counts.written };
        let ended = start_of(&page.up_to).map(|start| (start.timestamp_millis(), page.up_to.clone()));
        if ended.is_none() && page.up_to != LAST_SORT_KEY {
            return Err(
                AwsError::unexpected("page of usage records", "its last key begins with no time").into()
            );
        }
        Ok(Answer { counts, ended, page: page.rows })
    };
    let Found { rows, is_exact, is_rough, pages } = survey(plan, now, seed, ask).await?;
    let (mut examples, mut measured, mut measured_bytes) = (Vec::new(), 0, 0);
    for page in pages {
        if measured >= MEASURED_ROWS {
            break;
        }
        measured += page.counts.written;
        let csv = names.complete(vec![page]).await?.concat();
        measured_bytes += csv.len() as u64;
        examples.extend(cells(&csv, ROWS - examples.len())?);
    }
    let header = write_header(fields.iter().map(|field| field.id())).len() as u64;
    let bytes = u128::from(rows) * u128::from(measured_bytes) / u128::from(measured.max(1));
    let bytes = u64::try_from(bytes).unwrap_or(u64::MAX).saturating_add(header);
    Ok((Estimate { rows, bytes, is_exact, is_rough }, examples))
}

fn interval_of(time: &Range<i64>) -> Option<Interval> {
    let start = DateTime::from_timestamp_millis(time.start)?;
    let end = DateTime::from_timestamp_millis(time.end)? - TimeDelta::milliseconds(1);
    Interval::new(start, end.max(start)).ok()
}
