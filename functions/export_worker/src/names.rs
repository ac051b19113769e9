//! The names that a file joins to its rows: workspaces, workbooks, users.
//!
//! Only what the rows meet is looked up, and only if a requested field needs it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use usage_export::directory::{Directory, Workbook};
use usage_export::dynamo::StoreError;
use usage_export::timestamp;
use usage_export::usage::Field;

use crate::csv::text_cell;
use crate::read::Page;

/// The most workbooks, and the most users, that are remembered. It bounds memory; more are looked up again.
const REMEMBERED: usize = 50_000;

/// Names by id, as cells of the file. What the directory does not know is remembered as empty.
pub struct Names {
    organization_id: String,
    workspaces: BTreeMap<String, Box<[u8]>>,
    workbooks: ById<Named>,
    user_emails: ById<Box<[u8]>>,
    wants_workbooks: bool,
    wants_users: bool,
}

#[derive(Default)]
struct Named {
    name: Box<[u8]>,
    created_ts: String,
}

/// Asked for every row. Ids are our own, but their hashes are seeded all the same.
type ById<T> = HashMap<String, T, foldhash::fast::RandomState>;

impl Names {
    /// Knows the workspaces, and which of the others the fields need.
    pub fn new(workspaces: BTreeMap<String, String>, organization_id: &str, fields: &[Field]) -> Self {
        Self {
            organization_id: organization_id.to_owned(),
            workspaces: workspaces.into_iter().map(|(id, name)| (id, text_cell(&name))).collect(),
            workbooks: ById::default(),
            user_emails: ById::default(),
            wants_workbooks: fields.contains(&Field::WorkbookName)
                || fields.contains(&Field::WorkbookCreatedTs),
            wants_users: fields.contains(&Field::UserEmail),
        }
    }

    /// Looks up the workbooks and users of a page that are not known yet.
    pub async fn load_for(&mut self, directory: &Directory, page: &Page) -> Result<(), StoreError> {
        if self.wants_workbooks {
            let ids = page.records.iter().map(|record| record.workbook_id);
            let unknown = unknown(&mut self.workbooks, ids);
            if !unknown.is_empty() {
                let mut found = directory.workbooks(unknown.iter().copied()).await?;
                for id in unknown {
                    let named = found.remove(id).map(named).transpose()?.unwrap_or_default();
                    self.workbooks.insert(id.to_owned(), named);
                }
            }
        }
        if self.wants_users {
            let ids = page.records.iter().map(|record| record.user_id);
            let unknown = unknown(&mut self.user_emails, ids);
            if !unknown.is_empty() {
                let mut found = directory.members(&self.organization_id, unknown.iter().copied()).await?;
                for id in unknown {
                    let email = found.remove(id).map(|member| text_cell(&member.email)).unwrap_or_default();
                    self.user_emails.insert(id.to_owned(), email);
                }
            }
        }
        Ok(())
    }

    /// Last known name of a workspace.
    pub fn workspace_name(&self, id: &str) -> &[u8] {
        self.workspaces.get(id).map_or(b"", |name| name)
    }

    /// Last known name of a workbook.
    pub fn workbook_name(&self, id: &str) -> &[u8] {
        self.workbooks.get(id).map_or(b"", |workbook| &workbook.name)
    }

    /// When a workbook was made.
    pub fn workbook_created_ts(&self, id: &str) -> &[u8] {
        self.workbooks.get(id).map_or(b"", |workbook| workbook.created_ts.as_bytes())
    }

    /// Last known email address of a user.
    pub fn user_email(&self, id: &str) -> &[u8] {
        self.user_emails.get(id).map_or(b"", |email| email)
    }
}

fn named(workbook: Workbook) -> Result<Named, StoreError> {
    let created_ts = workbook.created_ts.unwrap_or_default();
    if !created_ts.is_empty() && timestamp::from_text(&created_ts).is_none() {
        return Err(StoreError::corrupt(
            "workbook",
            "created_ts is not an ISO 8601 UTC time with milliseconds",
        ));
    }
    Ok(Named { name: text_cell(&workbook.name), created_ts })
}

/// The ids that are not in the map, once each. Empties a map that is full, before that.
fn unknown<'a, T>(map: &mut ById<T>, ids: impl Iterator<Item = &'a str> + Clone) -> BTreeSet<&'a str> {
    if map.len() > REMEMBERED {
        map.clear();
    }
    ids.filter(|id| !id.is_empty() && !map.contains_key(*id)).collect()
}
