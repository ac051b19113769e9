//! AWS for a run: usage records come from memory, files go into memory, and the emulator has everything else.
//!
//! A real service would be slower than what is measured, and an emulator in Python much slower. The processor time of a
//! worker is the same, because it receives and sends the same bytes.

pub mod emulator;
pub mod s3;
pub mod tls;
mod usage_records;

use std::convert::Infallible;
use std::sync::Arc;

use anyhow::{Context, Result};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
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

use self::emulator::Outputs;
use self::s3::Bucket;
use self::usage_records::UsageRecords;
use crate::data::Data;
use crate::data::directory::Directory;

/// What the services answer with.
type Answer = Response<Full<Bytes>>;

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
    emulator_url: String,
    client: Client<HttpConnector, Full<Bytes>>,
}

impl Services {
    /// Takes over the table of usage records and the bucket of this system; its emulator has the rest.
    pub fn new(data: &Arc<Data>, directory: Arc<Directory>, outputs: &Outputs) -> Self {
        Self {
            usage_records: UsageRecords::new(Arc::clone(data), directory),
            bucket: Bucket::new(data.csv.clone()),
            table: outputs.tables.usage_records.clone(),
            bucket_path: format!("/{}/", outputs.bucket),
            emulator_url: outputs.endpoint_url.clone(),
            // A connection for each request: one that is kept alive may be closed just when it is used again.
            client: Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build_http(),
        }
    }

    /// Answers at this port, over TLS if there is an acceptor. Never returns.
    pub async fn serve(self: Arc<Self>, listener: TcpListener, tls: Option<TlsAcceptor>) {
        loop {
            let Ok((stream, _)) = listener.accept().await else { continue };
            let _ = stream.set_nodelay(true);
            let (services, tls) = (Arc::clone(&self), tls.clone());
            tokio::spawn(async move {
                match tls {
                    None => services.serve_connection(stream).await,
                    Some(tls) => {
                        if let Ok(stream) = tls.accept(stream).await {
                            services.serve_connection(stream).await;
                        }
                    }
                }
            });
        }
    }

    async fn serve_connection(self: Arc<Self>, stream: impl AsyncRead + AsyncWrite + Unpin) {
        let service = service_fn(move |request| {
            let services = Arc::clone(&self);
            async move { Ok::<_, Infallible>(services.answer(request).await) }
        });
        // An error of the connection is for the worker to handle.
        let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
    }

    async fn answer(&self, request: Request<Incoming>) -> Answer {
        self.try_answer(request).await.unwrap_or_else(|error| {
            eprintln!("services: {error:#}");
            let mut answer = Response::new(Full::from(format!("{error:#}")));
            *answer.status_mut() = StatusCode::BAD_REQUEST;
            answer
        })
    }

    async fn try_answer(&self, request: Request<Incoming>) -> Result<Answer> {
        let (head, body) = request.into_parts();
        let body = body.collect().await?.to_bytes();
        if head.uri.path().starts_with(&self.bucket_path) {
            return self.bucket.answer(&head, body);
        }
        if head.headers.get("x-amz-target").is_some_and(|target| target == "DynamoDB_20120810.Query") {
            let query: Value = serde_json::from_slice(&body)?;
            if query["TableName"] == self.table.as_str() {
                return self.usage_records.query(&query);
            }
        }
        self.forward(Request::from_parts(head, Full::new(body))).await
    }

    /// Asks the emulator.
    async fn forward(&self, mut request: Request<Full<Bytes>>) -> Result<Answer> {
        let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
        *request.uri_mut() = Uri::try_from(format!("{}{path}", self.emulator_url))?;
        let (head, body) =
            self.client.request(request).await.context("the emulator does not answer")?.into_parts();
        Ok(Response::from_parts(head, Full::new(body.collect().await?.to_bytes())))
    }
}
