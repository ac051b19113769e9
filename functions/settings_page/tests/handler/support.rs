//! Requests from API Gateway, and DynamoDB answering from rules.

use std::collections::HashMap;
use std::io::Read as _;

use aws_sdk_dynamodb::Client as DynamoDb;
use aws_sdk_dynamodb::operation::get_item::{GetItemError, GetItemInput, GetItemOutput};
use aws_sdk_dynamodb::operation::put_item::PutItemOutput;
use aws_sdk_dynamodb::operation::query::QueryOutput;
use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_dynamodb::types::error::InternalServerError;
use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};
use chrono::{DateTime, Utc};
use flate2::read::GzDecoder;
use lambda_http::http::HeaderMap;
use lambda_http::tower::ServiceExt as _;
use lambda_http::{Body, IntoResponse as _, Request, RequestExt as _};
use serde_json::{Value, json};
use settings_page::AppState;
use usage_export::audit::AuditTrail;
use usage_export::config::Sharing;
use usage_export::directory::Directory;
use usage_export::export::download::ExportFiles;
use usage_export::export::queue::ExportQueue;
use usage_export::export::store::Exports;
use usage_export::export::submit::Submitter;
use usage_export::rate_limit::RateLimit;
use usage_records::pace::Pace;
use usage_records::query::UsageRecords;

pub const REQUEST_ID: &str = "8f5c2a3e-request";
/// Path of the page.
pub const PAGE: &str = "/settings/organization/data_export";
/// The browser's request for the page, as API Gateway sends it.
const EVENT: &str = include_str!("../../../../events/settings_page.json");
pub const ORIGIN: &str = "https://app.example.com";

pub fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_763_900_000, 0).expect("a time")
}

/// The browser's request for the page, changed.
pub fn request(change: impl FnOnce(&mut Value)) -> Request {
    let mut event: Value = serde_json::from_str(EVENT).expect("JSON");
    change(&mut event);
    let request = lambda_http::request::from_str(&event.to_string()).expect("a gateway event");
    let mut context = lambda_http::Context::default();
    REQUEST_ID.clone_into(&mut context.request_id);
    request.with_lambda_context(context)
}

/// A request of this method for the path after the page's own, such as `/history`.
pub fn request_for(method: &str, path: &str) -> Request {
    request(|event| {
        event["rawPath"] = json!(format!("{PAGE}{path}"));
        event["requestContext"]["http"]["method"] = json!(method);
    })
}

/// The page asked for with these values of `Accept-Encoding` and `Cookie`.
pub fn request_with(header: &str, value: &str, path: &str) -> Request {
    request(|event| {
        event["rawPath"] = json!(format!("{PAGE}{path}"));
        event["headers"][header] = json!(value);
    })
}

/// A form that the page itself sent, of a user who is signed in.
pub fn form(path: &str, body: &str) -> Request {
    request(|event| {
        event["rawPath"] = json!(format!("{PAGE}{path}"));
        event["requestContext"]["http"]["method"] = json!("POST");
        event["headers"]["content-type"] = json!("application/x-www-form-urlencoded");
        event["headers"]["origin"] = json!(ORIGIN);
        event["body"] = json!(body);
    })
}

/// The sign-in form, sent by a page of this origin.
pub fn sign_in(origin: &str) -> Request {
    request(|event| {
        event["rawPath"] = json!("/settings/organization/data_export/sign_in");
        event["requestContext"]["http"]["method"] = json!("POST");
        event["headers"]["content-type"] = json!("application/x-www-form-urlencoded");
        event["headers"]["origin"] = json!(origin);
        event["headers"]["sec-fetch-site"] = Value::Null;
        event["headers"].as_object_mut().expect("headers").retain(|_, value| !value.is_null());
        event["body"] = json!("user_id=usr_example&api_key=uex_example");
    })
}

/// A response as Lambda gets it; `text` is uncompressed.
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
}

/// Has the page at [`ORIGIN`] answer a request.
pub async fn answer(request: Request, rules: &[Rule]) -> Answer {
    answer_at(ORIGIN, request, rules).await
}

/// Has the page at this origin answer a request.
pub async fn answer_at(origin: &str, request: Request, rules: &[Rule]) -> Answer {
    answer_of(Sharing::default(), origin, request, rules, &[]).await
}

/// Has the page answer a request where administrators may have each other's files. S3 answers by `s3`.
pub async fn answer_shared(request: Request, rules: &[Rule], s3: &[&Rule]) -> Answer {
    answer_of(Sharing { download_all: true }, ORIGIN, request, rules, s3).await
}

async fn answer_of(sharing: Sharing, origin: &str, request: Request, rules: &[Rule], s3: &[&Rule]) -> Answer {
    let rules: Vec<_> = rules.iter().collect();
    let dynamodb = mock_client!(aws_sdk_dynamodb, RuleMode::MatchAny, &rules);
    let directory = Directory::new(dynamodb.clone(), "directory".to_owned());
    let exports = Exports::new(dynamodb.clone(), "exports".to_owned());
    let puts = mock!(DynamoDb::put_item).then_output(|| PutItemOutput::builder().build());
    let finds_none = mock!(DynamoDb::query).then_output(|| QueryOutput::builder().build());
    let state = AppState {
        directory: directory.clone(),
        rate_limit: RateLimit::new(dynamodb.clone(), "exports".to_owned(), 500),
        usage_records: UsageRecords {
            client: dynamodb,
            table: "usage".to_owned(),
            read_ahead: 1,
            pace: Pace::default(),
        },
        exports: exports.clone(),
        submitter: Submitter {
            directory,
            exports,
            queue: ExportQueue {
                client: mock_client!(aws_sdk_sqs, []),
                url: "https://sqs.us-east-1.amazonaws.com/123456789012/exports".to_owned(),
            },
            active_limit: 5,
            audit_trail: AuditTrail::new(
                mock_client!(aws_sdk_dynamodb, RuleMode::MatchAny, [&puts, &finds_none]),
                "audit".to_owned(),
                400,
            ),
        },
        files: ExportFiles {
            s3: mock_client!(aws_sdk_s3, RuleMode::MatchAny, s3),
            bucket: "example-exports".to_owned(),
        },
        sharing,
        origin: origin.parse().expect("an origin"),
        clock: now,
    };
    let Ok(response) = settings_page::service(state).oneshot(request).await;
    let (parts, body) = response.into_response().await.into_parts();
    let text = match body {
        Body::Text(text) => text,
        body => {
            assert_eq!(parts.headers["content-encoding"], "gzip", "other bodies are text");
            gunzip(&body)
        }
    };
    Answer { status: parts.status.as_u16(), headers: parts.headers, text }
}

pub fn gunzip(compressed: &[u8]) -> String {
    let mut text = String::new();
    GzDecoder::new(compressed).read_to_string(&mut text).expect("gzip of text");
    text
}

pub fn item(attributes: &[(&str, &str)]) -> HashMap<String, AttributeValue> {
    let attribute =
        |(name, value): &(&str, &str)| ((*name).to_owned(), AttributeValue::S((*value).to_owned()));
    attributes.iter().map(attribute).collect()
}

/// An organization with one administrator, whose key and session are valid.
pub fn directory() -> Rule {
    let is_directory = |request: &GetItemInput| request.table_name() == Some("directory");
    mock!(DynamoDb::get_item).match_requests(is_directory).then_compute_output(|request| {
        let found = match request.key().expect("a key")["SK"].as_s().expect("a text").as_str() {
            "KEY" => Some(item(&[
                ("kind", "personal"),
                ("organization_id", "org_1"),
                ("user_id", "usr_example"),
                ("api_key_sha256", "the SHA-256 of a key"),
            ])),
            "ORG" => Some(item(&[("tier", "enterprise"), ("name", "Example")])),
            "MEMBER#usr_example" => Some(item(&[("email", "ada@example.com"), ("role", "admin")])),
            _ => None,
        };
        GetItemOutput::builder().set_item(found).build()
    })
}

/// DynamoDB fails for good, with words that are not for users.
pub fn broken() -> Rule {
    mock!(DynamoDb::get_item).then_error(|| {
        GetItemError::InternalServerError(
            InternalServerError::builder().message("replica 7 is on fire").build(),
        )
    })
}

/// A user without exports, in an organization without workspaces.
pub fn no_exports() -> Rule {
    mock!(DynamoDb::query).then_output(|| QueryOutput::builder().set_items(Some(vec![])).build())
}

/// There is no export with this id.
pub fn no_export(data_export_id: &'static str) -> Rule {
    mock!(DynamoDb::get_item)
        .match_requests(move |request| {
            let id = request.key().and_then(|key| key.get("data_export_id"));
            id == Some(&AttributeValue::S(data_export_id.to_owned()))
        })
        .then_output(|| GetItemOutput::builder().build())
}
