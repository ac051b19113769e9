//! The text of a page, while its rows are written.
//!
//! Cells are short: most have 20 to 60 bytes. Two copies of a known size, which overlap in the middle, put one into its
//! place without a call and without a loop. For that the memory is there already, with whatever was in it before.

/// By how much it grows at least.
const LEAST: usize = 4 * 1024;

/// Text that grows at its end.
#[derive(Debug, Default)]
pub struct Text {
    bytes: Vec<u8>,
    /// Where the text ends; what follows is not part of it.
    end: usize,
}

impl Text {
    /// An empty text in this memory, with room for so many bytes.
    pub fn new(memory: Vec<u8>, room: usize) -> Self {
        let mut text = Self { bytes: memory, end: 0 };
        if text.bytes.len() < room {
            text.grow(room);
        }
        text
    }

    /// Where it ends: how many bytes it has.
    pub fn end(&self) -> usize {
        self.end
    }

    /// Adds bytes.
    #[inline]
    pub fn put(&mut self, bytes: &[u8]) {
        let end = self.end + bytes.len();
        if end > self.bytes.len() {
            self.grow(end);
        }
        copy(&mut self.bytes[self.end..end], bytes);
        self.end = end;
    }

    /// Adds cells, and the comma after them.
    #[inline]
    pub fn put_cells(&mut self, cells: &[u8]) {
        let end = self.end + cells.len();
        if end >= self.bytes.len() {
            self.grow(end + 1);
        }
        copy(&mut self.bytes[self.end..end], cells);
        self.bytes[end] = b',';
        self.end = end + 1;
    }

    /// Takes the comma after the last cells away.
    pub fn take_comma(&mut self) {
        debug_assert!(self.end > 0, "after put_cells");
        self.end -= 1;
    }

    /// In small steps, and no more than that: the memory will be used again for texts as long as this one.
    #[cold]
    fn grow(&mut self, room: usize) {
        let more = room.saturating_sub(self.bytes.len()).max(self.bytes.len() / 8).max(LEAST);
        self.bytes.reserve_exact(more);
        self.bytes.resize(self.bytes.len() + more, 0);
    }

    /// The bytes.
    pub fn into_bytes(mut self) -> Vec<u8> {
        self.bytes.truncate(self.end);
        self.bytes
    }
}

/// Copies bytes to as many.
#[inline]
fn copy(to: &mut [u8], from: &[u8]) {
    match from.len() {
        0 => {}
        1 => to[0] = from[0],
        2..=3 => copy_ends::<2>(to, from),
        4..=7 => copy_ends::<4>(to, from),
        8..=16 => copy_ends::<8>(to, from),
        17..=32 => copy_ends::<16>(to, from),
        33..=64 => copy_ends::<32>(to, from),
        _ => to.copy_from_slice(from),
    }
}

/// Copies the first and the last `N` bytes: all of them, if there are no more than twice as many.
#[inline]
fn copy_ends<const N: usize>(to: &mut [u8], from: &[u8]) {
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

    use super::Text;

    proptest! {
        #[test]
        fn a_text_is_what_was_put_into_it(
            memory in proptest::collection::vec(0_u8.., 0..40),
            room in 0_usize..200,
            pieces in proptest::collection::vec((proptest::collection::vec(0_u8.., 0..130), 0..3), 0..12),
        ) {
            let (mut text, mut expected) = (Text::new(memory, room), Vec::new());
            for (piece, how) in &pieces {
                expected.extend_from_slice(piece);
                match how {
                    0 => text.put(piece),
                    1 => {
                        text.put_cells(piece);
                        expected.push(b',');
                    }
                    _ => {
                        text.put_cells(piece);
                        text.take_comma();
                    }
                }
            }
            prop_assert_eq!(text.end(), expected.len());
            prop_assert_eq!(text.into_bytes(), expected);
        }
    }
}
