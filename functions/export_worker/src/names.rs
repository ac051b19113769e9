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
    workbooks: ById<WorkbookCells>,
    user_emails: ById<Box<[u8]>>,
    wants_workbooks: bool,
    wants_users: bool,
}

/// What a file says of a workbook.
#[derive(Debug, Default)]
pub struct WorkbookCells {
    /// Its last known name.
    pub name: Box<[u8]>,
    /// When it was made.
    pub created_ts: String,
}

/// What belongs to each record of a page, in their order: places in [`Names`].
#[derive(Debug, Default)]
pub struct Joins {
    workbooks: Vec<u32>,
    users: Vec<u32>,
}

/// What is joined to one row.
#[derive(Debug, Clone, Copy)]
pub struct Joined<'a> {
    /// Of its workbook.
    pub workbook: &'a WorkbookCells,
    /// Its user's email address.
    pub user_email: &'a [u8],
}

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

    /// Finds what belongs to the records of a page; looks up what is not known yet.
    pub async fn join(&mut self, directory: &Directory, page: &Page) -> Result<Joins, StoreError> {
        let mut joins = Joins::default();
        if self.wants_workbooks {
            let ids = page.records.iter().map(|record| record.workbook_id);
            let unknown = self.workbooks.find(ids.clone(), &mut joins.workbooks);
            if !unknown.is_empty() {
                let mut found = directory.workbooks(unknown.iter().copied()).await?;
                for id in unknown {
                    let cells = found.remove(id).map(workbook_cells).transpose()?.unwrap_or_default();
                    self.workbooks.add(id, cells);
                }
                self.workbooks.fill_in(ids, &mut joins.workbooks);
            }
        }
        if self.wants_users {
            let ids = page.records.iter().map(|record| record.user_id);
            let unknown = self.user_emails.find(ids.clone(), &mut joins.users);
            if !unknown.is_empty() {
                let mut found = directory.members(&self.organization_id, unknown.iter().copied()).await?;
                for id in unknown {
                    let email = found.remove(id).map(|member| text_cell(&member.email)).unwrap_or_default();
                    self.user_emails.add(id, email);
                }
                self.user_emails.fill_in(ids, &mut joins.users);
            }
        }
        Ok(joins)
    }

    /// What belongs to the record at this place of the page.
    pub fn joined(&self, joins: &Joins, index: usize) -> Joined<'_> {
        let place = |places: &[u32]| places.get(index).copied().unwrap_or_default();
        Joined {
            workbook: self.workbooks.at(place(&joins.workbooks)),
            user_email: self.user_emails.at(place(&joins.users)),
        }
    }

    /// Last known name of a workspace.
    pub fn workspace_name(&self, id: &str) -> &[u8] {
        self.workspaces.get(id).map_or(b"", |name| name)
    }
}

fn workbook_cells(workbook: Workbook) -> Result<WorkbookCells, StoreError> {
    let created_ts = workbook.created_ts.unwrap_or_default();
    if !created_ts.is_empty() && timestamp::from_text(&created_ts).is_none() {
        return Err(StoreError::corrupt(
            "workbook",
            "created_ts is not an ISO 8601 UTC time with milliseconds",
        ));
    }
    Ok(WorkbookCells { name: text_cell(&workbook.name), created_ts })
}

/// Cells by id. Each row asks for its place once.
struct ById<T> {
    /// Ids are our own, but their hashes are seeded all the same.
    places: HashMap<String, u32, foldhash::fast::RandomState>,
    /// The first is empty: it belongs to no id.
    cells: Vec<T>,
}

impl<T: Default> Default for ById<T> {
    fn default() -> Self {
        Self { places: HashMap::default(), cells: vec![T::default()] }
    }
}

/// The place of an id that has none yet.
const NOWHERE: u32 = u32::MAX;

impl<T: Default> ById<T> {
    /// Finds the places of these ids; gives those that have none, once each. Forgets all of them before that, if there
    /// are too many.
    fn find<'a>(&mut self, ids: impl Iterator<Item = &'a str>, places: &mut Vec<u32>) -> BTreeSet<&'a str> {
        if self.cells.len() > REMEMBERED {
            *self = Self::default();
        }
        let mut unknown = BTreeSet::new();
        places.extend(ids.map(|id| {
            let known = if id.is_empty() { Some(&0) } else { self.places.get(id) };
            known.copied().unwrap_or_else(|| {
                unknown.insert(id);
                NOWHERE
            })
        }));
        unknown
    }

    fn add(&mut self, id: &str, cells: T) {
        let place = u32::try_from(self.cells.len()).unwrap_or(0);
        self.places.insert(id.to_owned(), place);
        self.cells.push(cells);
    }

    /// Gives places to those that had none.
    fn fill_in<'a>(&self, ids: impl Iterator<Item = &'a str>, places: &mut [u32]) {
        for (place, id) in places.iter_mut().zip(ids) {
            if *place == NOWHERE {
                *place = self.places.get(id).copied().unwrap_or_default();
            }
        }
    }

    fn at(&self, place: u32) -> &T {
        &self.cells[place as usize]
    }
}
