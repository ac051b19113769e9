//! What all measurements share: the workers, the servers, one run.

use std::cell::Cell;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use anyhow::{Context, Result, ensure};
use aws_sdk_dynamodb::Client;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

use crate::Options;
use crate::data::Data;
use crate::directory::{Directory, FIELDS, ORGANIZATION};
use crate::process::{Used, Worker};
use crate::replay::Replay;
use crate::s3::Stored;
use crate::tables::{Outputs, Request, client, put_export};
use crate::tls;

/// The product's worker.
pub const PRODUCT: &str = "export_worker";
/// Its peers, and the floor.
pub const PEERS: [&str; 4] = ["naive", "boto3", "node", "floor"];

/// How a worker reaches its services.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// Plain.
    Http,
    /// TLS 1.3, a certificate authority of our own.
    Tls,
}

/// One run.
#[derive(Debug, Clone, Copy)]
pub struct Run {
    /// What it used.
    pub used: Used,
    /// The file.
    pub stored: Stored,
    /// Pages that it asked for.
    pub queries: u64,
}

/// What outlives the data.
pub struct Bench<'a> {
    /// As they were given.
    pub options: &'a Options,
    /// Who and what.
    pub directory: Arc<Directory>,
    outputs: Outputs,
    dynamodb: Client,
    acceptor: TlsAcceptor,
    now: DateTime<Utc>,
    exports: Cell<u32>,
}

impl<'a> Bench<'a> {
    /// Fills the emulator's directory, and makes the certificate authority that every worker is to trust.
    pub async fn new(options: &'a Options, now: DateTime<Utc>) -> Result<Self> {
        let text =
            std::fs::read(&options.outputs).context("cargo xtask bench writes the file of the outputs")?;
        let outputs: Outputs = serde_json::from_slice(&text)?;
        std::fs::create_dir_all(&options.results)?;
        let dynamodb = client(&outputs).await;
        let directory = Arc::new(Directory::make());
        directory.put(&dynamodb, &outputs.tables.directory).await?;
        let acceptor = tls::acceptor(&ca_file(options))?;
        Ok(Self { options, directory, outputs, dynamodb, acceptor, now, exports: Cell::new(0) })
    }

    /// The program of this name, which calls AWS at this address.
    pub fn worker(&self, name: &'static str, endpoint_url: &str) -> Worker {
        let peers = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/peers"));
        let command = match name {
            "boto3" => vec![self.options.python.clone(), peers.join("boto3/worker.py")],
            "node" => vec![PathBuf::from("node"), peers.join("node/worker.mjs")],
            name => vec![self.options.binaries.join(name)],
        };
        let ca_file = ca_file(self.options).display().to_string();
        let (outputs, tables) = (&self.outputs, &self.outputs.tables);
        let mut environment = vec![
            ("AWS_ENDPOINT_URL", endpoint_url),
            ("USAGE_RECORDS_TABLE", &tables.usage_records),
            ("DIRECTORY_TABLE", &tables.directory),
            ("EXPORTS_TABLE", &tables.exports),
            ("BUCKET", &outputs.bucket),
            ("QUEUE_URL", &outputs.queue_url),
            ("PAGE_URL", &outputs.api_url),
            ("EMAIL_FROM", "exports@example.com"),
            ("NODE_ENV", "production"),
        ];
        if endpoint_url.starts_with("https") {
            // The AWS SDKs' own name for it, Node's, and OpenSSL's.
            environment.extend(
                ["AWS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE"]
                    .map(|name| (name, ca_file.as_str())),
            );
        }
        let environment =
            environment.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        Worker { name, command, environment }
    }

    /// Serves this data.
    pub async fn serve(&self, data: Data) -> Result<Served<'_>> {
        let data = Arc::new(data);
        let replay = Arc::new(Replay::new(Arc::clone(&data), Arc::clone(&self.directory), &self.outputs));
        let (plain, secure) = (listen().await?, listen().await?);
        let addresses = [plain.local_addr()?.to_string(), secure.local_addr()?.to_string()];
        let tasks = [
            tokio::spawn(Arc::clone(&replay).serve(plain, None)),
            tokio::spawn(Arc::clone(&replay).serve(secure, Some(self.acceptor.clone()))),
        ];
        Ok(Served { bench: self, data, replay, addresses, tasks })
    }

    /// An id that no export had, and its event.
    async fn new_export(&self, data: &Data, fields: &[&str]) -> Result<Bytes> {
        let number = self.exports.replace(self.exports.get() + 1);
        let id = format!("bench-{}-{number}", self.now.timestamp());
        let request = Request { fields, interval: data.interval() };
        put_export(&self.dynamodb, &self.outputs.tables.exports, &self.directory, &id, &request, self.now)
            .await?;
        let body = json!({"data_export_id": id}).to_string();
        let event = json!({"Records": [{
            "messageId": id,
            "receiptHandle": "bench",
            "body": body,
            "attributes": {"ApproximateReceiveCount": "1"},
            "messageAttributes": {},
            "eventSource": "aws:sqs",
            "eventSourceARN": "arn:aws:sqs:us-east-1:000000000000:bench",
            "awsRegion": "us-east-1",
        }]});
        Ok(event.to_string().into())
    }

    /// What a peer is told: all that the product finds out by itself.
    fn job(&self, data: &Data) -> Bytes {
        let (first, last) = data.interval();
        let workspaces: Vec<_> = self.directory.workspaces.iter().map(|workspace| &workspace.id).collect();
        let job = json!({
            "organization_id": ORGANIZATION,
            "workspaces": workspaces,
            "months": data.months,
            "first": first,
            "last": format!("{last}~"),
            "fields": FIELDS,
            "key": "exports/bench/peer.csv",
            "bytes": data.csv.len(),
        });
        job.to_string().into()
    }
}

fn ca_file(options: &Options) -> PathBuf {
    options.results.join("ca.pem")
}

async fn listen() -> Result<TcpListener> {
    Ok(TcpListener::bind("127.0.0.1:0").await?)
}

/// Data that is served until dropped.
pub struct Served<'a> {
    bench: &'a Bench<'a>,
    /// The data.
    pub data: Arc<Data>,
    replay: Arc<Replay>,
    addresses: [String; 2],
    tasks: [JoinHandle<()>; 2],
}

impl Drop for Served<'_> {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

impl Served<'_> {
    /// How often each worker runs.
    pub fn runs(&self) -> usize {
        self.bench.options.runs
    }

    /// The program of this name over this transport.
    pub fn worker(&self, name: &'static str, transport: Transport) -> Worker {
        let [plain, secure] = &self.addresses;
        match transport {
            Transport::Http => self.bench.worker(name, &format!("http://{plain}")),
            Transport::Tls => self.bench.worker(name, &format!("https://{secure}")),
        }
    }

    /// Lets the worker do the export.
    ///
    /// # Errors
    ///
    /// It fails, or leaves another file than the one that has to come out. The floor's is only as long.
    pub async fn run(&self, worker: &Worker) -> Result<Run> {
        let Self { bench, data, replay, .. } = self;
        let event = match worker.name {
            PRODUCT => bench.new_export(data, &FIELDS).await?,
            _ => bench.job(data),
        };
        replay.sink.take();
        let before = replay.queries.load(Ordering::Relaxed);
        let (used, answer) = worker.run(event, &bench.options.results).await?;
        let queries = replay.queries.load(Ordering::Relaxed) - before;
        let name = worker.name;
        let answer = String::from_utf8_lossy(&answer);
        ensure!(!answer.contains("itemIdentifier"), "{name} did not finish: {answer}");
        let stored = replay.sink.take().with_context(|| format!("{name} left no file"))?;
        let right = if name == "floor" { stored.bytes == data.csv.len() as u64 } else { stored.same };
        ensure!(right, "{name} left another file: {stored:?}, not {} bytes", data.csv.len());
        Ok(Run { used, stored, queries })
    }
}
