//! Cells that are known by the id of a workbook or a user, ready to be copied.
//!
//! Ids and cells lie side by side in one text. Pages go through the processor's caches all the time, so that what is
//! looked up has often left them: one place is fetched rather than two.

use std::hash::{BuildHasher as _, Hasher as _};

use foldhash::fast::RandomState;
use hashbrown::HashTable;

/// The most bytes of ids and cells, and the most ids, that are remembered. They bound memory; more are looked up again.
const MOST_BYTES: usize = 16 * 1024 * 1024;
const MOST_IDS: usize = 100_000;

/// The most pieces that a row has of one workbook: each of its fields by itself.
pub const MOST_PIECES: usize = 3;

/// Cells by id.
#[derive(Debug, Default)]
pub struct Known {
    places: HashTable<Place>,
    /// Ids are our own, but their hashes are seeded all the same.
    hashes: RandomState,
    text: Vec<u8>,
}

/// Where an id and its pieces are: each ends where the next begins.
#[derive(Debug, Clone, Copy)]
pub struct Place([u32; MOST_PIECES + 2]);

impl Known {
    /// Where the cells of this id are.
    #[inline]
    pub fn find(&self, id: &[u8]) -> Option<Place> {
        self.places.find(hash(&self.hashes, id), |place| place.id(&self.text) == id).copied()
    }

    /// A piece of the cells of an id.
    #[inline]
    pub fn piece(&self, place: Place, piece: usize) -> &[u8] {
        &self.text[place.0[piece + 1] as usize..place.0[piece + 2] as usize]
    }

    /// Adds the cells of an id that is not known, in no more than [`MOST_PIECES`] pieces.
    pub fn add(&mut self, id: &[u8], pieces: impl Iterator<Item = Vec<u8>>) -> Place {
        let mut place = Place([self.end(); MOST_PIECES + 2]);
        for (index, piece) in std::iter::once(id.to_vec()).chain(pieces).enumerate() {
            self.text.extend_from_slice(&piece);
            place.0[index + 1..].fill(self.end());
        }
        let (text, hashes) = (&self.text, &self.hashes);
        self.places.insert_unique(hash(hashes, id), place, |place| hash(hashes, place.id(text)));
        place
    }

    /// Forgets everything, if there is too much of it.
    pub fn make_room(&mut self) {
        if self.text.len() > MOST_BYTES || self.places.len() > MOST_IDS {
            *self = Self::default();
        }
    }

    fn end(&self) -> u32 {
        u32::try_from(self.text.len()).unwrap_or(u32::MAX)
    }
}

impl Place {
    #[inline]
    fn id(self, text: &[u8]) -> &[u8] {
        &text[self.0[0] as usize..self.0[1] as usize]
    }
}

#[inline]
fn hash(hashes: &RandomState, id: &[u8]) -> u64 {
    let mut hasher = hashes.build_hasher();
    hasher.write(id);
    hasher.finish()
}
