//! Usage records: the keys of their table, and the eleven fields of an export.
//!
//! A record is one run of a workbook. `docs/data.md` has the table.

use chrono::{DateTime, Datelike, Utc};
use serde::{Deserialize, Serialize};

use crate::timestamp;

/// A column of the CSV.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Field {
    /// Id of the workspace in which the run took place.
    WorkspaceId,
    /// Its last known name.
    WorkspaceName,
    /// Id of the workbook that ran.
    WorkbookId,
    /// Its last known name.
    WorkbookName,
    /// When the workbook was made.
    WorkbookCreatedTs,
    /// Id of the user who ran it.
    UserId,
    /// Their last known email address.
    UserEmail,
    /// Id of the run.
    RunId,
    /// Credits that the run cost, an exact decimal.
    CreditCost,
    /// When the run started.
    PlRunCreatedTs,
    /// When it finished; empty while it goes on.
    PlRunFinishedTs,
}

/// The heading under which the page shows a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// Where it ran.
    Workspace,
    /// What ran.
    Workbook,
    /// Who ran it.
    User,
    /// The run itself.
    Run,
}

/// One row of the field registry.
#[derive(Debug)]
pub struct FieldInfo {
    /// The field.
    pub field: Field,
    /// Its id in requests and in the CSV's header.
    pub id: &'static str,
    /// Its group on the page.
    pub group: Group,
    /// Its name on the page.
    pub label: &'static str,
}

/// Every field, in the order in which the page shows them.
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
    /// The field with this id.
    pub fn from_id(id: &str) -> Option<Self> {
        FIELDS.iter().find(|info| info.id == id).map(|info| info.field)
    }

    /// Where its values come from, and the heading under which the page shows it.
    pub fn group(self) -> Group {
        FIELDS.iter().find(|info| info.field == self).map_or(Group::Run, |info| info.group)
    }

    /// Its id in requests and in the CSV's header.
    pub fn id(self) -> &'static str {
        FIELDS.iter().find(|info| info.field == self).map_or("", |info| info.id)
    }
}

/// A UTC month, the unit in which a workspace's records share a partition. Ordered by time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Month {
    year: i32,
    month: u32,
}

impl Month {
    /// The month of an instant.
    pub fn of(instant: DateTime<Utc>) -> Self {
        Self { year: instant.year(), month: instant.month() }
    }

    /// The month after.
    #[must_use]
    pub fn next(self) -> Self {
        if self.month == 12 {
            Self { year: self.year + 1, month: 1 }
        } else {
            Self { month: self.month + 1, ..self }
        }
    }
}

impl std::fmt::Display for Month {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{:04}-{:02}", self.year, self.month)
    }
}

/// The partition key of one workspace and month.
///
/// ```
/// use usage_export::usage::{Month, partition_key};
/// let month = Month::of(chrono::DateTime::from_timestamp_millis(1_738_315_800_000).unwrap());
/// assert_eq!(partition_key("wsp_1", month), "wsp_1#2025-01");
/// ```
pub fn partition_key(workspace_id: &str, month: Month) -> String {
    format!("{workspace_id}#{month}")
}

/// The bounds for `SK BETWEEN` of the runs that started from `start` to `end`, both included.
pub fn sort_key_bounds(start: DateTime<Utc>, end: DateTime<Utc>) -> (String, String) {
    // A sort key is `<start>#<run id>`. `$` is the character after `#`, so it is above every run of that millisecond.
    (timestamp::to_text(start), format!("{}$", timestamp::to_text(end)))
}

/// Whether it is a sort key: a run's start, `#`, and its id.
pub fn is_sort_key(sort_key: &[u8]) -> bool {
    sort_key.get(timestamp::TEXT_BYTES) == Some(&b'#')
        && timestamp::is_text(&sort_key[..timestamp::TEXT_BYTES])
}

/// Splits a partition key into workspace id and month, the inverse of [`partition_key`]. `None` if it is not such a key.
pub fn split_partition_key(partition_key: &str) -> Option<(&str, &str)> {
    partition_key.rsplit_once('#')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_registry_has_each_field_once_under_the_id_that_serde_writes() {
        for info in &FIELDS {
            assert_eq!(Field::from_id(info.id), Some(info.field));
            assert_eq!(info.field.id(), info.id);
            assert_eq!(serde_json::to_value(info.field).unwrap(), info.id);
        }
    }

    #[test]
    fn months_follow_each_other_over_the_year_and_sort_as_text() {
        let december = Month { year: 2024, month: 12 };
        assert_eq!(december.next(), Month { year: 2025, month: 1 });
        assert!(december.to_string() < december.next().to_string());
    }

    #[test]
    fn a_sort_key_is_a_start_and_an_id() {
        let key = "2025-01-31T09:30:00.000Z#run#odd";
        assert!(is_sort_key(key.as_bytes()));
        assert!(!is_sort_key(b"yesterday#run"));
        assert!(!is_sort_key(b"2025-01-31T09:30:00.000Z"));
    }
}
