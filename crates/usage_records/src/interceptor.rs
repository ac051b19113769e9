//! Intercepts the body of an answer of `Query` before the SDK parses it.
//!
//! The SDK signs, sends, retries and reads errors. Only the body of a good answer passes through a [`PageReader`] on its
//! way to the SDK, which gets what is left of it: the counts and the key of the next page. An answer that is cut off or
//! changed on the way is an error of the body, which the SDK answers by asking again.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::task::{Context, Poll, ready};

use aws_sdk_dynamodb::config::ConfigBag;
use aws_sdk_dynamodb::config::interceptors::BeforeDeserializationInterceptorContextMut;
use aws_sdk_dynamodb::config::{Intercept, RuntimeComponents};
use aws_sdk_dynamodb::error::BoxError;
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use query_csv::{Page, PageError, PageReader, RecordError};

use crate::selection::Selection;

/// The header with the CRC-32 of the answer's body, which the SDK for Rust does not compare.
const CRC32: &str = "x-amz-crc32";

/// Receives the page of a call. A call that was retried may send several: the last one counts.
pub type PageReceiver = Receiver<Result<Page, RecordError>>;

/// Reads the answer to one call of `Query`.
#[derive(Debug)]
pub struct QueryInterceptor {
    selection: Arc<Selection>,
    workspace: [String; 2],
    pages: Sender<Result<Page, RecordError>>,
}

impl QueryInterceptor {
    /// An interceptor for a page of the workspace with this id and name, and where its page arrives.
    pub fn new(selection: Arc<Selection>, workspace: [String; 2]) -> (Self, PageReceiver) {
        let (pages, receiver) = channel();
        (Self { selection, workspace, pages }, receiver)
    }

    fn reader(&self, crc32: Option<u32>) -> PageReader {
        let Selection { layout, cells, pool, .. } = &*self.selection;
        PageReader::new(layout, cells, pool, &self.workspace.each_ref().map(String::as_str), crc32)
    }
}

impl Intercept for QueryInterceptor {
    fn name(&self) -> &'static str {
        "QueryInterceptor"
    }

    fn modify_before_deserialization(
        &self,
        context: &mut BeforeDeserializationInterceptorContextMut<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let response = context.response_mut();
        if response.status().as_u16() == 200 {
            // A header that is not a number would leave a changed answer undetected, so it is an error.
            let crc32 = response.headers().get(CRC32).map(str::parse).transpose()?;
            let envelope = EnvelopeBody {
                body: std::mem::replace(response.body_mut(), SdkBody::taken()),
                reader: Some(self.reader(crc32)),
                pages: self.pages.clone(),
            };
            *response.body_mut() = SdkBody::from_body_1_x(envelope);
        }
        Ok(())
    }
}

/// The body of an answer, of which the SDK sees the envelope only.
struct EnvelopeBody {
    body: SdkBody,
    /// `None` after the end of the answer, and after an error.
    reader: Option<PageReader>,
    pages: Sender<Result<Page, RecordError>>,
}

impl EnvelopeBody {
    /// Sends the page on and returns what the SDK gets. A record that cannot be written is no error of the body, because
    /// asking again would not change it.
    fn finish(&self, reader: PageReader) -> Result<Bytes, PageError> {
        let (page, envelope) = match reader.finish() {
            Ok(mut page) => {
                let envelope = std::mem::take(&mut page.envelope);
                (Ok(page), envelope)
            }
            Err(PageError::Record(error)) => (Err(error), b"{}".to_vec()),
            Err(error) => return Err(error),
        };
        // Nobody waits for the page of a call that was given up.
        let _ = self.pages.send(page);
        Ok(envelope.into())
    }
}

impl Body for EnvelopeBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        loop {
            let Self { body, reader: Some(reader), .. } = &mut *self else { return Poll::Ready(None) };
            match ready!(Pin::new(body).poll_frame(context)) {
                Some(Ok(frame)) => {
                    if let Some(bytes) = frame.data_ref()
                        && let Err(error) = reader.feed(bytes)
                    {
                        self.reader = None;
                        return Poll::Ready(Some(Err(error.into())));
                    }
                }
                Some(Err(error)) => {
                    self.reader = None;
                    return Poll::Ready(Some(Err(error)));
                }
                None => {
                    let Some(reader) = self.reader.take() else { return Poll::Ready(None) };
                    let envelope = self.finish(reader)?;
                    return Poll::Ready(Some(Ok(Frame::data(envelope))));
                }
            }
        }
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::default()
    }
}
