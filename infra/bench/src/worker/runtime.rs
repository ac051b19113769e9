//! Lambda's Runtime API, which hands a function the events of a queue.
//! <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

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

use super::queue::{Content, Queue};

/// A deadline in the year 2100, in milliseconds since 1970.
const DEADLINE_MS: &str = "4102444800000";

/// What a function has done.
#[derive(Debug)]
pub enum Call {
    /// Asked for the next event.
    Polls,
    /// Answered the event with this id.
    Responds(String, Bytes),
    /// Reported an error.
    Fails(Bytes),
}

/// Serves one function until it is dropped.
pub struct Server {
    /// Value of the function's variable `AWS_LAMBDA_RUNTIME_API`.
    pub address: SocketAddr,
    task: JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Server {
    /// Starts to serve. The function gets events of the queue; what it does goes to `calls`.
    ///
    /// # Errors
    ///
    /// Fails if no port is free.
    pub async fn start(queue: Arc<Queue>, calls: UnboundedSender<Call>) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        Ok(Self { address, task: tokio::spawn(serve(listener, calls, queue)) })
    }
}

/// Serves one function that gets one event.
pub struct Runtime {
    /// The server.
    pub server: Server,
    calls: UnboundedReceiver<Call>,
}

impl Runtime {
    /// Starts to serve. The function gets `event`; without one, its first poll is never answered.
    ///
    /// # Errors
    ///
    /// Fails if no port is free.
    pub async fn start(event: Option<Bytes>) -> Result<Self> {
        let (send, calls) = unbounded_channel();
        let queue = Queue::new();
        if let Some(event) = event {
            queue.send(Content::Event(event), Duration::ZERO);
        }
        Ok(Self { server: Server::start(queue, send).await?, calls })
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
            Call::Responds(_, answer) => answer,
            Call::Fails(error) => bail!("the function failed: {}", String::from_utf8_lossy(&error)),
            Call::Polls => bail!("the function polled without an answer"),
        };
        self.wait_for_poll().await?;
        Ok(answer)
    }
}

async fn serve(listener: TcpListener, calls: UnboundedSender<Call>, queue: Arc<Queue>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        let (calls, queue) = (calls.clone(), Arc::clone(&queue));
        let service = service_fn(move |request| answer(request, calls.clone(), Arc::clone(&queue)));
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}

async fn answer(
    request: Request<Incoming>,
    calls: UnboundedSender<Call>,
    queue: Arc<Queue>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    if request.method() == Method::GET {
        let _ = calls.send(Call::Polls);
        let (id, event) = queue.receive().await;
        let mut response = Response::new(Full::new(event));
        for (name, value) in [
            ("lambda-runtime-aws-request-id", id.as_str()),
            ("lambda-runtime-deadline-ms", DEADLINE_MS),
            ("lambda-runtime-invoked-function-arn", "arn:aws:lambda:us-east-1:000000000000:function:bench"),
        ] {
            response.headers_mut().insert(name, value.parse().expect("a header"));
        }
        return Ok(response);
    }
    // `/2018-06-01/runtime/invocation/<id>/response` or `…/error`.
    let id = request.uri().path().rsplit('/').nth(1).unwrap_or_default().to_owned();
    let fails = request.uri().path().ends_with("/error");
    let body = request.into_body().collect().await.map(Collected::to_bytes).unwrap_or_default();
    let _ = calls.send(if fails { Call::Fails(body) } else { Call::Responds(id, body) });
    let mut response = Response::new(Full::default());
    *response.status_mut() = StatusCode::ACCEPTED;
    Ok(response)
}
