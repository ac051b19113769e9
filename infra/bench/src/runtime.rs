//! Lambda's Runtime API, which gives a function one event.
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

/// In the year 2100, in milliseconds since 1970.
const DEADLINE_MS: &str = "4102444800000";

/// What the function does.
enum Seen {
    Polls,
    Responds(Bytes),
    Fails(Bytes),
}

/// Serves one function until dropped.
pub struct Runtime {
    /// `AWS_LAMBDA_RUNTIME_API`.
    pub address: SocketAddr,
    seen: UnboundedReceiver<Seen>,
    task: JoinHandle<()>,
}

impl Drop for Runtime {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Runtime {
    /// Waits for a function; `event` is what it gets. Without one its first poll stays open.
    pub async fn start(event: Option<Bytes>) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (send, seen) = unbounded_channel();
        let event = Arc::new(Mutex::new(event));
        let task = tokio::spawn(serve(listener, send, event));
        Ok(Self { address, seen, task })
    }

    /// Waits for the first poll.
    pub async fn first_poll(&mut self) -> Result<()> {
        match self.seen.recv().await {
            Some(Seen::Polls) => Ok(()),
            _ => bail!("the function did something else than to poll"),
        }
    }

    /// Waits until the event was answered and the function polls again; gives its answer.
    pub async fn answered(&mut self) -> Result<Bytes> {
        let answer = match self.seen.recv().await.context("the function is gone")? {
            Seen::Responds(answer) => answer,
            Seen::Fails(error) => bail!("the function failed: {}", String::from_utf8_lossy(&error)),
            Seen::Polls => bail!("the function polled without an answer"),
        };
        self.first_poll().await?;
        Ok(answer)
    }
}

async fn serve(listener: TcpListener, send: UnboundedSender<Seen>, event: Arc<Mutex<Option<Bytes>>>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        let (send, event) = (send.clone(), Arc::clone(&event));
        let service = service_fn(move |request| answer(request, send.clone(), Arc::clone(&event)));
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}

async fn answer(
    request: Request<Incoming>,
    send: UnboundedSender<Seen>,
    event: Arc<Mutex<Option<Bytes>>>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    if request.method() == Method::GET {
        let _ = send.send(Seen::Polls);
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
    let _ = send.send(if fails { Seen::Fails(body) } else { Seen::Responds(body) });
    let mut response = Response::new(Full::default());
    *response.status_mut() = StatusCode::ACCEPTED;
    Ok(response)
}
