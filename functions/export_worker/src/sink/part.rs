//! A part of the file: the rows of its pages, one after the other.
//!
//! They are not copied together: the connection takes them one by one.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use aws_sdk_s3::primitives::ByteStream;
use aws_smithy_types::body::SdkBody;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use query_csv::BufferPool;

/// A part that is being filled, or that is in flight. Its clones share the rows.
#[derive(Debug, Clone, Default)]
pub struct Part {
    pages: VecDeque<Bytes>,
    len: usize,
    crc32: crc32fast::Hasher,
}

impl Part {
    /// Appends the rows of a page.
    pub fn push(&mut self, rows: impl Into<Bytes>) {
        let rows = rows.into();
        self.crc32.update(&rows);
        self.len += rows.len();
        self.pages.push_back(rows);
    }

    /// How many bytes it has.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether it has no bytes.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Gives the memory of its rows to the pool. Memory that a clone still uses is left alone.
    pub fn release(self, pool: &BufferPool) {
        for rows in self.pages {
            if let Ok(rows) = rows.try_into_mut() {
                pool.release(rows.into());
            }
        }
    }

    /// The CRC-32 of its bytes so far.
    pub fn crc32(&self) -> &crc32fast::Hasher {
        &self.crc32
    }
}

impl From<Part> for ByteStream {
    /// A body that can be sent again when an attempt fails.
    fn from(part: Part) -> Self {
        let body = move || {
            SdkBody::from_body_1_x(PartBody { pages: part.pages.clone(), bytes_left: part.len as u64 })
        };
        Self::new(SdkBody::retryable(body))
    }
}

/// The body of an `UploadPart` request.
struct PartBody {
    pages: VecDeque<Bytes>,
    bytes_left: u64,
}

impl Body for PartBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.pages.pop_front().map(|rows| {
            self.bytes_left -= rows.len() as u64;
            Ok(Frame::data(rows))
        }))
    }

    fn is_end_stream(&self) -> bool {
        self.pages.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.bytes_left)
    }
}

/// A CRC-32 in the form of S3's API: big-endian, in base64.
pub(super) fn base64_crc32(crc32: u32) -> String {
    STANDARD.encode(crc32.to_be_bytes())
}
