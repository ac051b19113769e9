//! The bytes of an object, or of a part of an upload.

use std::ops::Range;
use std::time::Instant;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::{Bytes, BytesMut};

/// Bytes in memory. Copies share them.
#[derive(Debug, Clone)]
pub struct Object {
    pieces: Vec<Bytes>,
    /// How many bytes there are.
    pub bytes: u64,
    /// Their CRC-32.
    pub crc32: u32,
    /// When the object was written.
    pub written: Instant,
}

impl Object {
    /// Takes these bytes.
    pub fn new(body: Bytes, now: Instant) -> Self {
        let (bytes, crc32) = (body.len() as u64, crc32fast::hash(&body));
        Self { pieces: vec![body], bytes, crc32, written: now }
    }

    /// Joins parts, in this order.
    pub fn joined<'a>(parts: impl Iterator<Item = &'a Self>, now: Instant) -> Self {
        let (mut pieces, mut bytes, mut crc32) = (Vec::new(), 0, crc32fast::Hasher::new());
        for part in parts {
            pieces.extend_from_slice(&part.pieces);
            bytes += part.bytes;
            crc32.combine(&crc32fast::Hasher::new_with_initial_len(part.crc32, part.bytes));
        }
        Self { pieces, bytes, crc32: crc32.finalize(), written: now }
    }

    /// A copy of a range, which must lie within the object.
    pub fn slice(&self, range: Range<u64>, now: Instant) -> Self {
        if range == (0..self.bytes) {
            return Self { written: now, ..self.clone() };
        }
        let (mut at, mut pieces, mut crc32) = (0, Vec::new(), crc32fast::Hasher::new());
        for piece in &self.pieces {
            let length = piece.len() as u64;
            let [from, to] = [range.start, range.end].map(|bound| bound.clamp(at, at + length) - at);
            let [from, to] = [from, to].map(|bound| usize::try_from(bound).unwrap_or(usize::MAX));
            if from < to {
                crc32.update(&piece[from..to]);
                pieces.push(piece.slice(from..to));
            }
            at += length;
        }
        Self { pieces, bytes: range.end - range.start, crc32: crc32.finalize(), written: now }
    }

    /// Whether these are its bytes.
    pub fn equals(&self, expected: &[u8]) -> bool {
        let mut rest = expected;
        let has_prefix = |piece: &Bytes| rest.strip_prefix(&**piece).map(|behind| rest = behind).is_some();
        self.pieces.iter().all(has_prefix) && self.bytes == expected.len() as u64
    }

    /// All bytes side by side.
    pub fn to_bytes(&self) -> Bytes {
        let mut bytes = BytesMut::new();
        self.pieces.iter().for_each(|piece| bytes.extend_from_slice(piece));
        bytes.freeze()
    }

    /// What tells it from others: the same for the same bytes.
    pub fn etag(&self) -> String {
        format!("\"{:08x}-{}\"", self.crc32, self.bytes)
    }

    /// Its CRC-32 in the form of S3's API.
    pub fn checksum(&self) -> String {
        STANDARD.encode(self.crc32.to_be_bytes())
    }
}
