//! A made-up table that throttles, and a table of exports that counts what is taken, behind a real client of the SDK.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use aws_smithy_http_client::test_util::infallible_client_fn;
use aws_smithy_types::body::SdkBody;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use tokio::time::Instant;
use usage_export::export::interval::parse_start;
use usage_export::export::store::Exports;
use usage_records::budget::ReadBudget;
use usage_records::pace::Pace;
use usage_records::partition::{PartOfMonth, Partition};
use usage_records::query::UsageRecords;

thread_local! {
    static BEGAN: OnceCell<Instant> = const { OnceCell::new() };
}

/// The worker's clock, which goes with that of the runtime. It is June 2025.
fn now() -> DateTime<Utc> {
    let began = BEGAN.with(|began| *began.get_or_init(Instant::now));
    parse_start("2025-06-15").expect("a day") + began.elapsed()
}

/// What is made up, and what was asked for.
#[derive(Default)]
pub struct Made {
    /// How many pages each partition has.
    pages: u64,
    /// What a page costs.
    cost: f64,
    /// The codes with which the next reads are refused.
    pub refusals: Vec<&'static str>,
    /// What else reads are refused by.
    pub limit: Option<Limit>,
    /// When a read was answered with a page.
    pub reads: Vec<Duration>,
    /// How many reads were refused.
    pub refused: usize,
    /// Read units that were taken, by the key of their second.
    pub taken: BTreeMap<String, u64>,
    /// Whether every call that takes units fails.
    pub fails: bool,
    /// How many calls took units or tried to.
    pub takes: usize,
}

/// Units that come each second. Those of one second are kept, and a read may begin while any are left.
pub struct Limit {
    units_per_second: f64,
    left: f64,
    filled: Duration,
    reason: &'static str,
}

impl Limit {
    pub fn new(units_per_second: f64, reason: &'static str) -> Self {
        Self { units_per_second, left: 0.0, filled: Duration::ZERO, reason }
    }

    fn takes(&mut self, cost: f64, now: Duration) -> bool {
        self.left += self.units_per_second * now.saturating_sub(self.filled).as_secs_f64();
        self.left = self.left.min(self.units_per_second);
        self.filled = now;
        let has_units = self.left > 0.0;
        self.left -= if has_units { cost } else { 0.0 };
        has_units
    }
}

#[derive(Clone, Default)]
pub struct World(Arc<Mutex<Made>>);

impl World {
    /// Each partition has so many pages, of this cost.
    pub fn new(pages: u64, cost: f64) -> Self {
        Self(Arc::new(Mutex::new(Made { pages, cost, ..Made::default() })))
    }

    pub fn made(&self) -> MutexGuard<'_, Made> {
        self.0.lock().expect("no panic")
    }

    fn client(&self) -> Client {
        let world = self.clone();
        let http = infallible_client_fn(move |request: http::Request<SdkBody>| {
            let target = request.headers()["x-amz-target"].to_str().expect("text").to_owned();
            let body: Value = serde_json::from_slice(request.body().bytes().expect("bytes")).expect("JSON");
            let (status, answer) = match target.rsplit('.').next() {
                Some("Query") => world.made().query(&body),
                Some("UpdateItem") => world.made().update(&body),
                _ => panic!("{target} is not called"),
            };
            http::Response::builder()
                .status(status)
                .body(SdkBody::from(answer.to_string()))
                .expect("an answer")
        });
        let config = aws_sdk_dynamodb::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::from_static("us-east-1"))
            .credentials_provider(Credentials::for_tests())
            .http_client(http);
        Client::from_conf(config.build())
    }

    /// A reader for one export, in a deployment with this budget.
    pub fn reader(&self, units_per_second: u32) -> UsageRecords {
        let (client, table) = (self.client(), "usage".to_owned());
        let exports = Exports::new(client.clone(), "exports".to_owned());
        let pace = Pace::new(ReadBudget { exports, units_per_second, clock: now });
        UsageRecords { client, table, read_ahead: 4, pace }
    }
}

fn refusal(code: &str) -> (u16, Value) {
    (400, json!({"__type": code, "message": "no"}))
}

impl Made {
    fn query(&mut self, query: &Value) -> (u16, Value) {
        assert_eq!(
            (&query["ReturnConsumedCapacity"], &query["ConsistentRead"]),
            (&json!("TOTAL"), &json!(true))
        );
        if let Some(code) = self.refusals.pop() {
            self.refused += 1;
            return refusal(code);
        }
        now();
        let elapsed = BEGAN.with(|began| began.get().expect("it began").elapsed());
        if let Some(limit) = &mut self.limit
            && !limit.takes(self.cost, elapsed)
        {
            self.refused += 1;
            let reasons = json!([{"reason": limit.reason, "resource": "arn:aws:dynamodb:us-east-1:000000000000:table/usage"}]);
            let (status, mut answer) = refusal("ProvisionedThroughputExceededException");
            answer["ThrottlingReasons"] = reasons;
            return (status, answer);
        }
        self.reads.push(elapsed);
        let values = &query["ExpressionAttributeValues"];
        let month = values[":pk"]["S"].as_str().expect("a key").split_once('#').expect("a month").1;
        let after = query["ExclusiveStartKey"]["SK"]["S"].as_str();
        let page =
            after.map_or(0, |key| key.rsplit('_').next().expect("a number").parse().expect("a number")) + 1;
        let key = format!("{month}-01T00:00:00.000Z#run_{page}");
        let mut answer = json!({
            "ConsumedCapacity": {"TableName": "usage", "CapacityUnits": self.cost},
            "Count": 1, "ScannedCount": 1, "Items": [{"SK": {"S": key}}],
        });
        if page < self.pages {
            answer["LastEvaluatedKey"] = json!({"PK": values[":pk"], "SK": {"S": key}});
        }
        (200, answer)
    }

    /// As DynamoDB does it: the condition and the sum of the item.
    fn update(&mut self, update: &Value) -> (u16, Value) {
        self.takes += 1;
        if self.fails {
            return refusal("AccessDeniedException");
        }
        assert_eq!(update["UpdateExpression"], "SET #ttl = :ttl ADD #units :units");
        assert_eq!(update["ConditionExpression"], "attribute_not_exists(#units) OR #units <= :most_before");
        let number = |name: &str| -> u64 {
            let value = &update["ExpressionAttributeValues"][name]["N"];
            value.as_str().expect("a number").parse().expect("a number")
        };
        let key = update["Key"]["data_export_id"]["S"].as_str().expect("a key");
        if self.taken.get(key).is_some_and(|taken| *taken > number(":most_before")) {
            return refusal("ConditionalCheckFailedException");
        }
        assert!(number(":ttl") > now().timestamp().unsigned_abs());
        *self.taken.entry(key.to_owned()).or_default() += number(":units");
        (200, json!({}))
    }

    /// The most pages that were read in one second of the worker's clock.
    pub fn most_in_a_second(&self) -> usize {
        let mut by_second = BTreeMap::<u64, usize>::new();
        for read in &self.reads {
            *by_second.entry(read.as_secs()).or_default() += 1;
        }
        by_second.into_values().max().unwrap_or_default()
    }
}

/// A month of a workspace whose id nobody else has.
pub fn partition(month: &str) -> Partition {
    let workspace_id = format!("wsp_{}", fastrand::u64(..));
    let month = month.parse().expect("a month");
    Partition {
        index: 0,
        partition_key: format!("{workspace_id}#{month}"),
        workspace_id,
        workspace_name: String::new(),
        month,
        after: None,
        time: PartOfMonth::new(month, month.start(), month.end()),
        sort_keys: (None, None),
        covered_before: Duration::ZERO,
    }
}
