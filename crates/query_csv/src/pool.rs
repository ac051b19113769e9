//! Memory that is used again: fresh pages of memory cost the kernel as much CPU as writing rows into them.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// How many bytes of unused memory are kept: those of a part of an upload and of the pages that are read ahead.
const MAX_UNUSED_BYTES: usize = 9 * 1024 * 1024;

/// The sizes of buffers are multiples of this: the pages of a file have about the same size, so that most fit.
const STEP: usize = 32 * 1024;

/// A pool of buffers for the rows of pages. It keeps up to 9 MiB.
///
/// ```
/// let pool = query_csv::BufferPool::default();
/// pool.release(vec![0; 1024]);
/// ```
#[derive(Debug, Default)]
pub struct BufferPool {
    unused: Mutex<Unused>,
}

#[derive(Debug, Default)]
struct Unused {
    buffers: Vec<Vec<u8>>,
    /// The capacity of all of them.
    bytes: usize,
    /// How many bytes the largest page had so far. A buffer that grows by itself would double, and be half empty.
    largest: usize,
}

impl BufferPool {
    /// An empty buffer. Mostly it has room for a page already.
    pub(crate) fn acquire(&self) -> Vec<u8> {
        let mut unused = self.unused();
        let mut buffer = unused.buffers.pop().unwrap_or_default();
        unused.bytes -= buffer.capacity();
        let largest = unused.largest;
        drop(unused);
        buffer.clear();
        buffer.reserve_exact(largest.next_multiple_of(STEP));
        buffer
    }

    /// Takes a buffer back once nobody needs its bytes. Beyond 9 MiB it is freed instead.
    pub fn release(&self, buffer: Vec<u8>) {
        let mut unused = self.unused();
        unused.largest = unused.largest.max(buffer.len());
        if !cfg!(feature = "ablate_buffer_pool") && unused.bytes + buffer.capacity() <= MAX_UNUSED_BYTES {
            unused.bytes += buffer.capacity();
            unused.buffers.push(buffer);
        }
    }

    fn unused(&self) -> MutexGuard<'_, Unused> {
        self.unused.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
