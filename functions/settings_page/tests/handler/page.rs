//! What people get: pages, lines, redirects, cookies.

use aws_sdk_dynamodb::Client as DynamoDb;
use aws_sdk_dynamodb::operation::put_item::PutItemOutput;
use aws_smithy_mocks::mock;
use serde_json::json;

use crate::support::{
    Answer, ORIGIN, REQUEST_ID, answer, broken, directory, no_exports, request, request_for, sign_in,
};

/// Asserts the headers that keep a page safe.
fn assert_protected(answer: &Answer) {
    let policy = answer.headers["content-security-policy"].to_str().expect("text");
    assert!(policy.contains("frame-ancestors 'none'") && !policy.contains("unsafe"), "{policy}");
    assert_eq!(answer.headers["cache-control"], "no-store");
    assert_eq!(answer.headers["strict-transport-security"], "max-age=31536000");
    assert!(policy.contains("require-trusted-types-for 'script'; trusted-types 'none'"), "{policy}");
    assert_eq!(answer.headers["cross-origin-resource-policy"], "same-origin");
    let permissions = answer.headers["permissions-policy"].to_str().expect("text");
    assert!(
        permissions.contains("camera=()") && permissions.contains("clipboard-write=(self)"),
        "{permissions}"
    );
    assert!(!answer.headers.contains_key("server-timing"), "nobody asked for it");
}

#[tokio::test]
async fn an_internal_failure_is_a_page_with_the_request_id() {
    let answer = answer(request(|_| ()), &[broken()]).await;
    assert_eq!(answer.status, 500);
    assert_eq!(answer.headers["content-type"], "text/html; charset=utf-8");
    for words in ["<!doctype html>", "Something went wrong", REQUEST_ID] {
        assert!(answer.text.contains(words), "{words:?} is not in {}", answer.text);
    }
    assert!(!answer.text.contains("fire"), "{}", answer.text);
    assert_protected(&answer);
}

#[tokio::test]
async fn an_error_page_keeps_the_head_of_whoever_is_signed_in() {
    let found = answer(request_for("GET", "/nowhere"), &[directory()]).await;
    assert_eq!(found.status, 404);
    assert!(found.text.contains("ada@example.com") && found.text.contains("Sign out"), "{}", found.text);
    let stranger = request(|event| {
        event["rawPath"] = json!("/settings/organization/data_export/nowhere");
        event["cookies"] = json!([]);
    });
    let found = answer(stranger, &[]).await;
    assert_eq!(found.status, 404);
    assert!(!found.text.contains("Sign out"), "{}", found.text);
}

#[tokio::test]
async fn a_caller_with_a_session_gets_the_page() {
    let answer = answer(request(|_| ()), &[directory(), no_exports()]).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    for words in ["ada@example.com", "No exports yet", "New export"] {
        assert!(answer.text.contains(words), "{words:?} is not in {}", answer.text);
    }
    assert!(!answer.text.contains("<script>") && !answer.text.contains("style="), "{}", answer.text);
    assert_protected(&answer);
}

#[tokio::test]
async fn over_tls_the_session_cookie_is_bound_to_the_host() {
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
