//! Memory that is used again. Fresh memory costs the kernel as much as writing the rows into it does.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use crate::text::Text;

/// The most bytes that are kept: those of two parts and of what is read ahead.
const MOST_BYTES: usize = 24 * 1024 * 1024;

/// A page has up to 1 MB of names and values, and the signs of JSON around them. Whatever is said, no more is reserved.
const MOST_ROOM: usize = 4 * 1024 * 1024;

/// Buffers that nobody uses.
#[derive(Debug, Default)]
pub struct Buffers {
    unused: Mutex<Unused>,
    /// How many bytes of rows 1024 bytes of a page became last: a fraction with few columns, more with all.
    rows_of_1024: AtomicUsize,
}

#[derive(Debug, Default)]
struct Unused {
    buffers: Vec<Vec<u8>>,
    /// Of all of them.
    bytes: usize,
}

impl Buffers {
    /// An empty text with room for so many bytes.
    pub fn take(&self, room: usize) -> Text {
        let mut unused = self.unused();
        let memory = unused.buffers.pop().unwrap_or_default();
        unused.bytes -= memory.capacity();
        drop(unused);
        Text::new(memory, room)
    }

    /// An empty text with room for the rows of a page of so many bytes, as far as the page before tells.
    pub fn take_for_page(&self, length: usize) -> Text {
        let room = length.saturating_mul(self.rows_of_1024.load(Ordering::Relaxed)) / 1024;
        self.take(room.min(MOST_ROOM))
    }

    /// Learns how many bytes a page's rows have.
    pub fn learn(&self, length: usize, rows: usize) {
        if length > 0 {
            self.rows_of_1024.store((rows * 1024).div_ceil(length), Ordering::Relaxed);
        }
    }

    /// Keeps a buffer.
    pub fn keep(&self, buffer: Vec<u8>) {
        let mut unused = self.unused();
        if unused.bytes + buffer.capacity() <= MOST_BYTES {
            unused.bytes += buffer.capacity();
            unused.buffers.push(buffer);
        }
    }

    /// Keeps the memory of a text, if nobody else has it.
    pub fn keep_text(&self, text: Bytes) {
        if let Ok(text) = text.try_into_mut() {
            self.keep(text.into());
        }
    }

    fn unused(&self) -> MutexGuard<'_, Unused> {
        self.unused.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
