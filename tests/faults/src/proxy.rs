//! A proxy between the functions and the emulator of AWS, which spoils some of the calls.
//!
//! Functions find it by `AWS_ENDPOINT_URL`. A request without a fault reaches the emulator unchanged, and so does its answer.
//! [`Faults`] is the handle that sets the rules while exports run.

mod answers;
mod emails;
mod faults;
mod operation;
mod rule;
#[cfg(test)]
mod tests;
mod worker_keys;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{
    CONNECTION, CONTENT_LENGTH, EXPECT, HeaderMap, HeaderName, HeaderValue, TRANSFER_ENCODING,
};
use hyper::http::request::Parts;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, Uri};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use self::answers::Body;
use self::emails::Step;
use self::faults::Decision;
pub use self::faults::{Counts, Faults};
use self::operation::Operation;
pub use self::rule::{Fault, Rule};
use self::worker_keys::WorkerKeys;
use crate::killer::Killer;

/// Headers that describe one connection, or how a body is sent on it.
const HOP_BY_HOP: [HeaderName; 4] =
    [CONNECTION, EXPECT, TRANSFER_ENCODING, HeaderName::from_static("keep-alive")];

/// Longer bodies are parts of files, in which no rule looks for a text.
const MAX_SEARCHED_BYTES: usize = 1024 * 1024;

/// Forwards until it is dropped.
pub struct Proxy {
    /// Where it listens.
    pub address: SocketAddr,
    task: JoinHandle<()>,
}

impl Proxy {
    /// Listens at this port of 127.0.0.1 (0 for any) and forwards to the emulator. `killer` finds the worker that makes a
    /// call, for the faults that kill or freeze it.
    ///
    /// # Errors
    ///
    /// Fails if it cannot listen there.
    pub async fn start(port: u16, emulator_url: &str, faults: Faults, killer: Killer) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", port)).await?;
        let address = listener.local_addr()?;
        let upstream = Arc::new(Upstream {
            // A connection for each request: one that is kept alive may be closed just when it is used again, which would
            // be a fault that nobody counts.
            client: Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build_http(),
            url: emulator_url.to_owned(),
            faults,
            killer,
            worker_keys: WorkerKeys::default(),
        });
        Ok(Self { address, task: tokio::spawn(accept(listener, upstream)) })
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Upstream {
    client: Client<HttpConnector, Full<Bytes>>,
    url: String,
    faults: Faults,
    killer: Killer,
    worker_keys: WorkerKeys,
}

async fn accept(listener: TcpListener, upstream: Arc<Upstream>) {
    loop {
        let Ok((stream, caller)) = listener.accept().await else { continue };
        let upstream = Arc::clone(&upstream);
        let service = service_fn(move |request| answer(Arc::clone(&upstream), caller, request));
        // An error of the connection is for the function to handle: most are made on purpose.
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}

/// Answers one request. An error closes the connection without an answer.
async fn answer(
    upstream: Arc<Upstream>,
    caller: SocketAddr,
    request: Request<Incoming>,
) -> io::Result<Response<Body>> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    let operation = Operation::of(&head);
    let email = Step::of(&operation.name, &body);
    let call = Call { operation, email, head, body, caller };
    // In a task of its own: a service that has got a request does its work also when the caller has died since.
    tokio::spawn(call.answer(upstream)).await.map_err(io::Error::other)?
}

struct Call {
    operation: Operation,
    /// What it does about an email.
    email: Option<Step>,
    head: Parts,
    body: Bytes,
    /// The other end of the connection.
    caller: SocketAddr,
}

impl Call {
    fn decide(&self, upstream: &Upstream) -> Decision {
        let is_worker = || upstream.worker_keys.is_worker(upstream.killer, self.caller, &self.head.headers);
        let decision = upstream.faults.decide(&self.operation, |text| self.names(text), is_worker);
        if let (Some(step), Some(fault)) = (&self.email, decision.fault) {
            upstream.faults.email_hit(step, fault, |text| self.names(text));
        }
        decision
    }

    async fn answer(self, upstream: Arc<Upstream>) -> io::Result<Response<Body>> {
        let upstream = &*upstream;
        let decision = self.decide(upstream);
        if !decision.delay.is_zero() {
            tokio::time::sleep(decision.delay).await;
        }
        match decision.fault {
            None | Some(Fault::Delay(_)) => Ok(answers::whole(self.forward(upstream).await?)),
            Some(Fault::Throttle) => Ok(answers::throttled(self.operation.service)),
            Some(Fault::Refuse) => Ok(answers::refused(self.operation.service)),
            Some(Fault::ServerError) => Ok(answers::server_error(self.operation.service)),
            Some(Fault::LoseRequest) => Err(lost()),
            Some(Fault::LoseAnswer) => {
                self.forward(upstream).await?;
                Err(lost())
            }
            Some(Fault::Truncate) => answers::truncated(self.forward(upstream).await?).ok_or_else(lost),
            Some(Fault::FlipBit) => {
                let bit = upstream.faults.random_below(usize::MAX);
                Ok(answers::with_flipped_bit(self.forward(upstream).await?, bit))
            }
            Some(Fault::Duplicate) => {
                self.forward(upstream).await?;
                Ok(answers::whole(self.forward(upstream).await?))
            }
            Some(Fault::KillBefore) => {
                self.kill_caller(upstream);
                Err(lost())
            }
            Some(Fault::KillAfter) => {
                self.forward(upstream).await?;
                self.kill_caller(upstream);
                Err(lost())
            }
            Some(Fault::KillAndSendLate(time)) => {
                self.kill_caller(upstream);
                tokio::time::sleep(time).await;
                if self.operation.name == "PutObject" {
                    upstream.faults.wrote_late(self.head.uri.path());
                }
                self.forward(upstream).await?;
                Err(lost())
            }
            Some(Fault::Freeze(time)) => {
                let answer = self.forward(upstream).await?;
                upstream.killer.freeze_caller(self.caller, time);
                Ok(answers::whole(answer))
            }
        }
    }

    fn kill_caller(&self, upstream: &Upstream) {
        if let Some(worker) = upstream.killer.kill_caller(self.caller) {
            upstream.faults.died(worker);
        }
    }

    /// Whether path, query or body has the text.
    fn names(&self, text: &str) -> bool {
        let has = |bytes: &[u8]| bytes.windows(text.len()).any(|window| window == text.as_bytes());
        let path = self.head.uri.path_and_query().map_or("", |path| path.as_str());
        has(path.as_bytes()) || (self.body.len() <= MAX_SEARCHED_BYTES && has(&self.body))
    }

    /// Sends the request to the emulator and reads its whole answer.
    async fn forward(&self, upstream: &Upstream) -> io::Result<Response<Bytes>> {
        let mut request = Request::new(Full::new(self.body.clone()));
        let path = self.head.uri.path_and_query().map_or("/", |path| path.as_str());
        *request.method_mut() = self.head.method.clone();
        *request.uri_mut() = Uri::try_from(format!("{}{path}", upstream.url)).map_err(io::Error::other)?;
        *request.headers_mut() = end_to_end(&self.head.headers);
        let response = upstream.client.request(request).await.map_err(io::Error::other)?;
        if let Some(step) = self.email.as_ref().filter(|_| response.status().is_success()) {
            let worker = upstream.killer.worker_of(self.caller);
            upstream.faults.email_done(step, worker, |text| self.names(text));
        }
        let (mut head, body) = response.into_parts();
        let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
        head.headers = end_to_end(&head.headers);
        if self.head.method != Method::HEAD {
            head.headers.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
        }
        Ok(Response::from_parts(head, body))
    }
}

/// The headers that are not about one connection.
fn end_to_end(headers: &HeaderMap) -> HeaderMap {
    let mut headers = headers.clone();
    for name in HOP_BY_HOP {
        headers.remove(name);
    }
    headers
}

fn lost() -> io::Error {
    io::Error::other("lost on purpose")
}
