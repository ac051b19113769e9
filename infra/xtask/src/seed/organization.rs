//! An organization as it is seeded: members, workspaces and their workbooks, and the items that hold them.

use chrono::{DateTime, Utc};

use super::item::{Item, ItemBuilder, timestamp};

/// An organization with all that belongs to it.
pub struct Organization {
    pub id: String,
    pub name: &'static str,
    /// `enterprise`, or a tier that has no exports.
    pub tier: &'static str,
    /// Its share of all runs, in per cent.
    pub share: u64,
    /// Administrators first, deleted members last.
    pub members: Vec<Member>,
    /// Those of the organization first, the busiest first; then the personal ones, in the order of the members.
    pub workspaces: Vec<Workspace>,
    /// The workbook of some runs; the directory does not know it.
    pub unknown_workbook_id: String,
    /// The user of some runs; the directory does not know them.
    pub unknown_user_id: String,
}

/// A user in their organization.
pub struct Member {
    pub user_id: String,
    pub email: String,
    pub administrator: bool,
    pub personal_workspace_id: String,
    pub deleted: Option<DateTime<Utc>>,
}

/// A workspace with its workbooks.
pub struct Workspace {
    pub id: String,
    pub name: String,
    /// Whose personal workspace it is: a position in the organization's members.
    pub owner: Option<usize>,
    pub deleted: Option<DateTime<Utc>>,
    pub workbooks: Vec<Workbook>,
}

/// A saved workflow.
pub struct Workbook {
    pub id: String,
    pub name: String,
    /// Who runs it most: a position in the organization's members.
    pub author: usize,
    /// Whether a schedule starts it, rather than a person.
    pub scheduled: bool,
    pub created: DateTime<Utc>,
    pub deleted: Option<DateTime<Utc>>,
}

impl Organization {
    /// The item of the organization and those of all that belongs to it.
    pub fn items(&self) -> Vec<Item> {
        let mut items =
            vec![self.item("ORG".to_owned()).text("name", self.name).text("tier", self.tier).build()];
        items.extend(self.members.iter().map(|member| self.member_item(member)));
        for workspace in &self.workspaces {
            items.push(self.workspace_item(workspace));
            items.extend(workspace.workbooks.iter().map(|workbook| self.workbook_item(workspace, workbook)));
        }
        items
    }

    fn item(&self, sort_key: String) -> ItemBuilder {
        ItemBuilder::new(format!("ORG#{}", self.id), sort_key)
    }

    fn member_item(&self, member: &Member) -> Item {
        self.item(format!("MEMBER#{}", member.user_id))
            .text("email", &member.email)
            .text("role", member.role())
            .text("personal_workspace_id", &member.personal_workspace_id)
            .optional_time("deleted_ts", member.deleted)
            .build()
    }

    fn workspace_item(&self, workspace: &Workspace) -> Item {
        let owner = workspace.owner.map(|owner| self.members[owner].user_id.as_str());
        self.item(format!("WORKSPACE#{}", workspace.id))
            .text("name", &workspace.name)
            .text("kind", if owner.is_some() { "personal" } else { "organization" })
            .optional_text("owner_user_id", owner)
            .optional_time("deleted_ts", workspace.deleted)
            .build()
    }

    fn workbook_item(&self, workspace: &Workspace, workbook: &Workbook) -> Item {
        ItemBuilder::new(format!("WORKBOOK#{}", workbook.id), "WORKBOOK".to_owned())
            .text("organization_id", &self.id)
            .text("workspace_id", &workspace.id)
            .text("name", &workbook.name)
            .text("created_ts", timestamp(workbook.created))
            .optional_time("deleted_ts", workbook.deleted)
            .build()
    }
}

impl Member {
    /// The role as the directory names it.
    pub fn role(&self) -> &'static str {
        if self.administrator { "admin" } else { "member" }
    }

    /// Whether the member is there the whole day that begins at `midnight`.
    pub fn is_there_on(&self, midnight: DateTime<Utc>) -> bool {
        outlives_day(self.deleted, midnight)
    }
}

impl Workbook {
    /// Whether the workbook is there the whole day that begins at `midnight`.
    pub fn is_there_on(&self, midnight: DateTime<Utc>) -> bool {
        self.created <= midnight && outlives_day(self.deleted, midnight)
    }
}

fn outlives_day(deleted: Option<DateTime<Utc>>, midnight: DateTime<Utc>) -> bool {
    deleted.is_none_or(|deleted| deleted >= midnight + chrono::Days::new(1))
}
