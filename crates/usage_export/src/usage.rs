//! Usage records: the keys of their table, and the eleven fields that an export can have.
//!
//! A usage record is one run of a workbook. `docs/data.md` describes the table.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::timestamp;

mod month;

pub use month::{Month, ParseMonthError};

/// A field of an export: a column of the CSV. [`FIELDS`] has the ids and labels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(description = "A column of the CSV."))]
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
        let month = |text: &str| text.parse::<Month>().unwrap();
        let december = month("2024-12");
        assert_eq!(december.next(), month("2025-01"));
        assert!(december.to_string() < december.next().to_string());
    }
}
