//! Requests, and answers of the function: DynamoDB and SQS are in memory.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

use aws_sdk_dynamodb::Client as DynamoDb;
use aws_sdk_dynamodb::operation::batch_get_item::BatchGetItemOutput;
use aws_sdk_dynamodb::operation::get_item::GetItemOutput;
use aws_sdk_dynamodb::operation::put_item::PutItemOutput;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsOutput;
use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_sqs::Client as Sqs;
use aws_sdk_sqs::operation::send_message::SendMessageOutput;
use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};
use chrono::{DateTime, Utc};
use export_data::Context;
use lambda_http::http::{HeaderMap, HeaderName, HeaderValue};
use lambda_http::{Request, RequestExt};
use serde_json::Value;
use usage_export::audit::AuditTrail;
use usage_export::directory::Directory;
use usage_export::export::queue::ExportQueue;
use usage_export::export::store::Exports;
use usage_export::export::submit::Submitter;
use usage_export::rate_limit::RateLimit;

pub const REQUEST_ID: &str = "8f5c2a3e-request";

pub type Item = HashMap<String, AttributeValue>;

pub fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_763_900_000, 0).expect("a time")
}

/// A request as API Gateway sends it.
pub fn request() -> Request {
    let event = include_str!("../../../../events/export_data.json");
    let request = lambda_http::request::from_str(event).expect("a gateway event");
    let mut context = lambda_http::Context::default();
    REQUEST_ID.clone_into(&mut context.request_id);
    request.with_lambda_context(context)
}

/// The request of the gateway with one member of the body replaced.
pub fn request_with(name: &str, value: Value) -> Request {
    let mut request = request();
    let mut body: Value = serde_json::from_slice(request.body()).expect("JSON");
    body[name] = value;
    *request.body_mut() = body.to_string().into();
    request
}

/// The request of the gateway with one header replaced or removed.
pub fn request_with_header(name: &'static str, value: Option<&'static str>) -> Request {
    let mut request = request();
    request.headers_mut().remove(name);
    if let Some(value) = value {
        request.headers_mut().insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    request
}

/// An answer of the function.
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Value,
}

/// DynamoDB and SQS in memory. The rules of a test come before its own.
#[derive(Default)]
pub struct World {
    dynamodb: Vec<Rule>,
    sqs: Vec<Rule>,
    exports: Arc<Mutex<HashMap<String, Item>>>,
    messages: Arc<Mutex<Vec<String>>>,
    /// What was put into the audit trail.
    pub events: Arc<Mutex<Vec<Item>>>,
}

impl World {
    pub fn dynamodb(mut self, rule: &Rule) -> Self {
        self.dynamodb.push(rule.clone());
        self
    }

    pub fn sqs(mut self, rule: &Rule) -> Self {
        self.sqs.push(rule.clone());
        self
    }

    pub async fn answer(&self, request: Request) -> Answer {
        self.answer_at(request, now()).await
    }

    pub async fn answer_at(&self, request: Request, now: DateTime<Utc>) -> Answer {
        let mut dynamodb = self.dynamodb.clone();
        dynamodb.extend([directory(), workspaces(), self.gets(), self.transacts()]);
        let mut sqs = self.sqs.clone();
        sqs.push(self.sends());
        let client = mock_client!(aws_sdk_dynamodb, RuleMode::MatchAny, &dynamodb);
        let directory = Directory::new(client.clone(), "directory".to_owned());
        let submitter = Submitter {
            directory: directory.clone(),
            exports: Exports::new(client.clone(), "exports".to_owned()),
            queue: ExportQueue {
                client: mock_client!(aws_sdk_sqs, RuleMode::MatchAny, &sqs),
                url: "https://sqs.us-east-1.amazonaws.com/123456789012/exports".to_owned(),
            },
            active_limit: 5,
            audit_trail: AuditTrail::new(
                mock_client!(aws_sdk_dynamodb, RuleMode::MatchAny, [&self.puts_events()]),
                "audit".to_owned(),
                400,
            ),
        };
        let rate_limit = RateLimit::new(client, "exports".to_owned(), 500);
        let context = Context { directory, rate_limit, submitter };
        let (parts, body) = export_data::handle(&context, request, now).await.into_parts();
        let body = serde_json::from_str(&body).expect("JSON");
        Answer { status: parts.status.as_u16(), headers: parts.headers, body }
    }

    pub fn gets(&self) -> Rule {
        let exports = Arc::clone(&self.exports);
        mock!(DynamoDb::get_item)
            .match_requests(|request| request.table_name() == Some("exports"))
            .then_compute_output(move |request| {
                let key = id(request.key().expect("a key"));
                GetItemOutput::builder().set_item(locked(&exports).get(&key).cloned()).build()
            })
    }

    /// Makes the puts of a transaction; its conditions hold.
    pub fn transacts(&self) -> Rule {
        let (exports, events) = (Arc::clone(&self.exports), Arc::clone(&self.events));
        mock!(DynamoDb::transact_write_items).then_compute_output(move |request| {
            for put in request.transact_items().iter().filter_map(|write| write.put()) {
                if put.table_name() == "audit" {
                    locked(&events).push(put.item().clone());
                } else {
                    locked(&exports).insert(id(put.item()), put.item().clone());
                }
            }
            TransactWriteItemsOutput::builder().build()
        })
    }

    pub fn sends(&self) -> Rule {
        let messages = Arc::clone(&self.messages);
        mock!(Sqs::send_message).then_compute_output(move |request| {
            locked(&messages).push(request.message_body().expect("a body").to_owned());
            SendMessageOutput::builder().build()
        })
    }

    pub fn puts_events(&self) -> Rule {
        let events = Arc::clone(&self.events);
        mock!(DynamoDb::put_item).then_compute_output(move |request| {
            locked(&events).push(request.item().expect("an item").clone());
            PutItemOutput::builder().build()
        })
    }

    /// The types of the events in the audit trail, with the user of each and, of a refusal, its status.
    pub fn events(&self) -> Vec<(String, Option<String>, Option<String>)> {
        let text = |event: &Item, name: &str| event.get(name)?.as_s().ok().cloned();
        let status = |event: &Item| event["details"].as_m().ok()?.get("status")?.as_n().ok().cloned();
        let events = locked(&self.events);
        let told =
            |event| (text(event, "event_type").expect("a type"), text(event, "user_id"), status(event));
        events.iter().map(told).collect()
    }

    pub fn messages(&self) -> Vec<String> {
        locked(&self.messages).clone()
    }
}

pub fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("no test panicked with the lock")
}

pub fn id(item: &Item) -> String {
    item["data_export_id"].as_s().expect("an id").clone()
}

pub fn item(attributes: &[(&str, &str)]) -> Item {
    let attribute =
        |(name, value): &(&str, &str)| ((*name).to_owned(), AttributeValue::S((*value).to_owned()));
    attributes.iter().map(attribute).collect()
}

/// The directory of the event: its API key, organization and administrator, found by sort key.
pub fn directory() -> Rule {
    mock!(DynamoDb::get_item)
        .match_requests(|request| request.table_name() == Some("directory"))
        .then_compute_output(|request| {
            let found = match request.key().expect("a key")["SK"].as_s().expect("a text").as_str() {
                "KEY" => Some(item(&[("kind", "organization"), ("organization_id", "org_1")])),
                "ORG" => Some(item(&[("tier", "enterprise")])),
                "MEMBER#usr_example" => Some(item(&[("email", "ada@example.com"), ("role", "admin")])),
                "MEMBER#usr_member" => Some(item(&[("email", "bob@example.com"), ("role", "member")])),
                _ => None,
            };
            GetItemOutput::builder().set_item(found).build()
        })
}

/// The organization has one workspace.
pub fn workspaces() -> Rule {
    mock!(DynamoDb::batch_get_item).then_compute_output(|request| {
        let keys = request.request_items().expect("items")["directory"].keys();
        let known = |key: &&Item| key["SK"] == AttributeValue::S("WORKSPACE#wsp_1".to_owned());
        let found = keys.iter().filter(known).cloned().map(|mut key| {
            key.extend(item(&[("name", "Sales"), ("kind", "organization")]));
            key
        });
        BatchGetItemOutput::builder().responses("directory", found.collect()).build()
    })
}

/// SQS answers 400, which the SDK does not retry.
pub fn refuses_messages() -> Rule {
    let body = r#"{"__type":"com.amazonaws.sqs#QueueDoesNotExist","message":"secret-internal-queue"}"#;
    mock!(Sqs::send_message).sequence().http_status(400, Some(body.to_owned())).build()
}

/// Asserts that the answer is a problem document with the request's id and, if one is at fault, the field.
pub fn assert_problem(answer: &Answer, status: u16, field: Option<&str>) {
    assert_eq!(answer.status, status, "{}", answer.body);
    assert_eq!(answer.headers["content-type"], "application/problem+json");
    assert_eq!(answer.body["status"], status);
    assert_eq!(answer.body["request_id"], REQUEST_ID);
    assert_eq!(answer.body["errors"][0]["field"].as_str(), field, "{}", answer.body);
}
