//! The columns of a file, in pieces whose cells come from one place.
//!
//! A row has up to eleven cells, and most of them are the same for every run of a workspace, of a workbook or by a
//! user. So the cells of neighbouring columns are made once, commas and quotes and all, and copied in one piece.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use usage_export::directory::Workbook;
use usage_export::usage::{Field, Group};

use crate::buffers::Buffers;
use crate::csv::{inert, write_cell};
use crate::known::Known;

/// What an export writes of each record. Its pages share it.
#[derive(Debug)]
pub struct Columns {
    fields: Vec<Field>,
    /// The workspaces' names by id.
    workspace_names: BTreeMap<String, String>,
    /// Only runs of these workbooks; of all if there are none.
    workbook_ids: BTreeSet<String>,
    known: Mutex<KnownCells>,
    /// For the texts of its pages.
    pub buffers: Buffers,
}

/// What is known of workbooks and users so far.
#[derive(Debug, Default)]
pub struct KnownCells {
    /// Pieces of [`Columns::workbook_pieces`].
    pub workbooks: Known,
    /// Pieces of [`Columns::user_pieces`].
    pub users: Known,
}

/// A piece of the rows of one workspace.
#[derive(Debug)]
pub enum Piece {
    /// The same in every row.
    Constant(Vec<u8>),
    /// Which of the workbook's pieces.
    Workbook(usize),
    /// Which of the user's.
    User(usize),
    /// The run's id.
    RunId,
    /// What it cost.
    CreditCost,
    /// When it started.
    Started,
    /// When it finished.
    Finished,
}

impl Columns {
    /// For these fields; the names of the workspaces are by id. Without `workbook_ids` the runs of all are written.
    pub fn new(
        fields: &[Field],
        workspace_names: BTreeMap<String, String>,
        workbook_ids: &BTreeSet<String>,
    ) -> Self {
        Self {
            fields: fields.to_vec(),
            workspace_names,
            workbook_ids: workbook_ids.clone(),
            known: Mutex::default(),
            buffers: Buffers::default(),
        }
    }

    /// The fields.
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// The pieces of a row, with the cells of this workspace.
    pub fn pieces(&self, workspace_id: &str) -> Vec<Piece> {
        let (mut workbooks, mut users) = (0.., 0..);
        let mut pieces = Vec::new();
        for fields in self.neighbours() {
            match fields[0].group() {
                Group::Workspace => pieces.push(Piece::Constant(self.workspace_cells(fields, workspace_id))),
                Group::Workbook => pieces.extend(workbooks.next().map(Piece::Workbook)),
                Group::User => pieces.extend(users.next().map(Piece::User)),
                Group::Run => pieces.extend(fields.iter().map(|field| match field {
                    Field::CreditCost => Piece::CreditCost,
                    Field::PlRunCreatedTs => Piece::Started,
                    Field::PlRunFinishedTs => Piece::Finished,
                    _ => Piece::RunId,
                })),
            }
        }
        pieces
    }

    /// The cells of a workbook; `None` if the directory does not know it.
    pub fn workbook_pieces(&self, id: &[u8], workbook: Option<&Workbook>) -> impl Iterator<Item = Vec<u8>> {
        self.of(Group::Workbook).map(move |fields| {
            self.cells(fields, |cell, field| match (field, workbook) {
                (Field::WorkbookId, _) => write_cell(cell, id),
                (Field::WorkbookName, Some(workbook)) => write_cell(cell, inert(&workbook.name).as_bytes()),
                (Field::WorkbookCreatedTs, Some(workbook)) => {
                    cell.extend_from_slice(workbook.created_ts.as_deref().unwrap_or_default().as_bytes());
                }
                _ => {}
            })
        })
    }

    /// The cells of a user; `email` is `None` if the directory does not know them.
    pub fn user_pieces(&self, id: &[u8], email: Option<&str>) -> impl Iterator<Item = Vec<u8>> {
        self.of(Group::User).map(move |fields| {
            self.cells(fields, |cell, field| match (field, email) {
                (Field::UserId, _) => write_cell(cell, id),
                (_, Some(email)) => write_cell(cell, inert(email).as_bytes()),
                _ => {}
            })
        })
    }

    /// Whether the directory has something to say about a workbook that its id does not.
    pub fn wants_workbooks(&self) -> bool {
        self.fields.contains(&Field::WorkbookName) || self.fields.contains(&Field::WorkbookCreatedTs)
    }

    /// Whether the directory has something to say about a user that their id does not.
    pub fn wants_users(&self) -> bool {
        self.fields.contains(&Field::UserEmail)
    }

    /// Whether runs of this workbook are written.
    pub fn has_workbook(&self, id: &[u8]) -> bool {
        self.workbook_ids.is_empty() || std::str::from_utf8(id).is_ok_and(|id| self.workbook_ids.contains(id))
    }

    /// The workbooks whose runs are written; of all if there are none.
    pub fn workbook_ids(&self) -> &BTreeSet<String> {
        &self.workbook_ids
    }

    /// What is known so far.
    pub fn known(&self) -> MutexGuard<'_, KnownCells> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Neighbouring fields of one group.
    fn neighbours(&self) -> impl Iterator<Item = &[Field]> {
        self.fields.chunk_by(|one, next| one.group() == next.group())
    }

    fn of(&self, group: Group) -> impl Iterator<Item = &[Field]> {
        self.neighbours().filter(move |fields| fields[0].group() == group)
    }

    fn workspace_cells(&self, fields: &[Field], id: &str) -> Vec<u8> {
        let name = self.workspace_names.get(id).map_or("", String::as_str);
        self.cells(fields, |cell, field| match field {
            Field::WorkspaceId => write_cell(cell, id.as_bytes()),
            _ => write_cell(cell, inert(name).as_bytes()),
        })
    }

    fn cells(&self, fields: &[Field], write: impl Fn(&mut Vec<u8>, Field)) -> Vec<u8> {
        let mut cells = Vec::new();
        for (index, field) in fields.iter().enumerate() {
            if index > 0 {
                cells.push(b',');
            }
            write(&mut cells, *field);
        }
        if cells.is_empty() && self.fields.len() == 1 {
            cells.extend_from_slice(EMPTY_ROW);
        }
        cells
    }
}

/// A row of one empty cell would be an empty line, which readers skip.
pub const EMPTY_ROW: &[u8] = b"\"\"";
