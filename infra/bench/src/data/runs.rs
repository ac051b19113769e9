//! Generates the runs of a partition.

use chrono::{DateTime, TimeDelta, Utc};
use fastrand::Rng;
use usage_export::timestamp;

use super::directory::{Directory, any_workbook};

/// One run. Instants are in the text form of the tables.
pub struct Run {
    /// When it started.
    pub start: String,
    /// Its id.
    pub id: String,
    /// Index of its workbook in the directory.
    pub workbook: usize,
    /// Index of its user in the directory.
    pub user: usize,
    /// An exact decimal. One run in a hundred has none.
    pub credit_cost: Option<String>,
    /// When it finished. One run in a hundred has not.
    pub finished_ts: Option<String>,
    /// Id of its workbook.
    pub workbook_id: String,
    /// Id of its user.
    pub user_id: String,
}

/// The runs of a workspace in the month that begins at this instant, in the order of their starts.
pub fn of_partition(
    workspace: usize,
    month: DateTime<Utc>,
    rows: usize,
    directory: &Directory,
) -> impl Iterator<Item = Run> {
    let seed = u64::try_from(workspace).unwrap_or(0) << 32
        | u64::from(month.format("%Y%m").to_string().parse::<u32>().unwrap_or(0));
    let mut rng = Rng::with_seed(seed);
    let step = TimeDelta::days(28).num_milliseconds() / i64::try_from(rows.max(1)).unwrap_or(i64::MAX);
    (0..rows).map(move |index| {
        let start = month
            + TimeDelta::milliseconds(step * i64::try_from(index).unwrap_or(0) + rng.i64(0..step.max(1)));
        let duration = TimeDelta::milliseconds(rng.i64(40..900_000));
        let workbook = any_workbook(workspace, &mut rng);
        let user = rng.usize(..directory.users.len());
        Run {
            start: timestamp::to_text(start),
            id: format!("run_{}", (0..22).map(|_| rng.alphanumeric()).collect::<String>()),
            workbook,
            user,
            credit_cost: (rng.u8(..100) > 0).then(|| format!("{}.{:04}", rng.u32(..40), rng.u32(1..10_000))),
            finished_ts: (rng.u8(..100) > 0).then(|| timestamp::to_text(start + duration)),
            workbook_id: directory.workbooks[workbook].id.clone(),
            user_id: directory.users[user].id.clone(),
        }
    })
}
