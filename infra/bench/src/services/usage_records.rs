//! The table of usage records: answers `Query` from memory, within the limits of a table of DynamoDB if it has any.

mod request;

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use anyhow::Result;
use bytes::Bytes;
use hyper::header::CONTENT_TYPE;
use hyper::{Response, StatusCode};
use serde_json::{Value, json};

use self::request::QueryRequest;
use super::answer::{Answer, pieces};
use super::limits::{Refused, Throughput, units};
use crate::data::Data;
use crate::data::directory::Directory;
use crate::data::pages::{Page, Partition, Partitions, Projection};

/// What an answer begins with.
const BEGIN: &[u8] = b"{\"Items\":[";

/// The table of one export.
pub struct UsageRecords {
    data: Arc<Data>,
    directory: Arc<Directory>,
    /// The table by the projection that was asked for: rendered by the first query, kept until the end.
    rendered: Mutex<HashMap<Projection, Arc<Partitions>>>,
    /// What the table may still read; `None` if it has no limits.
    throughput: Mutex<Option<Throughput>>,
    queries: AtomicU64,
    throttled: AtomicU64,
}

impl UsageRecords {
    /// Holds this data. Names of its runs are in the directory.
    pub fn new(data: Arc<Data>, directory: Arc<Directory>) -> Self {
        Self {
            data,
            directory,
            rendered: Mutex::default(),
            throughput: Mutex::default(),
            queries: AtomicU64::new(0),
            throttled: AtomicU64::new(0),
        }
    }

    /// Gives the table the limits of AWS, which count from now on.
    pub fn limit(&self, now: Instant) {
        *lock(&self.throughput) = Some(Throughput::new(now));
    }

    /// How many pages were asked for so far.
    pub fn queries(&self) -> u64 {
        self.queries.load(Ordering::Relaxed)
    }

    /// How many of them were refused because the table or the partition had no units left.
    pub fn throttled(&self) -> u64 {
        self.throttled.load(Ordering::Relaxed)
    }

    /// The table as a worker finds it that asks for these attributes. The first call renders it, which takes seconds.
    pub fn partitions(&self, projection: &Projection) -> Arc<Partitions> {
        let mut rendered = lock(&self.rendered);
        if !rendered.contains_key(projection) {
            let partitions = Arc::new(self.data.render(projection, &self.directory));
            rendered.insert(projection.clone(), partitions);
        }
        Arc::clone(&rendered[projection])
    }

    /// Answers a `Query`, given by its JSON body.
    ///
    /// # Errors
    ///
    /// Fails if the query is of a kind that neither the product nor its peers send.
    pub fn query(&self, query: &Value, now: Instant) -> Result<Answer> {
        self.queries.fetch_add(1, Ordering::Relaxed);
        let request = QueryRequest::parse(query)?;
        if request.starts_outside() {
            return error(
                "com.amazon.coral.validate#ValidationException",
                &json!({"message":
                "The provided starting key is outside query boundaries based on provided conditions"}),
            );
        }
        let partitions = self.partitions(&request.projection);
        let nothing = Partition::default();
        let page =
            partitions.get(&request.partition_key).map_or(&nothing, |found| found).page(&request.range);
        let cost = units(page.size, request.is_consistent);
        let taken = lock(&self.throughput)
            .as_mut()
            .map_or(Ok(()), |throughput| throughput.take(&request.partition_key, cost, now));
        if let Err(refused) = taken {
            self.throttled.fetch_add(1, Ordering::Relaxed);
            return throttled(refused, &query["TableName"]);
        }
        let cost =
            request.wants_cost.then(|| json!({"CapacityUnits": cost, "TableName": query["TableName"]}));
        answer(&page, &request.partition_key, cost)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn answer(page: &Page, partition_key: &str, cost: Option<Value>) -> Result<Answer> {
    let mut end = format!("],\"Count\":{count},\"ScannedCount\":{count}", count = page.count);
    if let Some(last) = &page.last {
        let key = json!({"PK": {"S": partition_key}, "SK": {"S": last}});
        let _ = write!(end, ",\"LastEvaluatedKey\":{key}");
    }
    if let Some(cost) = cost {
        let _ = write!(end, ",\"ConsumedCapacity\":{cost}");
    }
    end.push('}');
    let mut crc32 = crc32fast::Hasher::new();
    crc32.update(BEGIN);
    crc32.combine(&crc32fast::Hasher::new_with_initial_len(page.crc32, page.items.len() as u64));
    crc32.update(end.as_bytes());
    send(StatusCode::OK, crc32.finalize(), [Bytes::from_static(BEGIN), page.items.clone(), end.into()])
}

/// What DynamoDB says when a limit is reached.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_ThrottlingReason.html>
fn throttled(refused: Refused, table: &Value) -> Result<Answer> {
    let reason = match refused {
        Refused::ByPartition => "TableReadKeyRangeThroughputExceeded",
        Refused::ByTable => "TableReadAccountLimitExceeded",
    };
    let resource =
        format!("arn:aws:dynamodb:us-east-1:000000000000:table/{}", table.as_str().unwrap_or_default());
    error(
        "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException",
        &json!({
            "message": "The level of configured provisioned throughput for the table was exceeded. \
                        Consider increasing your provisioning level with the UpdateTable API.",
            "ThrottlingReasons": [{"reason": reason, "resource": resource}],
        }),
    )
}

fn error(kind: &str, members: &Value) -> Result<Answer> {
    let mut body = members.clone();
    body["__type"] = kind.into();
    let body = Bytes::from(body.to_string());
    send(StatusCode::BAD_REQUEST, crc32fast::hash(&body), [body, Bytes::new(), Bytes::new()])
}

fn send(status: StatusCode, crc32: u32, [begin, middle, end]: [Bytes; 3]) -> Result<Answer> {
    let answer = Response::builder()
        .status(status)
        .header(CONTENT_TYPE, "application/x-amz-json-1.0")
        .header("x-amz-crc32", crc32)
        .header("x-amzn-requestid", "REPLAYED")
        .body(pieces(begin, middle, end))?;
    Ok(answer)
}
