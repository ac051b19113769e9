//! Everything around the worker: tables, bucket, mail and queue, in memory.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use aws_sdk_dynamodb::Client as DynamoDb;
use aws_sdk_dynamodb::operation::batch_get_item::BatchGetItemOutput;
use aws_sdk_dynamodb::operation::get_item::GetItemOutput;
use aws_sdk_dynamodb::operation::query::{QueryInput, QueryOutput};
use aws_sdk_dynamodb::operation::update_item::{UpdateItemError, UpdateItemOutput};
use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_dynamodb::types::error::ConditionalCheckFailedException;
use aws_sdk_sesv2::Client as Ses;
use aws_sdk_sesv2::operation::send_email::SendEmailOutput;
use aws_sdk_sqs::Client as Sqs;
use aws_sdk_sqs::operation::change_message_visibility::ChangeMessageVisibilityOutput;
use aws_smithy_mocks::{MockResponse, Rule, RuleMode, mock, mock_client};
use chrono::{DateTime, TimeDelta, Utc};
use export_worker::Worker;
use export_worker::files::Files;
use export_worker::notify::Mailer;
use export_worker::read::Reader;
use serde_json::{Value, json};
use usage_export::directory::Directory;
use usage_export::dynamo::{number, text};
use usage_export::export::DataExport;
use usage_export::export::store::Exports;

use crate::bucket::{self, Bucket};
use crate::table::{self, Item};

pub const OWNER_ADDRESS: &str = "ada@example.com";

thread_local! {
    /// Each test has a thread of its own.
    static NOW: Cell<i64> = const { Cell::new(1_763_900_000) };
}

/// The worker's clock; it stands still until [`let_pass`].
pub fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(NOW.get(), 0).expect("a time")
}

pub fn let_pass(seconds: i64) {
    NOW.set(NOW.get() + seconds);
}

pub fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// An email as SES took it.
#[derive(Debug, PartialEq, Eq)]
pub struct Mail {
    pub to: String,
    pub subject: String,
}

/// What the tables, the mail and the queue hold.
#[derive(Default)]
pub struct State {
    /// The one export.
    pub export: Item,
    /// Usage records by partition, in order.
    pub records: BTreeMap<String, Vec<Item>>,
    /// Directory items by sort key.
    pub directory: BTreeMap<String, Item>,
    /// Exports that left the organization's unfinished ones.
    pub left_place: Vec<String>,
    pub mails: Vec<Mail>,
    /// Receipt handle and seconds of each change of a message's visibility.
    pub hidden: Vec<(String, i32)>,
}

/// The world of one export: three runs in the workspace `wsp_1` in January 2025.
pub struct World {
    pub id: String,
    pub state: Arc<Mutex<State>>,
    pub bucket: Arc<Mutex<Bucket>>,
    /// Records on a page.
    pub page_size: usize,
    dynamodb: Vec<Rule>,
    s3: Vec<Rule>,
    ses: Vec<Rule>,
    sqs: Vec<Rule>,
}

impl World {
    pub fn new() -> Self {
        Self::with_request(&json!({}))
    }

    /// Members of the request's body replaced.
    pub fn with_request(members: &Value) -> Self {
        let mut body = json!({
            "user_id": "usr_1", "export_fields": ["run_id", "workspace_name", "credit_cost"],
            "start_date": "2025-01-01", "end_date": "2025-01-31", "workspace_ids": ["wsp_1"],
        });
        for (name, value) in members.as_object().expect("members") {
            body[name] = value.clone();
        }
        let call = usage_export::export::request::ExportCall::parse(body.to_string().as_bytes());
        let export = DataExport::new("org_1", "usr_1", call.expect("a request").request, now());
        let item = serde_dynamo::aws_sdk_dynamodb_1::to_item(&export).expect("an item");
        let mut state = State { export: item, ..State::default() };
        state.directory.insert(
            "MEMBER#usr_1".to_owned(),
            Item::from([("email".to_owned(), text(OWNER_ADDRESS)), ("role".to_owned(), text("admin"))]),
        );
        state.directory.insert(
            "WORKSPACE#wsp_1".to_owned(),
            Item::from([("name".to_owned(), text("Sales")), ("kind".to_owned(), text("organization"))]),
        );
        let world = Self {
            id: export.data_export_id,
            state: Arc::new(Mutex::new(state)),
            bucket: Arc::default(),
            page_size: 2,
            dynamodb: Vec::new(),
            s3: Vec::new(),
            ses: Vec::new(),
            sqs: Vec::new(),
        };
        for run in 1..=3 {
            world.add_run("wsp_1#2025-01", &format!("2025-01-0{run}T09:00:00.000Z#run_{run}"), "wbk_1");
        }
        world
    }

    /// Rules of a test answer before the world does.
    pub fn dynamodb(&mut self, rule: Rule) {
        self.dynamodb.push(rule);
    }

    pub fn s3(&mut self, rule: Rule) {
        self.s3.push(rule);
    }

    pub fn ses(&mut self, rule: Rule) {
        self.ses.push(rule);
    }

    pub fn sqs(&mut self, rule: Rule) {
        self.sqs.push(rule);
    }

    /// Ends every failure that a rule made.
    pub fn recover(&mut self) {
        for rules in [&mut self.dynamodb, &mut self.s3, &mut self.ses, &mut self.sqs] {
            rules.clear();
        }
    }

    pub fn add_run(&self, partition: &str, sort_key: &str, workbook_id: &str) {
        let record = Item::from([
            ("PK".to_owned(), text(partition)),
            ("SK".to_owned(), text(sort_key)),
            ("workbook_id".to_owned(), text(workbook_id)),
            ("user_id".to_owned(), text("usr_1")),
            ("credit_cost".to_owned(), number("0.5")),
        ]);
        locked(&self.state).records.entry(partition.to_owned()).or_default().push(record);
    }

    /// A worker, as `main` wires it.
    pub fn worker(&self) -> Worker {
        let mut dynamodb = self.dynamodb.clone();
        dynamodb.extend(self.tables());
        let mut s3 = self.s3.clone();
        s3.extend(bucket::rules(&self.bucket));
        let client = mock_client!(aws_sdk_dynamodb, RuleMode::MatchAny, &dynamodb);
        Worker {
            exports: Exports::new(client.clone(), "exports".to_owned()),
            directory: Directory::new(client.clone(), "directory".to_owned()),
            reader: Reader { client, table: "usage".to_owned(), read_ahead: 4 },
            files: Files {
                client: mock_client!(aws_sdk_s3, RuleMode::MatchAny, &s3, |config| {
                    config.interceptor(bucket::Receiver(Arc::clone(&self.bucket)))
                }),
                bucket: "bucket".to_owned(),
            },
            mailer: Mailer {
                client: self.mail(),
                from: "exports@example.com".to_owned(),
                configuration_set: None,
                page_origin: "https://app.example.com".parse().expect("an origin"),
            },
            sqs: self.queue(),
            queue_url: "https://sqs.us-east-1.amazonaws.com/123456789012/exports".to_owned(),
            file_days: 30,
            clock: now,
        }
    }

    fn tables(&self) -> [Rule; 5] {
        let [update, get, batch, query, directory] = std::array::from_fn(|_| Arc::clone(&self.state));
        let (id, page_size) = (self.id.clone(), self.page_size);
        [
            mock!(DynamoDb::update_item).then_compute_response(move |request| {
                let mut state = locked(&update);
                let key = key(request.key().expect("a key"), "data_export_id");
                if request.update_expression() == Some("DELETE unfinished :ids") {
                    let ids = request.expression_attribute_values().expect("values")[":ids"].as_ss();
                    state.left_place.extend(ids.expect("ids").iter().cloned());
                    return MockResponse::Output(UpdateItemOutput::builder().build());
                }
                if key != id || !table::update(&mut state.export, request) {
                    return MockResponse::Error(condition_failed());
                }
                MockResponse::Output(
                    UpdateItemOutput::builder().set_attributes(Some(state.export.clone())).build(),
                )
            }),
            mock!(DynamoDb::get_item).then_compute_output(move |request| {
                let (state, asked) = (locked(&get), request.key().expect("a key"));
                let found = if request.table_name() == Some("directory") {
                    state.directory.get(&key(asked, "SK"))
                } else {
                    Some(&state.export).filter(|export| export["data_export_id"] == asked["data_export_id"])
                };
                GetItemOutput::builder().set_item(found.cloned()).build()
            }),
            mock!(DynamoDb::batch_get_item).then_compute_output(move |request| {
                let state = locked(&batch);
                let keys = request.request_items().expect("items")["directory"].keys();
                let found = keys.iter().filter_map(|asked| {
                    let mut item = state.directory.get(&key(asked, "SK"))?.clone();
                    item.extend(asked.clone());
                    Some(item)
                });
                BatchGetItemOutput::builder().responses("directory", found.collect()).build()
            }),
            mock!(DynamoDb::query)
                .match_requests(|request| request.table_name() == Some("usage"))
                .then_compute_output(move |request| page(&locked(&query).records, request, page_size)),
            mock!(DynamoDb::query).then_compute_output(move |_| {
                let found = locked(&directory).directory.clone().into_iter();
                let found = found.filter(|(sk, _)| sk.starts_with("WORKSPACE#")).map(|(sk, mut item)| {
                    item.extend([("PK".to_owned(), text("ORG#org_1")), ("SK".to_owned(), text(sk))]);
                    item
                });
                QueryOutput::builder().set_items(Some(found.collect())).build()
            }),
        ]
    }

    fn mail(&self) -> Ses {
        let state = Arc::clone(&self.state);
        let mut rules = self.ses.clone();
        rules.push(mock!(Ses::send_email).then_compute_output(move |request| {
            let message = request.content().and_then(|content| content.simple()).expect("a message");
            let subject = message.subject().expect("a subject").data().to_owned();
            let [to] = request.destination().expect("a destination").to_addresses() else {
                panic!("one address")
            };
            locked(&state).mails.push(Mail { to: to.clone(), subject });
            SendEmailOutput::builder().build()
        }));
        mock_client!(aws_sdk_sesv2, RuleMode::MatchAny, &rules)
    }

    fn queue(&self) -> Sqs {
        let state = Arc::clone(&self.state);
        let mut rules = self.sqs.clone();
        rules.push(mock!(Sqs::change_message_visibility).then_compute_output(move |request| {
            let receipt = request.receipt_handle().expect("a receipt handle").to_owned();
            locked(&state).hidden.push((receipt, request.visibility_timeout().expect("seconds")));
            ChangeMessageVisibilityOutput::builder().build()
        }));
        mock_client!(aws_sdk_sqs, RuleMode::MatchAny, &rules)
    }

    /// The export's record.
    pub fn export(&self) -> DataExport {
        let item = locked(&self.state).export.clone();
        serde_dynamo::aws_sdk_dynamodb_1::from_item(item).expect("an export")
    }

    /// Changes the export's record.
    pub fn set(&self, name: &str, value: AttributeValue) {
        locked(&self.state).export.insert(name.to_owned(), value);
    }

    pub fn has(&self, name: &str) -> bool {
        locked(&self.state).export.contains_key(name)
    }

    /// Another worker has it, until so many seconds from now.
    pub fn give_to_another(&self, seconds: i64) {
        self.set("state", text("IN_PROGRESS"));
        self.set("lease_owner", text("another"));
        let until = now() + TimeDelta::seconds(seconds);
        self.set("lease_until", text(usage_export::timestamp::to_text(until)));
    }

    /// The export's file, if it is there.
    pub fn file(&self) -> Option<Vec<u8>> {
        locked(&self.bucket).files.get(&format!("exports/org_1/{}.csv", self.id)).cloned()
    }

    /// Subjects of the mails to the export's owner.
    pub fn subjects(&self) -> Vec<String> {
        let state = locked(&self.state);
        assert!(state.mails.iter().all(|mail| mail.to == OWNER_ADDRESS), "{:?}", state.mails);
        state.mails.iter().map(|mail| mail.subject.clone()).collect()
    }
}

fn key(item: &Item, name: &str) -> String {
    item[name].as_s().expect("a text").clone()
}

pub fn condition_failed() -> UpdateItemError {
    UpdateItemError::ConditionalCheckFailedException(ConditionalCheckFailedException::builder().build())
}

/// A page of a `Query` on usage records.
pub fn page(records: &BTreeMap<String, Vec<Item>>, request: &QueryInput, page_size: usize) -> QueryOutput {
    let values = request.expression_attribute_values().expect("values");
    let (partition, first, last) = (key(values, ":pk"), key(values, ":first"), key(values, ":last"));
    assert_eq!(request.consistent_read(), Some(true));
    let after = request.exclusive_start_key().map(|start| key(start, "SK"));
    let found = records.get(&partition).into_iter().flatten().filter(|record| {
        let sort_key = key(record, "SK");
        sort_key >= first && sort_key <= last && after.as_ref().is_none_or(|after| sort_key > *after)
    });
    let mut found: Vec<_> = found.cloned().collect();
    let more = found.len() > page_size;
    found.truncate(page_size);
    let next = found.last().filter(|_| more).map(|record| {
        Item::from([("PK".to_owned(), record["PK"].clone()), ("SK".to_owned(), record["SK"].clone())])
    });
    let read = i32::try_from(found.len()).expect("a count");
    if let Some(filter) = request.filter_expression() {
        found.retain(|record| table::holds(filter, values, record));
    }
    let count = i32::try_from(found.len()).expect("a count");
    QueryOutput::builder()
        .count(count)
        .scanned_count(read)
        .set_items(Some(found))
        .set_last_evaluated_key(next)
        .build()
}
