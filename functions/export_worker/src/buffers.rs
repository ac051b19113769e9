//! Memory that is used again. Fresh memory costs the kernel as much as writing the rows into it does.

use std::sync::{Mutex, PoisonError};

use bytes::Bytes;

use crate::text::Text;

/// The most that are kept: two parts of full pages, and what is read ahead.
const MOST: usize = 32;

/// Buffers that nobody uses.
#[derive(Debug, Default)]
pub struct Buffers(Mutex<Vec<Vec<u8>>>);

impl Buffers {
    /// An empty text with room for so many bytes.
    pub fn take(&self, room: usize) -> Text {
        let memory = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default();
        Text::new(memory, room)
    }

    /// Keeps a buffer.
    pub fn keep(&self, buffer: Vec<u8>) {
        let mut buffers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if buffers.len() < MOST {
            buffers.push(buffer);
        }
    }

    /// Keeps the memory of a text, if nobody else has it.
    pub fn keep_text(&self, text: Bytes) {
        if let Ok(text) = text.try_into_mut() {
            self.keep(text.into());
        }
    }
}
