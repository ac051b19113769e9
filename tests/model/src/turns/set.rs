//! A set of exports.

use super::EXPORTS;

/// A set of exports, by their numbers. Lower ones are older.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Set(u8);

impl Set {
    pub fn first(count: usize) -> Self {
        Self((1 << count) - 1)
    }

    pub fn has(self, export: usize) -> bool {
        self.0 & (1 << export) != 0
    }

    pub fn add(&mut self, export: usize) {
        self.0 |= 1 << export;
    }

    pub fn remove(&mut self, export: usize) {
        self.0 &= !(1 << export);
    }

    pub fn len(self) -> usize {
        self.0.count_ones() as usize
    }

    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    #[must_use]
    pub fn oldest(self, count: usize) -> Self {
        let mut oldest = Self::default();
        (0..EXPORTS).filter(|export| self.has(*export)).take(count).for_each(|export| oldest.add(export));
        oldest
    }
}
