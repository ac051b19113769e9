//! The bytes of a page's rows while they are written.
//!
//! Cells are short: most have 20 to 60 bytes. So a cell is copied as two pieces of a fixed size that overlap in its middle,
//! without a call of `memcpy` and without a loop. For that the memory behind the rows is initialized already, with whatever
//! was in it before.

/// By how many bytes the buffer grows at least.
const MIN_GROWTH_BYTES: usize = 4 * 1024;

/// Bytes to which cells are appended.
#[derive(Debug, Default)]
pub(crate) struct RowBuffer {
    memory: Vec<u8>,
    /// How many bytes of `memory` are rows; the rest is not part of them.
    len: usize,
}

impl RowBuffer {
    /// An empty buffer in this memory, with room for `room` bytes.
    pub(crate) fn new(memory: Vec<u8>, room: usize) -> Self {
        let mut buffer = Self { memory, len: 0 };
        if buffer.memory.len() < room {
            buffer.grow(room);
        }
        buffer
    }

    /// How many bytes are in it.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Appends bytes.
    #[inline]
    pub(crate) fn put(&mut self, bytes: &[u8]) {
        let end = self.len + bytes.len();
        if end > self.memory.len() {
            self.grow(end);
        }
        copy(&mut self.memory[self.len..end], bytes);
        self.len = end;
    }

    /// Appends a group of cells and a comma.
    #[inline]
    pub(crate) fn put_cells(&mut self, cells: &[u8]) {
        let end = self.len + cells.len();
        if end >= self.memory.len() {
            self.grow(end + 1);
        }
        copy(&mut self.memory[self.len..end], cells);
        self.memory[end] = b',';
        self.len = end + 1;
    }

    /// Removes the comma that [`RowBuffer::put_cells`] appended last.
    pub(crate) fn remove_comma(&mut self) {
        debug_assert!(self.len > 0, "no cells were put");
        self.len -= 1;
    }

    /// Grows in small steps, because the pool keeps the memory for pages as long as this one.
    #[cold]
    fn grow(&mut self, room: usize) {
        let growth = room.saturating_sub(self.memory.len()).max(self.memory.len() / 8).max(MIN_GROWTH_BYTES);
        self.memory.reserve_exact(growth);
        self.memory.resize(self.memory.len() + growth, 0);
    }

    /// The rows.
    pub(crate) fn into_bytes(mut self) -> Vec<u8> {
        self.memory.truncate(self.len);
        self.memory
    }
}

/// Copies all bytes of `from` to `to`, which has the same length.
#[inline]
fn copy(to: &mut [u8], from: &[u8]) {
    if cfg!(feature = "ablate_overlapping_copies") {
        return to.copy_from_slice(from);
    }
    match from.len() {
        0 => {}
        1 => to[0] = from[0],
        2..=3 => copy_both_ends::<2>(to, from),
        4..=7 => copy_both_ends::<4>(to, from),
        8..=16 => copy_both_ends::<8>(to, from),
        17..=32 => copy_both_ends::<16>(to, from),
        33..=64 => copy_both_ends::<32>(to, from),
        _ => to.copy_from_slice(from),
    }
}

/// Copies the first and the last `N` bytes, which is everything when there are `N` to `2 * N` of them.
#[inline]
fn copy_both_ends<const N: usize>(to: &mut [u8], from: &[u8]) {
    if let (Some(to), Some(from)) = (to.first_chunk_mut::<N>(), from.first_chunk()) {
        *to = *from;
    }
    if let (Some(to), Some(from)) = (to.last_chunk_mut::<N>(), from.last_chunk()) {
        *to = *from;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{prop_assert_eq, proptest};

    use super::RowBuffer;

    proptest! {
        #[test]
        fn holds_exactly_what_was_put(
            memory in proptest::collection::vec(0_u8.., 0..40),
            room in 0_usize..200,
            pieces in proptest::collection::vec((proptest::collection::vec(0_u8.., 0..130), 0..3), 0..12),
        ) {
            let (mut buffer, mut expected) = (RowBuffer::new(memory, room), Vec::new());
            for (piece, how) in &pieces {
                expected.extend_from_slice(piece);
                match how {
                    0 => buffer.put(piece),
                    1 => {
                        buffer.put_cells(piece);
                        expected.push(b',');
                    }
                    _ => {
                        buffer.put_cells(piece);
                        buffer.remove_comma();
                    }
                }
            }
            prop_assert_eq!(buffer.len(), expected.len());
            prop_assert_eq!(buffer.into_bytes(), expected);
        }
    }
}
