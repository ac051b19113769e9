//! Joined cells that were looked up before, ready to be copied.

use std::sync::{PoisonError, RwLock, RwLockReadGuard};

use crate::formula::escape_formula;
use crate::layout::{Join, JoinedCell, RowLayout};
use crate::write::{EMPTY_ROW, join_cells};

#[cfg_attr(feature = "ablate_cell_arena", path = "cells/boxes.rs")]
mod arena;

pub(crate) use arena::CellArena;

/// How many bytes of ids and cells, and how many ids, are remembered for one join. This bounds memory: beyond
/// it the cells of the join are forgotten, and ids are looked up again.
const MAX_BYTES: usize = 16 * 1024 * 1024;
const MAX_IDS: usize = 100_000;

/// The cells of joined columns by id, shared by all pages of a file.
///
/// The pages' readers only read it; whoever completes the pages adds to it: see [`Page::into_rows`].
///
/// [`Page::into_rows`]: crate::Page::into_rows
#[derive(Debug)]
pub struct CellCache {
    joins: Vec<Join>,
    has_one_column: bool,
    cells: RwLock<Cells>,
}

/// The cells of each join.
#[derive(Debug)]
pub(crate) struct Cells(Vec<CellArena>);

impl Cells {
    /// The cells of an id.
    #[inline]
    pub(crate) fn find(&self, join: usize, id: &[u8]) -> Option<arena::Found<'_>> {
        self.0[join].find(id)
    }
}

impl CellCache {
    /// An empty cache for files of this layout.
    pub fn new(layout: &RowLayout) -> Self {
        let arenas = layout.joins.iter().map(|_| CellArena::default()).collect();
        let cache = Self {
            joins: layout.joins.clone(),
            has_one_column: layout.has_one_column,
            cells: RwLock::new(Cells(arenas)),
        };
        (0..cache.joins.len()).for_each(|join| cache.insert_empty(join));
        cache
    }

    /// Adds what was looked up for an id: `values[n]` is the cell of columns with `value: n`. Missing values are empty
    /// cells, so an id that nobody knows is added with `&[]`. An id that is there already keeps its cells.
    ///
    /// [`Page::missing_ids`] bounds what is remembered: call it for each page before its ids are inserted.
    ///
    /// [`Page::missing_ids`]: crate::Page::missing_ids
    ///
    /// # Panics
    ///
    /// Panics if the layout has no join of this number, or if the cells of a join exceed 4 GiB.
    pub fn insert(&self, join: usize, id: &str, values: &[&str]) {
        let groups = self.joins[join].groups.iter().map(|group| self.group_cells(group, id, values));
        let mut cells = self.cells.write().unwrap_or_else(PoisonError::into_inner);
        let arena = &mut cells.0[join];
        if arena.find(id.as_bytes()).is_none() {
            arena.insert(id.as_bytes(), groups);
        }
    }

    /// Which of these ids are not in the cache. Before that it forgets everything of this join if it has grown beyond
    /// 16 MiB or 100,000 ids, so that all of them can be added and are still there when the page is completed.
    pub(crate) fn make_room_for<'a>(&self, join: usize, ids: &'a [String]) -> Vec<&'a str> {
        let is_full = {
            let arena = &self.read().0[join];
            arena.bytes() > MAX_BYTES || arena.ids() > MAX_IDS
        };
        if is_full {
            self.cells.write().unwrap_or_else(PoisonError::into_inner).0[join] = CellArena::default();
            self.insert_empty(join);
        }
        self.lacking(join, ids)
    }

    /// Which of these ids are not in the cache.
    pub(crate) fn lacking<'a>(&self, join: usize, ids: &'a [String]) -> Vec<&'a str> {
        let cells = self.read();
        ids.iter().map(String::as_str).filter(|id| cells.find(join, id.as_bytes()).is_none()).collect()
    }

    /// The cells, locked against changes.
    pub(crate) fn read(&self) -> RwLockReadGuard<'_, Cells> {
        self.cells.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds empty cells for the empty id, so that a record without an id needs no look-up.
    fn insert_empty(&self, join: usize) {
        self.insert(join, "", &[]);
    }

    fn group_cells(&self, group: &[JoinedCell], id: &str, values: &[&str]) -> Vec<u8> {
        let id = escape_formula(id);
        let mut cells = join_cells(group.iter().map(|cell| match cell {
            JoinedCell::Id => &*id,
            JoinedCell::Value(index) => values.get(*index).copied().unwrap_or_default(),
        }));
        if cells.is_empty() && self.has_one_column {
            cells.extend_from_slice(EMPTY_ROW);
        }
        cells
    }
}
