//! Requests, and answers of the function, whose services answer from rules.

use std::collections::HashMap;

use aws_sdk_dynamodb::Client as DynamoDb;
use aws_sdk_dynamodb::operation::batch_get_item::BatchGetItemOutput;
use aws_sdk_dynamodb::operation::get_item::GetItemOutput;
use aws_sdk_dynamodb::operation::put_item::PutItemOutput;
use aws_sdk_dynamodb::operation::query::QueryOutput;
use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_s3::Client as S3;
use aws_sdk_s3::operation::get_object::GetObjectOutput;
use aws_sdk_s3::primitives::ByteStream;
use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};
use chrono::{DateTime, TimeDelta, Utc};
use export_status::Context;
use lambda_http::http::HeaderMap;
use lambda_http::{Body, Request, RequestExt};
use serde_json::{Value, json};
use usage_export::audit::AuditTrail;
use usage_export::config::Sharing;
use usage_export::directory::Directory;
use usage_export::export::download::ExportFiles;
use usage_export::export::request::ExportCall;
use usage_export::export::store::Exports;
use usage_export::export::{DataExport, State};
use usage_export::rate_limit::RateLimit;

pub const REQUEST_ID: &str = "8f5c2a3e-request";
pub const STATUS: &str = include_str!("../../../../events/export_status.json");
pub const HISTORY: &str = include_str!("../../../../events/exports.json");
pub const CSV: &str = "run_id\r\nrun_1\r\n";

pub type Item = HashMap<String, AttributeValue>;

pub fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_763_900_000, 0).expect("a time")
}

/// A request as API Gateway sends it, with more parameters.
pub fn request(event: &str, query: &[(&str, &str)]) -> Request {
    let mut event: Value = serde_json::from_str(event).expect("JSON");
    let parameters = event["queryStringParameters"].as_object_mut().expect("a query");
    parameters.extend(query.iter().map(|(name, value)| ((*name).to_owned(), json!(value))));
    let raw = parameters.iter().map(|(name, value)| format!("{name}={}", value.as_str().unwrap_or_default()));
    event["rawQueryString"] = json!(raw.collect::<Vec<_>>().join("&"));
    let request = lambda_http::request::from_str(&event.to_string()).expect("a gateway event");
    let mut context = lambda_http::Context::default();
    REQUEST_ID.clone_into(&mut context.request_id);
    request.with_lambda_context(context)
}

pub fn download() -> Request {
    request(STATUS, &[("download", "true")])
}

/// The export that the event asks for, COMPLETED yesterday.
pub fn export() -> DataExport {
    let event: Value = serde_json::from_str(STATUS).expect("JSON");
    let id = event["queryStringParameters"]["data_export_id"].as_str().expect("an id");
    let body = json!({
        "user_id": "usr_example", "export_fields": ["run_id"], "start_date": "2025-10-01",
        "end_date": "2025-10-31", "include_all_workspaces": true,
    });
    let request = ExportCall::parse(body.to_string().as_bytes()).expect("a request").request;
    DataExport {
        data_export_id: id.to_owned(),
        state: State::Completed,
        finished_ts: Some(now() - TimeDelta::days(1)),
        row_count: 1,
        size_bytes: Some(CSV.len() as u64),
        checksum: Some(format!("crc32:{:08x}", crc32fast::hash(CSV.as_bytes()))),
        etag: Some("\"1-1\"".to_owned()),
        expires_ts: Some(now() + TimeDelta::days(29)),
        ..DataExport::new("org_1", "usr_example", request, now() - TimeDelta::days(1))
    }
}

pub fn to_item(export: &DataExport) -> Item {
    serde_dynamo::aws_sdk_dynamodb_1::to_item(export).expect("an item")
}

/// An answer of the function.
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Body,
}

impl Answer {
    pub fn json(&self) -> Value {
        let Body::Text(text) = &self.body else { panic!("{:?} is no text", self.body) };
        serde_json::from_str(text).expect("JSON")
    }
}

/// Answers a request. The table holds this export, and S3 answers by these rules.
pub async fn answer(request: Request, export: Option<&DataExport>, s3: &[&Rule]) -> Answer {
    answer_with(Sharing::default(), request, export, s3).await
}

/// The same where administrators share their files or not.
pub async fn answer_with(
    sharing: Sharing,
    request: Request,
    export: Option<&DataExport>,
    s3: &[&Rule],
) -> Answer {
    let puts = mock!(DynamoDb::put_item).then_output(|| PutItemOutput::builder().build());
    answer_recorded(sharing, request, export, s3, &puts).await
}

/// The same where the audit trail answers by a rule.
pub async fn answer_recorded(
    sharing: Sharing,
    request: Request,
    export: Option<&DataExport>,
    s3: &[&Rule],
    audit: &Rule,
) -> Answer {
    let item = export.map(to_item);
    let page: Vec<_> = item.iter().cloned().collect();
    let dynamodb = [
        directory(),
        mock!(DynamoDb::get_item)
            .then_output(move || GetItemOutput::builder().set_item(item.clone()).build()),
        mock!(DynamoDb::query)
            .then_output(move || QueryOutput::builder().set_items(Some(page.clone())).build()),
        mock!(DynamoDb::batch_get_item).then_output(|| {
            let member = [
                ("PK", "ORG#org_1"),
                ("SK", "MEMBER#usr_example"),
                ("email", "ada@example.com"),
                ("role", "admin"),
            ];
            let member = member.map(|(name, value)| (name.to_owned(), AttributeValue::S(value.to_owned())));
            let found = HashMap::from([("directory".to_owned(), vec![HashMap::from(member)])]);
            BatchGetItemOutput::builder().set_responses(Some(found)).build()
        }),
    ];
    let client = mock_client!(aws_sdk_dynamodb, RuleMode::MatchAny, &dynamodb);
    let context = Context {
        directory: Directory::new(client.clone(), "directory".to_owned()),
        rate_limit: RateLimit::new(client.clone(), "exports".to_owned(), 500),
        exports: Exports::new(client, "exports".to_owned()),
        audit_trail: AuditTrail::new(
            mock_client!(aws_sdk_dynamodb, RuleMode::MatchAny, [audit]),
            "audit".to_owned(),
            400,
        ),
        files: ExportFiles {
            s3: mock_client!(aws_sdk_s3, RuleMode::MatchAny, s3),
            bucket: "example-exports".to_owned(),
        },
        sharing,
    };
    let (parts, body) = export_status::handle(&context, request, now()).await.into_parts();
    Answer { status: parts.status.as_u16(), headers: parts.headers, body }
}

/// The directory of the event: its API key, organization and administrator, found by sort key.
pub fn directory() -> Rule {
    let item = |attributes: &[(&str, &str)]| -> Item {
        let attribute =
            |(name, value): &(&str, &str)| ((*name).to_owned(), AttributeValue::S((*value).to_owned()));
        attributes.iter().map(attribute).collect()
    };
    mock!(DynamoDb::get_item)
        .match_requests(|request| request.table_name() == Some("directory"))
        .then_compute_output(move |request| {
            let found = match request.key().expect("a key")["SK"].as_s().expect("a text").as_str() {
                "KEY" => Some(item(&[("kind", "organization"), ("organization_id", "org_1")])),
                "ORG" => Some(item(&[("tier", "enterprise")])),
                "MEMBER#usr_example" => Some(item(&[("email", "ada@example.com"), ("role", "admin")])),
                _ => None,
            };
            GetItemOutput::builder().set_item(found).build()
        })
}

pub fn gets(file: &'static str) -> Rule {
    mock!(S3::get_object)
        .match_requests(|request| request.key().is_some_and(|key| key.starts_with("exports/org_1/")))
        .then_output(|| GetObjectOutput::builder().body(ByteStream::from_static(file.as_bytes())).build())
}

/// Asserts that the answer is a problem document with the request's id and, if one is at fault, the field.
pub fn assert_problem(answer: &Answer, status: u16, field: Option<&str>) {
    let body = answer.json();
    assert_eq!(answer.status, status, "{body}");
    assert_eq!(answer.headers["content-type"], "application/problem+json");
    assert_eq!(body["request_id"], REQUEST_ID);
    assert_eq!(body["errors"][0]["field"].as_str(), field, "{body}");
}
