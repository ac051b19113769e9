//! Lambda's Runtime API, which hands a function one event.
//! <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use http_body_util::{BodyExt, Collected, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;

/// A deadline in the year 2100, in milliseconds since 1970.
const DEADLINE_MS: &str = "4102444800000";

/// What the function has done.
enum Call {
    /// Asked for the next event.
    Polls,
    /// Answered the event.
    Responds(Bytes),
    /// Reported an error.
    Fails(Bytes),
}

/// Serves one function until it is dropped.
pub struct Runtime {
    /// Value of the function's variable `AWS_LAMBDA_RUNTIME_API`.
    pub address: SocketAddr,
    calls: UnboundedReceiver<Call>,
    task: JoinHandle<()>,
}

impl Drop for Runtime {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Runtime {
    /// Starts to serve. The function gets `event`; without one, its first poll is never answered.
    ///
    /// # Errors
    ///
    /// Fails if no port is free.
    pub async fn start(event: Option<Bytes>) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (send, calls) = unbounded_channel();
        let event = Arc::new(Mutex::new(event));
        let task = tokio::spawn(serve(listener, send, event));
        Ok(Self { address, calls, task })
    }

    /// Waits until the function polls.
    ///
    /// # Errors
    ///
    /// Fails if it does something else.
    pub async fn wait_for_poll(&mut self) -> Result<()> {
        match self.calls.recv().await {
            Some(Call::Polls) => Ok(()),
            _ => bail!("the function did something else than poll"),
        }
    }

    /// Waits until the function has answered the event and polls again. Returns its answer.
    ///
    /// # Errors
    ///
    /// Fails if it reports an error, or polls without an answer.
    pub async fn wait_for_answer(&mut self) -> Result<Bytes> {
        let answer = match self.calls.recv().await.context("the function is gone")? {
            Call::Responds(answer) => answer,
            Call::Fails(error) => bail!("the function failed: {}", String::from_utf8_lossy(&error)),
            Call::Polls => bail!("the function polled without an answer"),
        };
        self.wait_for_poll().await?;
        Ok(answer)
    }
}

async fn serve(listener: TcpListener, send: UnboundedSender<Call>, event: Arc<Mutex<Option<Bytes>>>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        let (send, event) = (send.clone(), Arc::clone(&event));
        let service = service_fn(move |request| answer(request, send.clone(), Arc::clone(&event)));
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}

async fn answer(
    request: Request<Incoming>,
    send: UnboundedSender<Call>,
    event: Arc<Mutex<Option<Bytes>>>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    if request.method() == Method::GET {
        let _ = send.send(Call::Polls);
        let event = event.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(event) = event else { return std::future::pending().await };
        let mut response = Response::new(Full::new(event));
        for (name, value) in [
            ("lambda-runtime-aws-request-id", "bench"),
            ("lambda-runtime-deadline-ms", DEADLINE_MS),
            ("lambda-runtime-invoked-function-arn", "arn:aws:lambda:us-east-1:000000000000:function:bench"),
        ] {
            response.headers_mut().insert(name, value.parse().expect("a header"));
        }
        return Ok(response);
    }
    let fails = request.uri().path().ends_with("/error");
    let body = request.into_body().collect().await.map(Collected::to_bytes).unwrap_or_default();
    let _ = send.send(if fails { Call::Fails(body) } else { Call::Responds(body) });
    let mut response = Response::new(Full::default());
    *response.status_mut() = StatusCode::ACCEPTED;
    Ok(response)
}
