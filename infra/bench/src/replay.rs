//! AWS for a run: the usage records from memory, files into memory, everything else from the emulator.
//!
//! A real service would be slower than what is measured, and an emulator in Python much slower; what a worker uses of
//! its processor is the same, because the bytes are.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result, bail, ensure};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::CONTENT_TYPE;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode, Uri};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::data::{Buckets, Data, Page, Projection};
use crate::directory::Directory;
use crate::s3::Sink;
use crate::tables::Outputs;

/// What the server answers with.
pub type Answer = Response<Full<Bytes>>;

/// The server's state.
pub struct Replay {
    /// The rows.
    pub data: Arc<Data>,
    directory: Arc<Directory>,
    /// The table as it was asked for: rendered once, kept until the end.
    rendered: Mutex<HashMap<Projection, Arc<Buckets>>>,
    /// Pages that were asked for.
    pub queries: AtomicU64,
    /// The file that is being made.
    pub sink: Sink,
    table: String,
    bucket: String,
    emulator: String,
    client: Client<HttpConnector, Full<Bytes>>,
}

impl Replay {
    /// Serves this table and this bucket; the emulator has the others.
    pub fn new(data: Arc<Data>, directory: Arc<Directory>, outputs: &Outputs) -> Self {
        Self {
            data,
            directory,
            rendered: Mutex::default(),
            queries: AtomicU64::new(0),
            sink: Sink::default(),
            table: outputs.tables.usage_records.clone(),
            bucket: format!("/{}/", outputs.bucket),
            emulator: outputs.endpoint_url.clone(),
            // A connection each: one kept alive may be closed just when it is used again.
            client: Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build_http(),
        }
    }

    /// Answers on this port until the benchmark ends.
    pub async fn serve(self: Arc<Self>, listener: TcpListener, tls: Option<TlsAcceptor>) {
        loop {
            let Ok((stream, _)) = listener.accept().await else { continue };
            let _ = stream.set_nodelay(true);
            let (replay, tls) = (Arc::clone(&self), tls.clone());
            tokio::spawn(async move {
                match tls {
                    None => replay.connection(stream).await,
                    Some(tls) => {
                        if let Ok(stream) = tls.accept(stream).await {
                            replay.connection(stream).await;
                        }
                    }
                }
            });
        }
    }

    async fn connection(self: Arc<Self>, stream: impl AsyncRead + AsyncWrite + Unpin) {
        let service = service_fn(move |request| {
            let replay = Arc::clone(&self);
            async move { Ok::<_, Infallible>(replay.answer(request).await) }
        });
        // A connection that breaks is the worker's business.
        let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
    }

    async fn answer(&self, request: Request<Incoming>) -> Answer {
        self.try_answer(request).await.unwrap_or_else(|error| {
            eprintln!("replay: {error:#}");
            let mut answer = Response::new(Full::from(format!("{error:#}")));
            *answer.status_mut() = StatusCode::BAD_REQUEST;
            answer
        })
    }

    async fn try_answer(&self, request: Request<Incoming>) -> Result<Answer> {
        let (head, body) = request.into_parts();
        let body = body.collect().await?.to_bytes();
        if head.uri.path().starts_with(&self.bucket) {
            return self.sink.answer(&head, body, &self.data.csv);
        }
        if head.headers.get("x-amz-target").is_some_and(|target| target == "DynamoDB_20120810.Query") {
            let query: Value = serde_json::from_slice(&body)?;
            if query["TableName"] == self.table.as_str() {
                return self.query(&query);
            }
        }
        let mut request = Request::from_parts(head, Full::new(body));
        let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
        *request.uri_mut() = Uri::try_from(format!("{}{path}", self.emulator))?;
        let (head, body) =
            self.client.request(request).await.context("the emulator does not answer")?.into_parts();
        Ok(Response::from_parts(head, Full::new(body.collect().await?.to_bytes())))
    }

    fn query(&self, query: &Value) -> Result<Answer> {
        self.queries.fetch_add(1, Ordering::Relaxed);
        let buckets = self.buckets(projection(query));
        let values = query["ExpressionAttributeValues"].as_object().context("Query has no values")?;
        let mut values: Vec<_> = values.values().filter_map(|value| value["S"].as_str()).collect();
        values.sort_unstable();
        let Some(at) = values.iter().position(|value| buckets.contains_key(*value)) else {
            bail!("no bucket in {values:?}");
        };
        let pages = &buckets[values.remove(at)];
        let (first, last) = self.data.interval();
        // Bounds within the export would need other pages.
        ensure!(values.len() == 2 && *values[0] <= *first && *values[1] >= *last, "other bounds: {values:?}");
        let start = query["ExclusiveStartKey"]["SK"]["S"].as_str().unwrap_or("");
        match pages.iter().find(|page| page.last.as_str() > start) {
            Some(page) => page_answer(page),
            None => page_answer(&Page::empty()),
        }
    }

    fn buckets(&self, projection: Projection) -> Arc<Buckets> {
        let mut rendered = self.rendered.lock().unwrap_or_else(PoisonError::into_inner);
        let buckets = rendered.entry(projection);
        let buckets =
            buckets.or_insert_with_key(|projection| Arc::new(self.data.render(projection, &self.directory)));
        Arc::clone(buckets)
    }
}

/// The attributes that are asked for.
fn projection(query: &Value) -> Projection {
    let mut names: Projection = query["ProjectionExpression"]
        .as_str()
        .into_iter()
        .flat_map(|expression| expression.split(','))
        .map(|name| query["ExpressionAttributeNames"][name.trim()].as_str().unwrap_or(name.trim()).to_owned())
        .collect();
    names.sort_unstable();
    names
}

fn page_answer(page: &Page) -> Result<Answer> {
    let answer = Response::builder()
        .header(CONTENT_TYPE, "application/x-amz-json-1.0")
        .header("x-amz-crc32", page.crc32)
        .header("x-amzn-requestid", "REPLAYED")
        .body(Full::new(page.body.clone()))?;
    Ok(answer)
}

impl Page {
    fn empty() -> Self {
        let body = Bytes::from_static(b"{\"Items\":[],\"Count\":0,\"ScannedCount\":0}");
        Self { crc32: crc32fast::hash(&body), body, last: String::new() }
    }
}
