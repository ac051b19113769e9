//! Memory that is used again: fresh pages of memory cost the kernel as much CPU as writing rows into them.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::write::RowBuffer;

/// How many bytes of unused memory are kept: those of two parts of an upload and of the pages that are read ahead.
const MAX_UNUSED_BYTES: usize = 24 * 1024 * 1024;

/// How much is reserved for the rows of one page at most, whatever length its answer announces. A page has up to 1 MB of
/// names and values, and the syntax of JSON around them.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Query.Pagination.html>
const MAX_RESERVED_BYTES: usize = 4 * 1024 * 1024;

/// A pool of buffers for the rows of pages. It keeps up to 24 MiB.
///
/// ```
/// let pool = query_csv::BufferPool::default();
/// pool.release(vec![0; 1024]);
/// ```
#[derive(Debug, Default)]
pub struct BufferPool {
    unused: Mutex<Unused>,
    /// How many bytes of rows the last page had for each 1024 bytes of its answer. With few columns that is a fraction, so
    /// the length of the answer alone would reserve too much.
    rows_per_1024: AtomicUsize,
}

#[derive(Debug, Default)]
struct Unused {
    buffers: Vec<Vec<u8>>,
    /// The capacity of all of them.
    bytes: usize,
}

impl BufferPool {
    /// An empty buffer with room for `room` bytes.
    pub(crate) fn acquire(&self, room: usize) -> RowBuffer {
        let mut unused = self.unused();
        let memory = unused.buffers.pop().unwrap_or_default();
        unused.bytes -= memory.capacity();
        drop(unused);
        RowBuffer::new(memory, room)
    }

    /// An empty buffer with room for the rows of an answer of `answer_bytes`, estimated from the page before.
    pub(crate) fn acquire_for_page(&self, answer_bytes: usize) -> RowBuffer {
        let estimate = answer_bytes.saturating_mul(self.rows_per_1024.load(Ordering::Relaxed)) / 1024;
        self.acquire(estimate.min(MAX_RESERVED_BYTES))
    }

    /// Remembers how long the rows of an answer were.
    pub(crate) fn record_page(&self, answer_bytes: usize, row_bytes: usize) {
        if answer_bytes > 0 {
            self.rows_per_1024.store((row_bytes * 1024).div_ceil(answer_bytes), Ordering::Relaxed);
        }
    }

    /// Takes a buffer back once nobody needs its bytes. Beyond 24 MiB it is freed instead.
    pub fn release(&self, buffer: Vec<u8>) {
        let mut unused = self.unused();
        if !cfg!(feature = "ablate_buffer_pool") && unused.bytes + buffer.capacity() <= MAX_UNUSED_BYTES {
            unused.bytes += buffer.capacity();
            unused.buffers.push(buffer);
        }
    }

    fn unused(&self) -> MutexGuard<'_, Unused> {
        self.unused.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
