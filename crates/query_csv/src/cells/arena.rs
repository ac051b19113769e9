//! Ids and their cells side by side in one piece of memory.
//!
//! Pages drive everything else out of the processor's caches, so a look-up mostly waits for memory. Here it waits once: the
//! id that is compared and the cells that are copied lie next to each other.

use std::hash::{BuildHasher as _, Hasher as _};

use foldhash::fast::RandomState;
use hashbrown::HashTable;

/// How many bytes one offset has.
const OFFSET_BYTES: usize = 4;

/// Cells by id.
#[derive(Debug, Default)]
pub(crate) struct CellArena {
    /// Where the entry of an id begins in `memory`.
    entries: HashTable<u32>,
    /// Ids are chosen by the product, but the hash is seeded all the same.
    hasher: RandomState,
    /// Entries: the end of the id and of each group, counted from the beginning of the entry; then the id, then the groups.
    memory: Vec<u8>,
    /// How many groups an entry has.
    groups: usize,
}

/// The entry of an id.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Found<'a> {
    /// From the beginning of the entry on.
    entry: &'a [u8],
}

impl CellArena {
    /// The cells of an id.
    #[inline]
    pub(crate) fn find(&self, id: &[u8]) -> Option<Found<'_>> {
        let is_of_id = |at: &u32| id_at(&self.memory, *at, self.groups) == id;
        let at = *self.entries.find(hash(&self.hasher, id), is_of_id)?;
        Some(Found { entry: &self.memory[at as usize..] })
    }

    /// Adds the cells of an id that is not there. Every id has the same number of groups.
    pub(crate) fn insert(&mut self, id: &[u8], groups: impl ExactSizeIterator<Item = Vec<u8>>) {
        self.groups = groups.len();
        let at = offset(self.memory.len());
        let header = OFFSET_BYTES * (1 + self.groups);
        let mut entry = vec![0; header];
        entry.extend_from_slice(id);
        write_offset(&mut entry, 0);
        for (index, group) in groups.enumerate() {
            entry.extend_from_slice(&group);
            write_offset(&mut entry, index + 1);
        }
        self.memory.extend_from_slice(&entry);
        let (memory, hasher, groups) = (&self.memory, &self.hasher, self.groups);
        self.entries.insert_unique(hash(hasher, id), at, |at| hash(hasher, id_at(memory, *at, groups)));
    }

    /// How many bytes ids and cells take.
    pub(crate) fn bytes(&self) -> usize {
        self.memory.len()
    }

    /// How many ids are in it.
    pub(crate) fn ids(&self) -> usize {
        self.entries.len()
    }
}

impl<'a> Found<'a> {
    /// One group of cells of the id.
    #[inline]
    pub(crate) fn group(self, group: usize) -> &'a [u8] {
        &self.entry[read_offset(self.entry, group)..read_offset(self.entry, group + 1)]
    }
}

/// The id of the entry that begins here.
#[inline]
fn id_at(memory: &[u8], at: u32, groups: usize) -> &[u8] {
    let entry = &memory[at as usize..];
    &entry[OFFSET_BYTES * (1 + groups)..read_offset(entry, 0)]
}

#[inline]
fn read_offset(entry: &[u8], index: usize) -> usize {
    let bytes = entry[OFFSET_BYTES * index..].first_chunk().copied().unwrap_or_default();
    u32::from_le_bytes(bytes) as usize
}

/// The cache is emptied far below 4 GiB. An offset beyond that would make wrong rows.
fn offset(bytes: usize) -> u32 {
    u32::try_from(bytes).expect("the cells of a join have less than 4 GiB")
}

/// Writes the entry's present length as the offset with this index.
fn write_offset(entry: &mut [u8], index: usize) {
    let end = offset(entry.len());
    entry[OFFSET_BYTES * index..][..OFFSET_BYTES].copy_from_slice(&end.to_le_bytes());
}

#[inline]
fn hash(hasher: &RandomState, id: &[u8]) -> u64 {
    let mut hasher = hasher.build_hasher();
    hasher.write(id);
    hasher.finish()
}
