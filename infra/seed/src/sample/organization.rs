//! A sample organization: members, workspaces and their workbooks, and the items that hold them.

use chrono::{DateTime, Days, Utc};

use crate::records::{Item, MemberRecord, OrganizationRecord, WorkbookRecord, WorkspaceRecord};

/// An organization with everything that belongs to it.
pub struct Organization {
    pub id: String,
    pub name: &'static str,
    /// `enterprise`, or a tier that has no exports.
    pub tier: &'static str,
    /// Its share of all runs, in per cent.
    pub share: u64,
    /// Administrators first, deleted members last.
    pub members: Vec<Member>,
    /// The workspaces of the organization first, the busiest first; then the personal ones, in the order of the
    /// members.
    pub workspaces: Vec<Workspace>,
    /// The workbook of some runs; the directory has no item for it.
    pub unknown_workbook_id: String,
    /// The user of some runs; the directory has no item for them.
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
    /// Whose personal workspace it is: an index into the organization's members.
    pub owner: Option<usize>,
    pub deleted: Option<DateTime<Utc>>,
    pub workbooks: Vec<Workbook>,
}

/// A saved workflow.
pub struct Workbook {
    pub id: String,
    pub name: String,
    /// Who runs it most: an index into the organization's members.
    pub author: usize,
    /// Whether a schedule starts it, rather than a person.
    pub scheduled: bool,
    pub created: DateTime<Utc>,
    pub deleted: Option<DateTime<Utc>>,
}

impl Organization {
    /// The item of the organization and the items of everything that belongs to it.
    pub fn items(&self) -> Vec<Item> {
        let record = OrganizationRecord { organization_id: &self.id, name: self.name, tier: self.tier };
        let mut items = vec![record.to_item()];
        items.extend(self.members.iter().map(|member| self.member(member).to_item()));
        for workspace in &self.workspaces {
            items.push(self.workspace(workspace).to_item());
            let workbooks = workspace.workbooks.iter();
            items.extend(workbooks.map(|workbook| self.workbook(workspace, workbook).to_item()));
        }
        items
    }

    fn member<'a>(&'a self, member: &'a Member) -> MemberRecord<'a> {
        MemberRecord {
            organization_id: &self.id,
            user_id: &member.user_id,
            email: &member.email,
            role: member.role(),
            personal_workspace_id: &member.personal_workspace_id,
            deleted: member.deleted,
        }
    }

    fn workspace<'a>(&'a self, workspace: &'a Workspace) -> WorkspaceRecord<'a> {
        WorkspaceRecord {
            organization_id: &self.id,
            workspace_id: &workspace.id,
            name: &workspace.name,
            owner_user_id: workspace.owner.map(|owner| self.members[owner].user_id.as_str()),
            deleted: workspace.deleted,
        }
    }

    fn workbook<'a>(&'a self, workspace: &'a Workspace, workbook: &'a Workbook) -> WorkbookRecord<'a> {
        WorkbookRecord {
            organization_id: &self.id,
            workspace_id: &workspace.id,
            workbook_id: &workbook.id,
            name: &workbook.name,
            created: workbook.created,
            deleted: workbook.deleted,
        }
    }
}

impl Member {
    /// The role as the directory names it.
    pub fn role(&self) -> &'static str {
        if self.administrator { "admin" } else { "member" }
    }

    /// Whether the member exists for the whole day that begins at `midnight`.
    pub fn exists_on(&self, midnight: DateTime<Utc>) -> bool {
        outlives_day(self.deleted, midnight)
    }
}

impl Workbook {
    /// Whether the workbook exists for the whole day that begins at `midnight`.
    pub fn exists_on(&self, midnight: DateTime<Utc>) -> bool {
        self.created <= midnight && outlives_day(self.deleted, midnight)
    }
}

fn outlives_day(deleted: Option<DateTime<Utc>>, midnight: DateTime<Utc>) -> bool {
    deleted.is_none_or(|deleted| deleted >= midnight + Days::new(1))
}
