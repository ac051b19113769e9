//! A part of the file: the texts of its pages, one after the other.
//!
//! They are not put together: the connection takes them as they are.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use aws_sdk_s3::primitives::ByteStream;
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

/// A part that is being filled.
#[derive(Debug, Clone, Default)]
pub struct Part {
    texts: VecDeque<Bytes>,
    bytes: usize,
    crc32: crc32fast::Hasher,
}

impl Part {
    /// Adds a text.
    pub fn push(&mut self, text: Vec<u8>) {
        if text.is_empty() {
            return;
        }
        self.crc32.update(&text);
        self.bytes += text.len();
        self.texts.push_back(text.into());
    }

    /// How many bytes are in it.
    pub fn len(&self) -> usize {
        self.bytes
    }

    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.bytes == 0
    }

    /// Its texts.
    pub fn into_texts(self) -> impl Iterator<Item = Bytes> {
        self.texts.into_iter()
    }

    /// Of its bytes.
    pub fn crc32(&self) -> &crc32fast::Hasher {
        &self.crc32
    }
}

impl From<Part> for ByteStream {
    /// A body that can be sent again.
    fn from(part: Part) -> Self {
        let body =
            move || SdkBody::from_body_1_x(PartBody { texts: part.texts.clone(), left: part.bytes as u64 });
        Self::new(SdkBody::retryable(body))
    }
}

/// A part on its way.
struct PartBody {
    texts: VecDeque<Bytes>,
    left: u64,
}

impl Body for PartBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.texts.pop_front().map(|text| {
            self.left -= text.len() as u64;
            Ok(Frame::data(text))
        }))
    }

    fn is_end_stream(&self) -> bool {
        self.texts.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}
