//! A run with several workers, a table that has the limits of AWS, and a network that takes its time.

use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use tokio::task::JoinHandle;

use super::{Bench, PEER_KEY, PRODUCT, listen};
use crate::data::Data;
use crate::data::pages::Projection;
use crate::services::Services;
use crate::services::network::Link;
use crate::services::s3::Stored;
use crate::worker::Used;
use crate::worker::pool;
use crate::worker::queue::{Content, Queue};

/// The attributes that the product asks for. The table is rendered with them before the time is taken.
const PRODUCT_PROJECTION: [&str; 5] = ["SK", "credit_cost", "finished_ts", "user_id", "workbook_id"];

/// The outcome of one run.
#[derive(Debug, Clone)]
pub struct Run {
    /// What each worker used. Its `wall` is not told.
    pub workers: Vec<Used>,
    /// The file, which is the one that must come out.
    pub stored: Stored,
    /// Seconds from the first event to the completed file.
    pub wall_s: f64,
    /// Pages that were asked for, the refused ones included.
    pub queries: u64,
    /// How many of them were refused.
    pub throttled: u64,
    /// Messages that were sent, the first one included.
    pub messages: u64,
}

/// Data that is served as AWS would, until this is dropped.
pub struct ServedAsAws<'a> {
    bench: &'a Bench<'a>,
    /// The data.
    pub data: Arc<Data>,
    services: Arc<Services>,
    /// An address for each worker: all connections of one share its network.
    addresses: Vec<String>,
    tasks: Vec<JoinHandle<()>>,
}

impl Drop for ServedAsAws<'_> {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

impl Bench<'_> {
    /// Starts to serve this data as AWS would, for up to so many workers.
    ///
    /// # Errors
    ///
    /// Fails if no port is free.
    pub async fn serve_as_aws(&self, data: Data, workers: usize) -> Result<ServedAsAws<'_>> {
        let data = Arc::new(data);
        let services = Arc::new(Services::new(&data, Arc::clone(&self.directory), &self.outputs));
        let (mut addresses, mut tasks) = (Vec::new(), Vec::new());
        for _ in 0..workers {
            let listener = listen().await?;
            addresses.push(listener.local_addr()?.to_string());
            let link = Link::new(Instant::now());
            tasks.push(tokio::spawn(Arc::clone(&services).serve(listener, None, Some(link))));
        }
        Ok(ServedAsAws { bench: self, data, services, addresses, tasks })
    }
}

impl ServedAsAws<'_> {
    /// How many bytes DynamoDB sends of the items to a worker of this name.
    pub fn json_bytes(&self, name: &str) -> u64 {
        self.services.usage_records.partitions(&projection(name)).values().map(|one| one.json_bytes()).sum()
    }

    /// Sizes of the partitions, as DynamoDB counts them.
    pub fn partition_sizes(&self, name: &str) -> Vec<u64> {
        self.services.usage_records.partitions(&projection(name)).values().map(|one| one.size()).collect()
    }

    /// Lets so many workers of this name make the export together. The product may use all of them, and splits the export unless its first
    /// segments have so many pages.
    ///
    /// # Errors
    ///
    /// Fails if a worker fails, or another file is left than the one that must come out.
    pub async fn run(&self, name: &'static str, count: usize, segment_pages: Option<u32>) -> Result<Run> {
        let Self { bench, data, services, .. } = self;
        // It takes seconds. An export that waits for a worker as long is found by the reconciler, and made by the system's own worker.
        services.usage_records.partitions(&projection(name));
        let is_product = name == PRODUCT;
        let (event, key) = if is_product {
            let (body, key) = bench.new_export(data).await?;
            (Content::Message(body), key)
        } else {
            (Content::Event(bench.job(data)), PEER_KEY.to_owned())
        };
        let queue = Queue::new();
        services.send_to(Arc::clone(&queue));
        services.bucket.take(&key);
        let workers: Vec<_> = self.addresses[..count]
            .iter()
            .map(|address| {
                let mut worker = bench.worker(name, &format!("http://{address}"));
                worker.environment.push(("MAX_WORKERS".to_owned(), count.to_string()));
                let segment_pages =
                    segment_pages.map(|pages| ("SEGMENT_PAGES".to_owned(), pages.to_string()));
                worker.environment.extend(segment_pages);
                worker
            })
            .collect();
        let records = &services.usage_records;
        let before = (records.queries(), records.throttled());
        let limit = |now| records.limit(now);
        let used = pool::run(&workers, &queue, event, &bench.options.results, limit).await?;
        let stored =
            services.bucket.take(&key).with_context(|| format!("{name} left no file; its log says why"))?;
        ensure!(stored.is_expected, "{name} left another file: {stored:?}, not {} bytes", data.csv.len());
        Ok(Run {
            workers: used.workers,
            stored,
            wall_s: stored.completed.duration_since(used.started).as_secs_f64(),
            queries: records.queries() - before.0,
            throttled: records.throttled() - before.1,
            messages: queue.sent(),
        })
    }
}

/// The attributes that a worker of this name asks for.
fn projection(name: &str) -> Projection {
    if name == PRODUCT { PRODUCT_PROJECTION.map(str::to_owned).to_vec() } else { Projection::new() }
}
