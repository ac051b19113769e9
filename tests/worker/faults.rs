//! What goes wrong between the worker and AWS: an HTTP client that stands between the SDK and the emulator.
//!
//! It records every attempt of every call. A test can answer the calls of an operation itself: with a recorded error, or
//! with what the emulator says, later, changed or not at all.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Arc, LazyLock, Mutex};

use aws_sdk_s3::config::http::{HttpRequest, HttpResponse};
use aws_sdk_s3::config::{HttpClient, RuntimeComponents, SharedHttpClient};
use aws_sdk_s3::primitives::{ByteStream, SdkBody};
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::result::ConnectorError;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures::future::BoxFuture;
use tokio::sync::Notify;

use crate::sent::{Sent, operation};

static HTTP: LazyLock<SharedHttpClient> = LazyLock::new(|| {
    aws_smithy_http_client::Builder::new().tls_provider(Provider::Rustls(CryptoMode::AwsLc)).build_https()
});

pub type Answer = Result<HttpResponse, ConnectorError>;

type Fault = Arc<dyn Fn(Call, usize) -> BoxFuture<'static, Answer> + Send + Sync>;

/// An attempt of a call that a fault decides on.
pub struct Call {
    pub sent: Arc<Sent>,
    request: HttpRequest,
    emulator: SharedHttpConnector,
}

impl Call {
    /// What the emulator answers.
    pub async fn send(self) -> Answer {
        self.emulator.call(self.request).await
    }
}

/// An answer that was recorded.
#[expect(clippy::unnecessary_wraps, reason = "it is what a fault returns")]
pub fn answer(status: u16, body: impl Into<String>) -> Answer {
    Ok(HttpResponse::new(status.try_into().unwrap(), SdkBody::from(body.into())))
}

/// The answer of a service that speaks JSON to a call that it refuses.
pub fn error(status: u16, code: &str) -> Answer {
    answer(status, format!(r#"{{"__type":"{code}","message":"no"}}"#))
}

/// The request was sent, and the connection is gone.
pub fn no_answer() -> Answer {
    Err(ConnectorError::io("the connection was closed".into()))
}

/// What SQS answers to a message that it takes. A test that answers so keeps the message from the deployed worker.
pub const SENT: &str = r#"{"MessageId":"00000000-0000-0000-0000-000000000001","MD5OfMessageBody":"0"}"#;

/// A CRC-32 as S3 writes it.
pub fn crc32(bytes: &[u8]) -> String {
    STANDARD.encode(crc32fast::hash(bytes).to_be_bytes())
}

/// A place in a worker's life: before one of its calls, counted from 0, or after it.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    pub call: usize,
    pub is_after: bool,
}

/// A worker that waits at a [`Moment`].
#[derive(Clone, Default)]
pub struct Pause {
    /// Is told that the worker is there.
    pub reached: Arc<Notify>,
    /// Lets it go on. A worker that is to die there is dropped instead.
    pub go_on: Arc<Notify>,
}

impl Pause {
    async fn wait(&self) {
        self.reached.notify_one();
        self.go_on.notified().await;
    }
}

/// All that was sent, and the faults of the operations that have one.
#[derive(Clone, Default)]
pub struct Faults {
    sent: Arc<Mutex<Vec<Arc<Sent>>>>,
    by_operation: Arc<Mutex<HashMap<String, (Fault, usize)>>>,
    pause: Arc<Mutex<Option<(Moment, Pause)>>>,
}

impl Faults {
    /// From now on `fault` answers this operation. It is told how many calls came to it before.
    pub fn on<F>(&self, operation: &str, fault: impl Fn(Call, usize) -> F + Send + Sync + 'static)
    where
        F: Future<Output = Answer> + Send + 'static,
    {
        let fault: Fault = Arc::new(move |call, nth| Box::pin(fault(call, nth)));
        self.by_operation.lock().unwrap().insert(operation.to_owned(), (fault, 0));
    }

    /// Makes the worker wait at this moment of its life so far.
    pub fn pause_at(&self, moment: Moment) -> Pause {
        let pause = Pause::default();
        *self.pause.lock().unwrap() = Some((moment, pause.clone()));
        pause
    }

    /// How many calls were sent.
    pub fn calls(&self) -> usize {
        self.sent.lock().unwrap().len()
    }

    /// The last call that was sent.
    pub fn last(&self) -> Arc<Sent> {
        Arc::clone(self.sent.lock().unwrap().last().unwrap())
    }

    /// Ends all faults: from now on the emulator answers.
    pub fn end(&self) {
        self.by_operation.lock().unwrap().clear();
    }

    /// The attempts of an operation's calls, in the order in which they were sent.
    pub fn sent(&self, operation: &str) -> Vec<Arc<Sent>> {
        let sent = self.sent.lock().unwrap();
        sent.iter().filter(|sent| sent.operation == operation).cloned().collect()
    }

    /// What AWS needs in a request, or relies on, and the emulator does not look at.
    fn assert_well_formed(&self, sent: &Sent) {
        match sent.operation.as_str() {
            "Query" if sent.json().get("IndexName").is_none() => {
                assert_eq!(sent.json()["ConsistentRead"], true);
            }
            "CreateMultipartUpload" => assert_eq!(sent.header("x-amz-checksum-type"), "FULL_OBJECT"),
            "UploadPart" => {
                assert_eq!(sent.header("x-amz-checksum-crc32"), crc32(&sent.body));
                assert_eq!(sent.header("content-length"), sent.body.len().to_string());
            }
            "CompleteMultipartUpload" => {
                assert_eq!(sent.header("x-amz-checksum-type"), "FULL_OBJECT");
                let body = String::from_utf8(sent.body.clone()).unwrap();
                let is_of_file = |number: i32| body.contains(&format!("<PartNumber>{number}</PartNumber>"));
                let parts = self.sent("UploadPart").into_iter().chain(self.sent("UploadPartCopy"));
                let of_upload = parts.filter(|part| part.parameter("uploadId") == sent.parameter("uploadId"));
                let sizes: BTreeMap<_, _> = of_upload.map(|part| (part.part_number(), part.size())).collect();
                let size = sizes
                    .iter()
                    .filter(|(number, _)| is_of_file(**number))
                    .map(|(_, size)| size)
                    .sum::<usize>();
                assert_eq!(sent.header("x-amz-mp-object-size"), size.to_string());
            }
            // S3 takes none without a checksum.
            "DeleteObjects" => assert_eq!(sent.header("x-amz-checksum-crc32"), crc32(&sent.body)),
            "HeadObject" => assert_eq!(sent.header("x-amz-checksum-mode"), "ENABLED"),
            _ => {}
        }
    }

    fn fault_of(&self, operation: &str) -> Option<(Fault, usize)> {
        let mut faults = self.by_operation.lock().unwrap();
        let (fault, calls) = faults.get_mut(operation)?;
        *calls += 1;
        Some((Arc::clone(fault), *calls - 1))
    }

    async fn call(self, request: HttpRequest, emulator: SharedHttpConnector) -> Answer {
        // As a retry would send it.
        let body = request.body().try_clone().expect("a body that can be sent again");
        let headers = request.headers().iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
        let sent = Arc::new(Sent {
            operation: operation(&request),
            uri: request.uri().to_owned(),
            headers: headers.collect(),
            body: ByteStream::new(body).collect().await.unwrap().into_bytes().to_vec(),
        });
        let number = {
            let mut all = self.sent.lock().unwrap();
            all.push(Arc::clone(&sent));
            all.len() - 1
        };
        self.assert_well_formed(&sent);
        let fault = self.fault_of(&sent.operation);
        let pause = self.pause.lock().unwrap().clone().filter(|(moment, _)| moment.call == number);
        if let Some((Moment { is_after: false, .. }, pause)) = &pause {
            pause.wait().await;
        }
        let call = Call { sent, request, emulator };
        let answer = match fault {
            Some((fault, nth)) => fault(call, nth).await,
            None => call.send().await,
        };
        if let Some((Moment { is_after: true, .. }, pause)) = &pause {
            pause.wait().await;
        }
        answer
    }
}

impl fmt::Debug for Faults {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Faults")
    }
}

impl HttpClient for Faults {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        let emulator = HTTP.http_connector(settings, components);
        SharedHttpConnector::new(Connector { faults: self.clone(), emulator })
    }
}

#[derive(Clone, Debug)]
struct Connector {
    faults: Faults,
    emulator: SharedHttpConnector,
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        HttpConnectorFuture::new(self.faults.clone().call(request, self.emulator.clone()))
    }
}
