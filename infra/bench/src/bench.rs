//! One run: the services, a worker, and what the worker used. All measurements are made of runs.

pub mod as_aws;

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use usage_export::export::store::Exports;

use crate::data::Data;
use crate::data::directory::{Directory, ORGANIZATION_ID};
use crate::data::expected::field_ids;
use crate::options::Options;
use crate::services::emulator::{Outputs, Request, client, create_export};
use crate::services::s3::Stored;
use crate::services::{Services, tls};
use crate::worker::queue::event;
use crate::worker::{Used, Worker};

/// Name of the product's worker.
pub const PRODUCT: &str = "export_worker";
/// Names of its peers, the last of which is the floor: a worker that makes no CSV.
pub const PEERS: [&str; 4] = ["naive", "boto3", "node", FLOOR];
/// The SDK reads the pages, throws them away, and uploads as many zeros.
pub const FLOOR: &str = "floor";

/// The key under which peers leave their file.
const PEER_KEY: &str = "exports/bench/peer.csv";

/// How a worker reaches its services.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// HTTP without TLS.
    Http,
    /// TLS 1.3, with a certificate authority of our own.
    Tls,
}

/// The outcome of one run.
#[derive(Debug, Clone, Copy)]
pub struct Run {
    /// What the worker used.
    pub used: Used,
    /// The file that it left.
    pub stored: Stored,
    /// Pages that it asked for.
    pub queries: u64,
    /// Calls of AWS that it made.
    pub calls: u64,
}

/// What all runs share, whatever their data.
pub struct Bench<'a> {
    /// The options of the benchmark.
    pub options: &'a Options,
    /// Where this program is, and the peers in Rust beside it.
    own_folder: PathBuf,
    /// The organization whose runs are exported.
    pub directory: Arc<Directory>,
    outputs: Outputs,
    acceptor: TlsAcceptor,
    now: DateTime<Utc>,
    exports: Exports,
}

impl<'a> Bench<'a> {
    /// Writes this directory to the emulator, and makes the certificate authority that every worker trusts.
    ///
    /// # Errors
    ///
    /// Fails if `outputs.json` cannot be read, or the directory cannot be written.
    pub async fn new(options: &'a Options, directory: Directory, now: DateTime<Utc>) -> Result<Self> {
        let text = std::fs::read(&options.outputs)
            .context("`cargo xtask bench` starts this program and writes its --outputs")?;
        let outputs: Outputs = serde_json::from_slice(&text)?;
        std::fs::create_dir_all(&options.results)?;
        let dynamodb = client(&outputs).await;
        let directory = Arc::new(directory);
        directory.put(&dynamodb, &outputs.tables.directory).await?;
        let acceptor = tls::acceptor(&ca_file(options))?;
        let exports = Exports::new(dynamodb, outputs.tables.exports.clone());
        let program = std::env::current_exe()?;
        let own_folder = program.parent().context("this program is in no folder")?.to_owned();
        Ok(Self { options, own_folder, directory, outputs, acceptor, now, exports })
    }

    /// The worker of this name, set up to call AWS at this address.
    pub fn worker(&self, name: &'static str, endpoint_url: &str) -> Worker {
        let peers = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/peers"));
        let command = match name {
            "boto3" => vec![self.options.python.clone(), peers.join("boto3/worker.py")],
            "node" => vec![PathBuf::from("node"), peers.join("node/worker.mjs")],
            "naive" | FLOOR => vec![self.own_folder.join(name)],
            name => vec![self.options.binaries.join(name)],
        };
        let ca_file = ca_file(self.options).display().to_string();
        let (outputs, tables) = (&self.outputs, &self.outputs.tables);
        let mut environment = vec![
            ("AWS_ENDPOINT_URL", endpoint_url),
            ("USAGE_RECORDS_TABLE", &tables.usage_records),
            ("DIRECTORY_TABLE", &tables.directory),
            ("EXPORTS_TABLE", &tables.exports),
            ("AUDIT_TABLE", &tables.audit),
            ("BUCKET", &outputs.bucket),
            ("QUEUE_URL", &outputs.queue_url),
            ("PAGE_URL", &outputs.api_url),
            ("EMAIL_FROM", "exports@example.com"),
            ("NODE_ENV", "production"),
            // Peers keep to no budget of reads.
            ("MAX_READ_UNITS", "0"),
        ];
        if endpoint_url.starts_with("https") {
            // The names of this variable in the AWS SDKs, in Node.js and in OpenSSL.
            environment.extend(
                ["AWS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE"]
                    .map(|name| (name, ca_file.as_str())),
            );
        }
        let environment =
            environment.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        Worker { name, command, environment }
    }

    /// Starts to serve this data.
    ///
    /// # Errors
    ///
    /// Fails if no port is free.
    pub async fn serve(&self, data: Data) -> Result<Served<'_>> {
        let data = Arc::new(data);
        let services = Arc::new(Services::new(&data, Arc::clone(&self.directory), &self.outputs));
        let (plain, secure) = (listen().await?, listen().await?);
        let addresses = [plain.local_addr()?.to_string(), secure.local_addr()?.to_string()];
        let tasks = [
            tokio::spawn(Arc::clone(&services).serve(plain, None, None)),
            tokio::spawn(Arc::clone(&services).serve(secure, Some(self.acceptor.clone()), None)),
        ];
        Ok(Served { bench: self, data, services, addresses, tasks })
    }

    /// Creates an export for the product. Returns the body of its message and the key of its file.
    async fn new_export(&self, data: &Data) -> Result<(String, String)> {
        let ids = self.workspace_ids(data);
        let everywhere = ids.len() == self.directory.workspaces.len();
        let request = Request {
            fields: &field_ids(),
            interval: data.interval(),
            workspace_ids: if everywhere { &[] } else { &ids },
        };
        let export = create_export(&self.exports, &self.directory.users[0].id, &request, self.now).await?;
        let body = json!({"data_export_id": export.data_export_id});
        Ok((body.to_string(), export.object_key()))
    }

    /// The event of a peer: it is told everything that the product finds out by itself.
    fn job(&self, data: &Data) -> Bytes {
        let (first, last) = data.interval();
        let job = json!({
            "organization_id": ORGANIZATION_ID,
            "workspaces": self.workspace_ids(data),
            "months": data.months,
            "first": first,
            "last": format!("{last}~"),
            "fields": field_ids(),
            "key": PEER_KEY,
            "bytes": data.csv.len(),
        });
        job.to_string().into()
    }

    fn workspace_ids(&self, data: &Data) -> Vec<&str> {
        data.workspaces().into_iter().map(|index| self.directory.workspaces[index].id.as_str()).collect()
    }
}

fn ca_file(options: &Options) -> PathBuf {
    options.results.join("ca.pem")
}

async fn listen() -> Result<TcpListener> {
    Ok(TcpListener::bind("127.0.0.1:0").await?)
}

/// Data that is served until this is dropped.
pub struct Served<'a> {
    bench: &'a Bench<'a>,
    /// The data.
    pub data: Arc<Data>,
    services: Arc<Services>,
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

    /// The worker of this name, set up to use this transport.
    pub fn worker(&self, name: &'static str, transport: Transport) -> Worker {
        let [plain, secure] = &self.addresses;
        match transport {
            Transport::Http => self.bench.worker(name, &format!("http://{plain}")),
            Transport::Tls => self.bench.worker(name, &format!("https://{secure}")),
        }
    }

    /// Lets the worker make the export.
    ///
    /// # Errors
    ///
    /// Fails if the worker fails, or leaves another file than the one that must come out. The floor need only leave a
    /// file of the same size.
    pub async fn run(&self, worker: &Worker) -> Result<Run> {
        let Self { bench, data, services, .. } = self;
        let (event, key) = match worker.name {
            PRODUCT => {
                let (body, key) = bench.new_export(data).await?;
                (event("bench", &body, 1), key)
            }
            _ => (bench.job(data), PEER_KEY.to_owned()),
        };
        services.bucket.take(&key);
        let before = (services.usage_records.queries(), services.calls());
        let (used, answer) = worker.run(event, &bench.options.results).await?;
        let queries = services.usage_records.queries() - before.0;
        let calls = services.calls() - before.1;
        let name = worker.name;
        let answer = String::from_utf8_lossy(&answer);
        ensure!(!answer.contains("itemIdentifier"), "{name} did not finish: {answer}");
        let stored = services
            .bucket
            .take(&key)
            .with_context(|| format!("{name} left no file; {name}.log says why"))?;
        let is_right = if name == FLOOR { stored.bytes == data.csv.len() as u64 } else { stored.is_expected };
        ensure!(is_right, "{name} left another file: {stored:?}, not {} bytes", data.csv.len());
        Ok(Run { used, stored, queries, calls })
    }
}
