//! Where the bytes of an answer are taken out of the SDK.
//!
//! The SDK signs, sends, tries again and reads what an error says. Only the body of a good answer goes through a
//! [`Scan`] on its way: the hook comes before the SDK reads it, so each frame is scanned when it arrives. An answer that
//! is cut off or changed on the way is an error of the body, which the SDK answers by asking again.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use aws_sdk_dynamodb::config::ConfigBag;
use aws_sdk_dynamodb::config::interceptors::BeforeDeserializationInterceptorContextMut;
use aws_sdk_dynamodb::config::{Intercept, RuntimeComponents};
use aws_sdk_dynamodb::error::BoxError;
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use usage_export::dynamo::Item;
use usage_export::error::AwsError;

use crate::columns::Columns;
use crate::rows::{RowWriter, Rows};
use crate::scan::{Scan, ScanError};

/// The CRC-32 of the answer's body, which the SDK for Rust does not look at.
const CRC32: &str = "x-amz-crc32";

/// How many bytes the body has.
const CONTENT_LENGTH: &str = "content-length";

/// Scans the answer to one call. The copy that stays with the caller has the rows.
#[derive(Debug, Clone)]
pub struct Tap(Arc<Tapping>);

#[derive(Debug)]
struct Tapping {
    columns: Arc<Columns>,
    workspace_id: String,
    scan: Mutex<Option<Scan>>,
}

impl Tap {
    /// For a page of this workspace.
    pub fn new(columns: Arc<Columns>, workspace_id: &str) -> Self {
        Self(Arc::new(Tapping { columns, workspace_id: workspace_id.to_owned(), scan: Mutex::default() }))
    }

    /// A call that is tried again begins again.
    fn begin(&self, crc32: Option<u32>, length: usize) {
        let writer = self.writer(length);
        *self.scan() = Some(Scan::new(writer, crc32));
    }

    fn writer(&self, length: usize) -> RowWriter {
        RowWriter::new(Arc::clone(&self.0.columns), &self.0.workspace_id, length)
    }

    fn scan(&self) -> MutexGuard<'_, Option<Scan>> {
        self.0.scan.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn with<T>(&self, act: impl FnOnce(&mut Scan) -> Result<T, ScanError>) -> Result<T, ScanError> {
        self.scan().as_mut().map_or(Err(ScanError::CutOff), act)
    }

    /// The rows of the answer that the call ended with; `items` are those that the SDK read itself.
    ///
    /// # Errors
    ///
    /// [`AwsError::Corrupt`] if a record cannot be written.
    pub fn rows(&self, items: Option<&[Item]>) -> Result<Rows, AwsError> {
        match self.scan().take() {
            Some(scan) => scan.rows(),
            None => self.writer(0).rows_of(items.unwrap_or_default()),
        }
    }
}

impl Intercept for Tap {
    fn name(&self) -> &'static str {
        "Tap"
    }

    fn modify_before_deserialization(
        &self,
        context: &mut BeforeDeserializationInterceptorContextMut<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let response = context.response_mut();
        if response.status().as_u16() == 200 {
            let headers = response.headers();
            let crc32 = headers.get(CRC32).and_then(|text| text.parse().ok());
            let length = headers.get(CONTENT_LENGTH).and_then(|text| text.parse().ok()).unwrap_or_default();
            self.begin(crc32, length);
            let body = std::mem::replace(response.body_mut(), SdkBody::taken());
            *response.body_mut() = SdkBody::from_body_1_x(Tapped { body, tap: Some(self.clone()) });
        }
        Ok(())
    }
}

/// A body of which only the envelope is left.
struct Tapped {
    body: SdkBody,
    /// Until the end.
    tap: Option<Tap>,
}

impl Body for Tapped {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let Some(tap) = self.tap.clone() else { return Poll::Ready(None) };
        loop {
            match ready!(Pin::new(&mut self.body).poll_frame(context)) {
                Some(Ok(frame)) => {
                    if let Some(bytes) = frame.data_ref() {
                        tap.with(|scan| scan.feed(bytes))?;
                    }
                }
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => {
                    self.tap = None;
                    let envelope = tap.with(Scan::end)?;
                    return Poll::Ready(Some(Ok(Frame::data(envelope.into()))));
                }
            }
        }
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::default()
    }
}
