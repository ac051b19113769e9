//! Cells by id in a `HashMap` of std: what the ablation compares the arena with.

use std::collections::HashMap;

/// Cells by id.
#[derive(Debug, Default)]
pub(crate) struct CellArena {
    entries: HashMap<Box<[u8]>, Box<[Vec<u8>]>, foldhash::fast::RandomState>,
    bytes: usize,
}

/// The entry of an id.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Found<'a>(&'a [Vec<u8>]);

impl CellArena {
    /// The cells of an id.
    pub(crate) fn find(&self, id: &[u8]) -> Option<Found<'_>> {
        self.entries.get(id).map(|groups| Found(groups))
    }

    /// Adds the cells of an id that is not there.
    pub(crate) fn insert(&mut self, id: &[u8], groups: impl Iterator<Item = Vec<u8>>) {
        let groups: Box<[_]> = groups.collect();
        self.bytes += id.len() + groups.iter().map(Vec::len).sum::<usize>();
        self.entries.insert(id.into(), groups);
    }

    /// How many bytes ids and cells take.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// How many ids are in it.
    pub(crate) fn ids(&self) -> usize {
        self.entries.len()
    }
}

impl<'a> Found<'a> {
    /// One group of cells of the id.
    pub(crate) fn group(self, group: usize) -> &'a [u8] {
        &self.0[group]
    }
}
