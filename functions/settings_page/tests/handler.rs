//! The page as API Gateway asks for it, with DynamoDB answering from rules: what the deployed system cannot be made to
//! do. `tests/integration` and `tests/browser` have the rest.

use std::collections::HashMap;

use aws_sdk_dynamodb::Client as DynamoDb;
use aws_sdk_dynamodb::operation::get_item::{GetItemError, GetItemOutput};
use aws_sdk_dynamodb::operation::put_item::PutItemOutput;
use aws_sdk_dynamodb::operation::query::QueryOutput;
use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_dynamodb::types::error::InternalServerError;
use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};
use chrono::{DateTime, Utc};
use lambda_http::http::HeaderMap;
use lambda_http::{Body, Request, RequestExt};
use serde_json::{Value, json};
use settings_page::Context;
use usage_export::directory::Directory;
use usage_export::export::download::ExportFiles;
use usage_export::export::store::Exports;
use usage_export::export::submit::Submitter;

const REQUEST_ID: &str = "8f5c2a3e-request";
const PAGE: &str = include_str!("../../../events/settings_page.json");
const ORIGIN: &str = "https://app.example.com";

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_763_900_000, 0).expect("a time")
}

/// The browser's request for the page, changed.
fn request(change: impl FnOnce(&mut Value)) -> Request {
    let mut event: Value = serde_json::from_str(PAGE).expect("JSON");
    change(&mut event);
    let request = lambda_http::request::from_str(&event.to_string()).expect("a gateway event");
    let mut context = lambda_http::Context::default();
    REQUEST_ID.clone_into(&mut context.request_id);
    request.with_lambda_context(context)
}

fn sign_in(origin: &str) -> Request {
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

struct Answer {
    status: u16,
    headers: HeaderMap,
    text: String,
}

async fn answer(request: Request, rules: &[Rule]) -> Answer {
    let rules: Vec<_> = rules.iter().collect();
    let dynamodb = mock_client!(aws_sdk_dynamodb, RuleMode::MatchAny, &rules);
    let directory = Directory::new(dynamodb.clone(), "directory".to_owned());
    let exports = Exports::new(dynamodb, "exports".to_owned());
    let context = Context {
        directory: directory.clone(),
        exports: exports.clone(),
        submitter: Submitter {
            directory,
            exports,
            sqs: mock_client!(aws_sdk_sqs, []),
            queue_url: "https://sqs.us-east-1.amazonaws.com/123456789012/exports".to_owned(),
            active_limit: 5,
        },
        files: ExportFiles { s3: mock_client!(aws_sdk_s3, []), bucket: "example-exports".to_owned() },
        origin: ORIGIN.to_owned(),
    };
    let (parts, body) = settings_page::handle(&context, request, now()).await.into_parts();
    let text = match body {
        Body::Text(text) => text,
        body => String::from_utf8(body.to_vec()).expect("text"),
    };
    Answer { status: parts.status.as_u16(), headers: parts.headers, text }
}

fn item(attributes: &[(&str, &str)]) -> HashMap<String, AttributeValue> {
    let attribute =
        |(name, value): &(&str, &str)| ((*name).to_owned(), AttributeValue::S((*value).to_owned()));
    attributes.iter().map(attribute).collect()
}

/// An organization with one administrator, whose key and session are valid.
fn directory() -> Rule {
    mock!(DynamoDb::get_item).then_compute_output(|request| {
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
fn broken() -> Rule {
    mock!(DynamoDb::get_item).then_error(|| {
        GetItemError::InternalServerError(
            InternalServerError::builder().message("replica 7 is on fire").build(),
        )
    })
}

fn assert_fenced(answer: &Answer) {
    let policy = answer.headers["content-security-policy"].to_str().expect("text");
    assert!(policy.contains("frame-ancestors 'none'") && !policy.contains("unsafe"), "{policy}");
    assert_eq!(answer.headers["cache-control"], "no-store");
    assert_eq!(answer.headers["strict-transport-security"], "max-age=31536000");
}

#[tokio::test]
async fn a_failure_of_ours_is_a_page_that_names_the_request() {
    let answer = answer(request(|_| ()), &[broken()]).await;
    assert_eq!(answer.status, 500);
    assert_eq!(answer.headers["content-type"], "text/html; charset=utf-8");
    for words in ["<!doctype html>", "Something went wrong", REQUEST_ID] {
        assert!(answer.text.contains(words), "{words:?} is not in {}", answer.text);
    }
    assert!(!answer.text.contains("fire"), "{}", answer.text);
    assert_fenced(&answer);
}

#[tokio::test]
async fn a_part_of_the_page_that_fails_is_a_line() {
    let fragment = request(|event| {
        event["rawPath"] = json!("/settings/organization/data_export/history");
        event["headers"]["hx-request"] = json!("true");
    });
    let answer = answer(fragment, &[broken()]).await;
    assert_eq!(answer.status, 500);
    assert!(answer.headers["content-type"].to_str().expect("text").starts_with("text/plain"));
    assert!(!answer.text.contains('<') && !answer.text.contains("fire"), "{}", answer.text);
}

#[tokio::test]
async fn the_page_comes_to_who_has_a_session() {
    let nothing =
        mock!(DynamoDb::query).then_output(|| QueryOutput::builder().set_items(Some(vec![])).build());
    let answer = answer(request(|_| ()), &[directory(), nothing]).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    for words in ["ada@example.com", "No exports yet", "0 workspaces and 0 personal"] {
        assert!(answer.text.contains(words), "{words:?} is not in {}", answer.text);
    }
    assert!(!answer.text.contains("<script>") && !answer.text.contains("style="), "{}", answer.text);
    assert_fenced(&answer);
}

#[tokio::test]
async fn over_tls_the_cookie_is_fenced_to_the_host() {
    let put = mock!(DynamoDb::put_item).then_output(|| PutItemOutput::builder().build());
    let answer = answer(sign_in(ORIGIN), &[directory(), put]).await;
    assert_eq!(answer.status, 303, "{}", answer.text);
    let cookie = answer.headers["set-cookie"].to_str().expect("text");
    assert!(cookie.starts_with("__Host-usage_export_session="), "{cookie}");
    for attribute in ["; Path=/", "; HttpOnly", "; SameSite=Strict", "; Secure"] {
        assert!(cookie.contains(attribute), "{cookie}");
    }
    assert!(!cookie.contains("Domain"), "{cookie}");
}

#[tokio::test]
async fn a_form_from_another_site_is_refused_before_anything_is_read() {
    let answer = answer(sign_in("https://evil.example"), &[]).await;
    assert_eq!(answer.status, 403, "{}", answer.text);
    assert!(!answer.headers.contains_key("set-cookie"));
}
