//! AWS for a run: usage records come from memory, files go into memory, and the emulator has everything else.
//!
//! A real service would be slower than what is measured, and an emulator in Python much slower. The processor time of a
//! worker is the same, because it receives and sends the same bytes. Where time is what is measured, the table has its
//! [`limits`] and the [`network`] takes its time.

mod answer;
pub mod emulator;
pub mod limits;
pub mod network;
pub mod s3;
pub mod tls;
mod usage_records;

use std::convert::Infallible;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::{Body as _, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode, Uri};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use self::answer::{Answer, whole};
use self::emulator::Outputs;
use self::network::{Direction, Link};
use self::s3::Bucket;
use self::usage_records::UsageRecords;
use crate::data::Data;
use crate::data::directory::Directory;
use crate::worker::queue::{Content, Queue};

/// The services that workers call in one run after the other.
pub struct Services {
    /// The table of usage records.
    pub usage_records: UsageRecords,
    /// The bucket of the files.
    pub bucket: Bucket,
    /// Name of the table, by which its queries are recognized.
    table: String,
    /// Path of the bucket, by which its requests are recognized.
    bucket_path: String,
    /// The queue that takes messages of workers; without one, that of the emulator does.
    queue: Mutex<Option<Arc<Queue>>>,
    calls: AtomicU64,
    emulator_url: String,
    client: Client<HttpConnector, Full<Bytes>>,
}

impl Services {
    /// Takes over the table of usage records and the bucket of this system; its emulator has the rest.
    pub fn new(data: &Arc<Data>, directory: Arc<Directory>, outputs: &Outputs) -> Self {
        Self {
            usage_records: UsageRecords::new(Arc::clone(data), directory),
            bucket: Bucket::new(&outputs.bucket, data.csv.clone()),
            table: outputs.tables.usage_records.clone(),
            bucket_path: format!("/{}", outputs.bucket),
            queue: Mutex::default(),
            calls: AtomicU64::new(0),
            emulator_url: outputs.endpoint_url.clone(),
            // A connection for each request: one that is kept alive may be closed just when it is used again.
            client: Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build_http(),
        }
    }

    /// How many calls workers have made so far, of this and of the emulator.
    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    /// Takes over the messages of workers too: from now on they go to this queue.
    pub fn send_to(&self, queue: Arc<Queue>) {
        *self.queue.lock().unwrap_or_else(PoisonError::into_inner) = Some(queue);
    }

    /// Answers at this port, over TLS if there is an acceptor. Answers of the table and of the bucket take as long as the
    /// link makes them, if there is one. Never returns.
    pub async fn serve(self: Arc<Self>, listener: TcpListener, tls: Option<TlsAcceptor>, link: Option<Link>) {
        let link = Arc::new(link);
        loop {
            let Ok((stream, _)) = listener.accept().await else { continue };
            let _ = stream.set_nodelay(true);
            let (services, tls, link) = (Arc::clone(&self), tls.clone(), Arc::clone(&link));
            tokio::spawn(async move {
                match tls {
                    None => services.serve_connection(stream, link).await,
                    Some(tls) => {
                        if let Ok(stream) = tls.accept(stream).await {
                            services.serve_connection(stream, link).await;
                        }
                    }
                }
            });
        }
    }

    async fn serve_connection(
        self: Arc<Self>,
        stream: impl AsyncRead + AsyncWrite + Unpin,
        link: Arc<Option<Link>>,
    ) {
        let service = service_fn(move |request| {
            let (services, link) = (Arc::clone(&self), Arc::clone(&link));
            async move { Ok::<_, Infallible>(services.answer(request, link.as_ref().as_ref()).await) }
        });
        // An error of the connection is for the worker to handle.
        let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
    }

    async fn answer(&self, request: Request<Incoming>, link: Option<&Link>) -> Answer {
        self.try_answer(request, link).await.unwrap_or_else(|error| {
            eprintln!("services: {error:#}");
            let mut answer = Response::new(whole(format!("{error:#}")));
            *answer.status_mut() = StatusCode::BAD_REQUEST;
            answer
        })
    }

    async fn try_answer(&self, request: Request<Incoming>, link: Option<&Link>) -> Result<Answer> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        let (head, body) = request.into_parts();
        let body = body.collect().await?.to_bytes();
        let (now, sent) = (Instant::now(), body.len() as u64);
        let path = head.uri.path();
        let target = head.headers.get("x-amz-target").and_then(|target| target.to_str().ok()).unwrap_or("");
        let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let answer = match (target, &queue) {
            _ if path
                .strip_prefix(&self.bucket_path)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/')) =>
            {
                self.bucket.answer(&head, body, now)?
            }
            ("DynamoDB_20120810.Query", _) => {
                let query: Value = serde_json::from_slice(&body)?;
                if query["TableName"] != self.table.as_str() {
                    return self.forward(Request::from_parts(head, Full::new(body))).await;
                }
                self.usage_records.query(&query, now)?
            }
            ("AmazonSQS.SendMessage", Some(queue)) => send_message(queue, &body)?,
            _ => return self.forward(Request::from_parts(head, Full::new(body))).await,
        };
        if let Some(link) = link {
            let received = answer.body().size_hint().exact().unwrap_or(0);
            let arrivals =
                [link.arrival(Direction::Up, sent, now), link.arrival(Direction::Down, received, now)];
            tokio::time::sleep_until(arrivals[0].max(arrivals[1]).into()).await;
        }
        Ok(answer)
    }

    /// Asks the emulator.
    async fn forward(&self, mut request: Request<Full<Bytes>>) -> Result<Answer> {
        let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
        *request.uri_mut() = Uri::try_from(format!("{}{path}", self.emulator_url))?;
        let (head, body) =
            self.client.request(request).await.context("the emulator does not answer")?.into_parts();
        Ok(Response::from_parts(head, whole(body.collect().await?.to_bytes())))
    }
}

/// Takes a message as SQS does.
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html>
fn send_message(queue: &Arc<Queue>, body: &[u8]) -> Result<Answer> {
    let request: Value = serde_json::from_slice(body)?;
    let text = request["MessageBody"].as_str().context("the message has no body")?;
    let delay = Duration::from_secs(request["DelaySeconds"].as_u64().unwrap_or(0));
    let id = queue.send(Content::Message(text.to_owned()), delay);
    let answer = Response::builder().header("content-type", "application/x-amz-json-1.0");
    Ok(answer.body(whole(json!({"MessageId": id, "MD5OfMessageBody": ""}).to_string()))?)
}
