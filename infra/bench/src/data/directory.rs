//! The organization of the benchmark: written to the emulator's table, where every worker looks names up.

use anyhow::{Context, Result};
use aws_sdk_dynamodb::Client;
use chrono::{DateTime, Utc};
use fastrand::Rng;
use seed::records::{Item, MemberRecord, OrganizationRecord, WorkbookRecord, WorkspaceRecord};
use seed::write_items;

/// Id of the organization.
pub const ORGANIZATION_ID: &str = "org_bench";
const WORKBOOKS_PER_WORKSPACE: usize = 50;
const USERS: usize = 200;
/// When every workbook was created, in the text form of the tables.
pub const CREATED_TS: &str = "2014-06-30T08:15:00.000Z";
/// Names that need quotes, names that a spreadsheet would run, and names that need nothing.
const NAMES: [&str; 6] = ["Revenue", "Sales, EU", "The \"old\" one", "=SUM(A1)", "Größe & Preis", "Forecast"];

/// A workspace, a workbook or a user.
pub struct Named {
    /// Its id.
    pub id: String,
    /// Its name; a user's is an email address.
    pub name: String,
}

/// Everything that the runs refer to.
pub struct Directory {
    /// In the order of their ids.
    pub workspaces: Vec<Named>,
    /// Those of the first workspace, then those of the next.
    pub workbooks: Vec<Named>,
    /// All users. The first one asks for the exports.
    pub users: Vec<Named>,
}

impl Directory {
    /// Generates a directory with so many workspaces. It is always the same; with more of them, the first ones are the same.
    pub fn generate(workspaces: usize) -> Self {
        let name = |kind: &str, index: usize| format!("{} {kind} {index}", NAMES[index % NAMES.len()]);
        let named = |kind: &str, prefix: &str, count: usize| {
            (0..count)
                .map(|index| Named { id: format!("{prefix}_{index:020}"), name: name(kind, index) })
                .collect()
        };
        let users = (0..USERS).map(|index| Named {
            id: format!("usr_{index:020}"),
            name: format!("person.{index}@example.com"),
        });
        Self {
            workspaces: named("workspace", "wsp", workspaces),
            workbooks: named("workbook", "wbk", workspaces * WORKBOOKS_PER_WORKSPACE),
            users: users.collect(),
        }
    }

    /// Writes the directory to this table.
    ///
    /// # Errors
    ///
    /// Fails if the table does not take all items.
    pub async fn put(&self, dynamodb: &Client, table: &str) -> Result<()> {
        let items = self.items()?;
        write_items(dynamodb, table, items.into_iter(), |_| ())
            .await
            .context("the directory cannot be written")
    }

    fn items(&self) -> Result<Vec<Item>> {
        let created: DateTime<Utc> = CREATED_TS.parse()?;
        let organization =
            OrganizationRecord { organization_id: ORGANIZATION_ID, name: "Bench", tier: "enterprise" };
        let mut items = vec![organization.to_item()];
        items.extend(self.workspaces.iter().map(|Named { id, name }| {
            let record = WorkspaceRecord {
                organization_id: ORGANIZATION_ID,
                workspace_id: id,
                name,
                owner_user_id: None,
                deleted: None,
            };
            record.to_item()
        }));
        items.extend(self.workbooks.iter().enumerate().map(|(index, Named { id, name })| {
            let record = WorkbookRecord {
                organization_id: ORGANIZATION_ID,
                workspace_id: &self.workspaces[index / WORKBOOKS_PER_WORKSPACE].id,
                workbook_id: id,
                name,
                created,
                deleted: None,
            };
            record.to_item()
        }));
        items.extend(self.users.iter().map(|Named { id, name }| {
            let record = MemberRecord {
                organization_id: ORGANIZATION_ID,
                user_id: id,
                email: name,
                role: "admin",
                personal_workspace_id: "wsp_personal",
                deleted: None,
            };
            record.to_item()
        }));
        Ok(items)
    }
}

/// Picks a workbook of the workspace, and returns its index in the directory.
pub fn any_workbook(workspace: usize, rng: &mut Rng) -> usize {
    workspace * WORKBOOKS_PER_WORKSPACE + rng.usize(..WORKBOOKS_PER_WORKSPACE)
}
