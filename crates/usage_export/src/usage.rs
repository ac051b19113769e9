//! Usage records: the keys of their table, and the eleven fields that an export can have.
//!
//! A usage record is one run of a workbook. `docs/data.md` describes the table.

use std::str::FromStr;

use chrono::{DateTime, Datelike, NaiveDate, NaiveTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::timestamp;

/// A field of an export: a column of the CSV. [`FIELDS`] has the ids and labels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Field {
    /// Id of the workspace in which the run took place.
    WorkspaceId,
    /// The workspace's last known name.
    WorkspaceName,
    /// Id of the workbook that ran.
    WorkbookId,
    /// The workbook's last known name.
    WorkbookName,
    /// When the workbook was created; empty if that is not known.
    WorkbookCreatedTs,
    /// Id of the user who ran the workbook.
    UserId,
    /// The user's last known email address.
    UserEmail,
    /// Id of the run.
    RunId,
    /// Credits that the run cost, as an exact decimal; empty while none are recorded.
    CreditCost,
    /// When the run started.
    PlRunCreatedTs,
    /// When the run finished; empty while it goes on.
    PlRunFinishedTs,
}

/// A field group: the heading under which the settings page shows a field, and where its values come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// The workspace in which the run took place.
    Workspace,
    /// The workbook that ran.
    Workbook,
    /// The user who ran it.
    User,
    /// The run itself.
    Run,
}

/// What is known of a field: one entry of [`FIELDS`].
#[derive(Debug)]
pub struct FieldInfo {
    /// Which field the entry is about.
    pub field: Field,
    /// The field's id in requests and in the header of the CSV.
    pub id: &'static str,
    /// The field group under which the settings page shows the field.
    pub group: Group,
    /// The field's name on the settings page.
    pub label: &'static str,
}

/// The list of the fields, in the order in which the settings page shows them.
///
/// It is the only list of them in the product; the page, the worker, the sample data and the benchmark use it. The tests'
/// oracle has a list of its own on purpose: it would otherwise agree with a mistake in this one.
///
/// ```
/// use usage_export::usage::FIELDS;
/// let ids: Vec<_> = FIELDS.iter().map(|info| info.id).collect();
/// assert_eq!(ids[..3], ["workspace_id", "workspace_name", "workbook_id"]);
/// ```
pub const FIELDS: [FieldInfo; 11] = [
    info(Field::WorkspaceId, "workspace_id", Group::Workspace, "Workspace ID"),
    info(Field::WorkspaceName, "workspace_name", Group::Workspace, "Workspace name"),
    info(Field::WorkbookId, "workbook_id", Group::Workbook, "Workbook ID"),
    info(Field::WorkbookName, "workbook_name", Group::Workbook, "Workbook name"),
    info(Field::WorkbookCreatedTs, "workbook_created_ts", Group::Workbook, "Workbook created"),
    info(Field::UserId, "user_id", Group::User, "User ID"),
    info(Field::UserEmail, "user_email", Group::User, "User email"),
    info(Field::RunId, "run_id", Group::Run, "Run ID"),
    info(Field::CreditCost, "credit_cost", Group::Run, "Credit cost"),
    info(Field::PlRunCreatedTs, "pl_run_created_ts", Group::Run, "Run started"),
    info(Field::PlRunFinishedTs, "pl_run_finished_ts", Group::Run, "Run finished"),
];

const fn info(field: Field, id: &'static str, group: Group, label: &'static str) -> FieldInfo {
    FieldInfo { field, id, group, label }
}

impl Field {
    /// Finds the field with this id. `None` if there is no such field; ids are in lower case.
    ///
    /// ```
    /// use usage_export::usage::Field;
    /// assert_eq!(Field::from_id("run_id"), Some(Field::RunId));
    /// assert_eq!(Field::from_id("RUN_ID"), None);
    /// ```
    pub fn from_id(id: &str) -> Option<Self> {
        FIELDS.iter().find(|info| info.id == id).map(|info| info.field)
    }

    /// The field group to which the field belongs.
    ///
    /// ```
    /// use usage_export::usage::{Field, Group};
    /// assert_eq!(Field::UserEmail.group(), Group::User);
    /// ```
    pub fn group(self) -> Group {
        FIELDS.iter().find(|info| info.field == self).map_or(Group::Run, |info| info.group)
    }

    /// The field's id in requests and in the header of the CSV.
    ///
    /// ```
    /// use usage_export::usage::Field;
    /// assert_eq!(Field::PlRunCreatedTs.id(), "pl_run_created_ts");
    /// ```
    pub fn id(self) -> &'static str {
        FIELDS.iter().find(|info| info.field == self).map_or("", |info| info.id)
    }
}

/// A UTC month. The records of one workspace and month are a partition. Months are ordered by time. Its text is that of a
/// partition key, also in JSON.
///
/// ```
/// use usage_export::usage::Month;
/// let month: Month = "2025-01".parse()?;
/// assert_eq!(serde_json::to_string(&month)?, r#""2025-01""#);
/// for text in ["2025-1", "2025-13", "2025-00", "25-01", "2025-01-01", "+025-01"] {
///     assert!(text.parse::<Month>().is_err(), "{text}");
/// }
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Month {
    year: i32,
    month: u32,
}

impl Month {
    /// The UTC month of an instant.
    ///
    /// ```
    /// use usage_export::timestamp::from_text;
    /// use usage_export::usage::Month;
    /// let month = Month::of(from_text("2024-12-31T23:59:59.999Z").unwrap());
    /// assert_eq!(month.to_string(), "2024-12");
    /// ```
    pub fn of(instant: DateTime<Utc>) -> Self {
        Self { year: instant.year(), month: instant.month() }
    }

    /// The month after this one.
    ///
    /// ```
    /// use usage_export::timestamp::from_text;
    /// use usage_export::usage::Month;
    /// let month = Month::of(from_text("2024-12-31T23:59:59.999Z").unwrap());
    /// assert_eq!(month.next().to_string(), "2025-01");
    /// ```
    #[must_use]
    pub fn next(self) -> Self {
        if self.month == 12 {
            Self { year: self.year + 1, month: 1 }
        } else {
            Self { month: self.month + 1, ..self }
        }
    }

    /// The month so many months after this one.
    ///
    /// ```
    /// use usage_export::usage::Month;
    /// let november: Month = "2024-11".parse()?;
    /// assert_eq!(november.plus(14).to_string(), "2026-01");
    /// assert_eq!(november.plus(14).since(november), 14);
    /// # Ok::<(), usage_export::usage::ParseMonthError>(())
    /// ```
    #[must_use]
    pub fn plus(self, months: u32) -> Self {
        let number = self.number() + i64::from(months);
        let month = u32::try_from(number.rem_euclid(12)).unwrap_or_default() + 1;
        Self { year: i32::try_from(number.div_euclid(12)).unwrap_or(i32::MAX), month }
    }

    /// How many months this one is after an earlier one; 0 if the other is not earlier.
    pub fn since(self, earlier: Self) -> u32 {
        u32::try_from(self.number() - earlier.number()).unwrap_or_default()
    }

    /// The count of months since that of the year 0.
    fn number(self) -> i64 {
        i64::from(self.year) * 12 + i64::from(self.month) - 1
    }

    /// The first millisecond of the month.
    ///
    /// ```
    /// use usage_export::timestamp::to_text;
    /// use usage_export::usage::Month;
    /// let month: Month = "2024-12".parse()?;
    /// assert_eq!(to_text(month.start()), "2024-12-01T00:00:00.000Z");
    /// assert_eq!(to_text(month.end()), "2024-12-31T23:59:59.999Z");
    /// # Ok::<(), usage_export::usage::ParseMonthError>(())
    /// ```
    pub fn start(self) -> DateTime<Utc> {
        let first_day = NaiveDate::from_ymd_opt(self.year, self.month, 1).unwrap_or_default();
        first_day.and_time(NaiveTime::MIN).and_utc()
    }

    /// The last millisecond of the month.
    pub fn end(self) -> DateTime<Utc> {
        self.next().start() - TimeDelta::milliseconds(1)
    }
}

/// A text that is not a month such as `2025-01`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a month such as 2025-01")]
pub struct ParseMonthError;

impl FromStr for Month {
    type Err = ParseMonthError;

    fn from_str(text: &str) -> Result<Self, ParseMonthError> {
        let first_day = timestamp::from_text(&format!("{text}-01T00:00:00.000Z"));
        first_day.map(Self::of).ok_or(ParseMonthError)
    }
}

impl TryFrom<String> for Month {
    type Error = ParseMonthError;

    fn try_from(text: String) -> Result<Self, ParseMonthError> {
        text.parse()
    }
}

impl From<Month> for String {
    fn from(month: Month) -> Self {
        month.to_string()
    }
}

impl std::fmt::Display for Month {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{:04}-{:02}", self.year, self.month)
    }
}

/// The partition key of the usage records of one workspace and month. [`split_partition_key`] is the inverse.
///
/// ```
/// use usage_export::usage::{Month, partition_key};
/// let month = Month::of(chrono::DateTime::from_timestamp_millis(1_738_315_800_000).unwrap());
/// assert_eq!(partition_key("wsp_1", month), "wsp_1#2025-01");
/// ```
pub fn partition_key(workspace_id: &str, month: Month) -> String {
    format!("{workspace_id}#{month}")
}

/// The bounds of the sort keys, both included, for the runs of a month's partition that started from `start` to `end`. There
/// is a bound only where the month begins before `start` or ends after `end`: a partition that is wanted whole is read whole,
/// so that a record which is stored in the wrong month is seen.
///
/// ```
/// use usage_export::timestamp::from_text;
/// use usage_export::usage::{Month, sort_key_bounds};
/// let [start, end] = ["2025-01-31T00:00:00.000Z", "2025-03-01T23:59:59.999Z"].map(|text| from_text(text).unwrap());
/// let january = Month::of(start);
/// assert_eq!(sort_key_bounds(january, start, end), (Some("2025-01-31T00:00:00.000Z".to_owned()), None));
/// assert_eq!(sort_key_bounds(january.next(), start, end), (None, None));
/// let (first, last) = sort_key_bounds(Month::of(end), start, end);
/// assert_eq!(first, None);
/// assert!("2025-03-01T23:59:59.999Z#run_1" < last.as_deref().unwrap());
/// assert!("2025-03-02T00:00:00.000Z#run_2" > last.as_deref().unwrap());
/// ```
pub fn sort_key_bounds(
    month: Month,
    start: DateTime<Utc>,
    end: DateTime<Utc>,
) -> (Option<String>, Option<String>) {
    let first = (start > month.start()).then(|| timestamp::to_text(start));
    // A sort key is `<start>#<run id>`. `$` is the character after `#`, so it is above every run of that millisecond.
    let last = (end < month.end()).then(|| format!("{}$", timestamp::to_text(end)));
    (first, last)
}

/// A sort key behind those of all usage records, which begin with a digit.
pub const LAST_SORT_KEY: &str = "~";

/// Splits a partition key into workspace id and month. `None` if there is no `#` in it. [`partition_key`] is the inverse.
///
/// ```
/// use usage_export::usage::split_partition_key;
/// assert_eq!(split_partition_key("wsp_1#2025-01"), Some(("wsp_1", "2025-01")));
/// assert_eq!(split_partition_key("wsp_1"), None);
/// ```
pub fn split_partition_key(partition_key: &str) -> Option<(&str, &str)> {
    partition_key.rsplit_once('#')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_is_listed_once_under_the_id_that_serde_writes() {
        for info in &FIELDS {
            assert_eq!(Field::from_id(info.id), Some(info.field));
            assert_eq!(info.field.id(), info.id);
            assert_eq!(serde_json::to_value(info.field).unwrap(), info.id);
        }
    }

    #[test]
    fn months_continue_into_the_next_year_and_sort_as_text() {
        let december = Month { year: 2024, month: 12 };
        assert_eq!(december.next(), Month { year: 2025, month: 1 });
        assert!(december.to_string() < december.next().to_string());
    }
}
