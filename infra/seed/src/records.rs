//! The items of the tables `UsageRecords` and `Directory`, as `docs/data.md` describes them. The seeder and the
//! benchmark write them; the product reads them.
//!
//! `deleted` is when the thing was deleted; `None` while it exists. What is deleted keeps its item and its name.

mod item;

use chrono::{DateTime, Utc};
use usage_export::timestamp;
use usage_export::usage::{Month, partition_key};

pub use self::item::{Item, ItemBuilder};

/// An organization. Its key is `ORG#<organization_id>`, `ORG`.
#[derive(Debug, Clone, Copy)]
pub struct OrganizationRecord<'a> {
    /// Must not contain `#`, like every id.
    pub organization_id: &'a str,
    /// What people call it.
    pub name: &'a str,
    /// `enterprise`, or a tier that has no exports.
    pub tier: &'a str,
}

/// A member of an organization. Its key is `ORG#<organization_id>`, `MEMBER#<user_id>`.
#[derive(Debug, Clone, Copy)]
pub struct MemberRecord<'a> {
    /// The organization to which the member belongs.
    pub organization_id: &'a str,
    /// The id under which usage records and API keys name the member.
    pub user_id: &'a str,
    /// The user's email address.
    pub email: &'a str,
    /// `admin` or `member`.
    pub role: &'a str,
    /// Id of the workspace that is theirs alone.
    pub personal_workspace_id: &'a str,
    /// When the member left.
    pub deleted: Option<DateTime<Utc>>,
}

/// A workspace of an organization. Its key is `ORG#<organization_id>`, `WORKSPACE#<workspace_id>`.
#[derive(Debug, Clone, Copy)]
pub struct WorkspaceRecord<'a> {
    /// The organization to which the workspace belongs.
    pub organization_id: &'a str,
    /// The id under which usage records name the workspace.
    pub workspace_id: &'a str,
    /// What people call it.
    pub name: &'a str,
    /// Id of the member whose personal workspace it is; `None` for a workspace of the organization.
    pub owner_user_id: Option<&'a str>,
    /// When it was deleted.
    pub deleted: Option<DateTime<Utc>>,
}

/// A workbook of a workspace. Its key is `WORKBOOK#<workbook_id>`, `WORKBOOK`.
#[derive(Debug, Clone, Copy)]
pub struct WorkbookRecord<'a> {
    /// The organization to which the workbook belongs.
    pub organization_id: &'a str,
    /// The workspace in which the workbook is saved.
    pub workspace_id: &'a str,
    /// The id under which usage records name the workbook.
    pub workbook_id: &'a str,
    /// What people call it.
    pub name: &'a str,
    /// When it was created.
    pub created: DateTime<Utc>,
    /// When it was deleted.
    pub deleted: Option<DateTime<Utc>>,
}

/// A usage record: one run of a workbook. Its key is `<workspace_id>#<month of the start>`, `<start>#<run_id>`.
///
/// ```
/// use seed::records::UsageRecord;
///
/// let record = UsageRecord {
///     workspace_id: "wsp_1",
///     start: "2025-01-31T09:30:00Z".parse().unwrap(),
///     run_id: "run_1",
///     workbook_id: "wbk_1",
///     user_id: "usr_1",
///     credit_cost: Some("0.0125"),
///     finished: None,
/// };
/// let item = record.to_item();
/// assert_eq!(item["PK"].as_s().unwrap(), "wsp_1#2025-01");
/// assert_eq!(item["SK"].as_s().unwrap(), "2025-01-31T09:30:00.000Z#run_1");
/// assert_eq!(item["credit_cost"].as_n().unwrap(), "0.0125");
/// assert!(!item.contains_key("finished_ts"));
/// ```
#[derive(Debug, Clone, Copy)]
pub struct UsageRecord<'a> {
    /// The workspace in which the workbook ran.
    pub workspace_id: &'a str,
    /// When the run started.
    pub start: DateTime<Utc>,
    /// Orders runs of a workspace that start in the same millisecond.
    pub run_id: &'a str,
    /// The workbook that ran. The directory may have no item for it.
    pub workbook_id: &'a str,
    /// The user who ran it. The directory may have no item for them.
    pub user_id: &'a str,
    /// An exact decimal; `None` while no cost is recorded.
    pub credit_cost: Option<&'a str>,
    /// `None` while the run is going on.
    pub finished: Option<DateTime<Utc>>,
}

impl OrganizationRecord<'_> {
    /// Its item in `Directory`.
    pub fn to_item(&self) -> Item {
        ItemBuilder::new(organization_key(self.organization_id), "ORG".to_owned())
            .text("name", self.name)
            .text("tier", self.tier)
            .build()
    }
}

impl MemberRecord<'_> {
    /// Its item in `Directory`.
    pub fn to_item(&self) -> Item {
        ItemBuilder::new(organization_key(self.organization_id), format!("MEMBER#{}", self.user_id))
            .text("email", self.email)
            .text("role", self.role)
            .text("personal_workspace_id", self.personal_workspace_id)
            .optional_time("deleted_ts", self.deleted)
            .build()
    }
}

impl WorkspaceRecord<'_> {
    /// Its item in `Directory`.
    pub fn to_item(&self) -> Item {
        let kind = if self.owner_user_id.is_some() { "personal" } else { "organization" };
        ItemBuilder::new(organization_key(self.organization_id), format!("WORKSPACE#{}", self.workspace_id))
            .text("name", self.name)
            .text("kind", kind)
            .optional_text("owner_user_id", self.owner_user_id)
            .optional_time("deleted_ts", self.deleted)
            .build()
    }
}

impl WorkbookRecord<'_> {
    /// Its item in `Directory`.
    pub fn to_item(&self) -> Item {
        ItemBuilder::new(format!("WORKBOOK#{}", self.workbook_id), "WORKBOOK".to_owned())
            .text("organization_id", self.organization_id)
            .text("workspace_id", self.workspace_id)
            .text("name", self.name)
            .text("created_ts", timestamp::to_text(self.created))
            .optional_time("deleted_ts", self.deleted)
            .build()
    }
}

impl UsageRecord<'_> {
    /// Its item in `UsageRecords`.
    pub fn to_item(&self) -> Item {
        let partition_key = partition_key(self.workspace_id, Month::of(self.start));
        ItemBuilder::new(partition_key, sort_key(&timestamp::to_text(self.start), self.run_id))
            .text("workbook_id", self.workbook_id)
            .text("user_id", self.user_id)
            .optional_number("credit_cost", self.credit_cost)
            .optional_time("finished_ts", self.finished)
            .build()
    }
}

/// The sort key of a usage record. `start` is the text form of the run's start.
///
/// ```
/// assert_eq!(seed::records::sort_key("2025-01-31T09:30:00.000Z", "run_1"), "2025-01-31T09:30:00.000Z#run_1");
/// ```
pub fn sort_key(start: &str, run_id: &str) -> String {
    format!("{start}#{run_id}")
}

/// The partition of `Directory` in which an organization, its members and its workspaces are.
fn organization_key(organization_id: &str) -> String {
    format!("ORG#{organization_id}")
}
