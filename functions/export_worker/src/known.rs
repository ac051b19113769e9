//! Cells that are known by the id of a workbook or a user, ready to be copied.

use std::collections::HashMap;

/// The most bytes of cells, and the most ids, that are remembered. They bound memory; more are looked up again.
const MOST_BYTES: usize = 16 * 1024 * 1024;
const MOST_IDS: usize = 100_000;

/// The most pieces that a row has of one workbook: each of its fields by itself.
pub const MOST_PIECES: usize = 3;

/// Cells by id.
#[derive(Debug, Default)]
pub struct Known {
    /// Ids are our own, but their hashes are seeded all the same.
    places: HashMap<Box<[u8]>, Place, foldhash::fast::RandomState>,
    text: Vec<u8>,
}

/// Where the pieces of one id are: each ends where the next begins.
#[derive(Debug, Clone, Copy)]
pub struct Place([u32; MOST_PIECES + 1]);

impl Known {
    /// Where the cells of this id are.
    pub fn find(&self, id: &[u8]) -> Option<Place> {
        self.places.get(id).copied()
    }

    /// A piece of the cells of an id.
    pub fn piece(&self, place: Place, piece: usize) -> &[u8] {
        &self.text[place.0[piece] as usize..place.0[piece + 1] as usize]
    }

    /// Adds the cells of an id, in no more than [`MOST_PIECES`] pieces.
    pub fn add(&mut self, id: &[u8], pieces: impl Iterator<Item = Vec<u8>>) -> Place {
        let mut place = Place([self.end(); MOST_PIECES + 1]);
        for (index, piece) in pieces.enumerate() {
            self.text.extend_from_slice(&piece);
            place.0[index + 1..].fill(self.end());
        }
        self.places.insert(id.into(), place);
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
