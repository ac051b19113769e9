//! What the router, its layers and extractors do with requests that are out of the ordinary.

use aws_sdk_dynamodb::Client as DynamoDb;
use aws_sdk_dynamodb::operation::put_item::PutItemOutput;
use aws_smithy_mocks::mock;

use crate::support::{
    PAGE, REQUEST_ID, answer, answer_at, directory, form, no_export, no_exports, request_for, request_with,
};

/// The largest export form, in bytes.
const MAX_FORM_BYTES: usize = 2 * 1024 * 1024;

const FORM: &str = "start_date=01/01/2025&end_date=01/31/2025&workspaces=selected&export_fields=run_id";

#[tokio::test]
async fn head_gets_the_headers_of_get_without_the_body() {
    let get = answer(request_for("GET", ""), &[directory(), no_exports()]).await;
    let head = answer(request_for("HEAD", ""), &[directory(), no_exports()]).await;
    assert_eq!((head.status, head.text.as_str()), (200, ""));
    for name in ["content-type", "cache-control", "content-security-policy", "vary"] {
        assert_eq!(head.headers[name], get.headers[name], "{name}");
    }
}

#[tokio::test]
async fn a_method_that_an_address_does_not_take_is_refused_and_the_others_are_named() {
    for (method, path, allowed) in [
        ("DELETE", "", "GET,HEAD"),
        ("POST", "", "GET,HEAD"),
        ("DELETE", "/new", "GET,HEAD,POST"),
        ("PUT", "/sign_in", "GET,HEAD,POST"),
        ("GET", "/sign_out", "POST"),
        ("HEAD", "/sign_out", "POST"),
        ("POST", "/history", "GET,HEAD"),
        ("BREW", "/exports/e1", "GET,HEAD"),
        ("POST", "/assets/page.js", "GET,HEAD"),
    ] {
        let answer = answer(request_for(method, path), &[directory()]).await;
        assert_eq!(answer.status, 405, "{method} {path}");
        let mut found: Vec<_> = answer.headers["allow"].to_str().expect("text").split(',').collect();
        found.sort_unstable();
        assert_eq!(found.join(","), allowed, "{method} {path}");
        assert_eq!(answer.headers["cache-control"], "no-store");
        assert!(answer.headers.contains_key("content-security-policy"));
        if method != "HEAD" {
            assert!(answer.text.contains("does not take that kind of request"), "{}", answer.text);
        }
    }
}

#[tokio::test]
async fn a_trailing_slash_makes_no_difference() {
    for path in ["/", "//"] {
        let answer = answer(request_for("GET", path), &[directory(), no_exports()]).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
    }
    let answer = answer(request_for("GET", "/new/"), &[directory(), no_exports()]).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
}

#[tokio::test]
async fn an_unknown_address_is_a_page_that_says_so() {
    for path in ["/exports", "/exports/e1/row", "/exports/e1/download/more", "/assets/page-OLD.js"] {
        let answer = answer(request_for("GET", path), &[directory()]).await;
        assert_eq!(answer.status, 404, "{path}");
        assert!(answer.text.contains("There is no page at this address"), "{path}: {}", answer.text);
    }
}

#[tokio::test]
async fn elsewhere_a_program_is_told_that_there_is_nothing() {
    for path in ["/", "/export_data/", "/favicon.ico", "/settings/organization/data_exports"] {
        let request = crate::support::request(|event| event["rawPath"] = serde_json::json!(path));
        let answer = answer(request, &[directory()]).await;
        assert_eq!(answer.status, 404, "{path}");
        assert_eq!(answer.headers["content-type"], "application/problem+json", "{path}");
        assert!(
            answer.text.contains("/export_status") && answer.text.contains(REQUEST_ID),
            "{}",
            answer.text
        );
        assert_eq!(answer.headers["x-content-type-options"], "nosniff");
    }
}

#[tokio::test]
async fn an_id_in_an_address_has_a_limit() {
    let long = "x".repeat(257);
    for path in [format!("/exports/{long}"), format!("/exports/{long}/download")] {
        let answer = answer(request_for("GET", &path), &[directory()]).await;
        assert_eq!(answer.status, 400, "{path}");
        assert!(answer.text.contains("The id in this address is longer than 256 bytes"), "{}", answer.text);
    }
    let answer = answer(form("/sign_in", &format!("user_id={long}&api_key=uex_example")), &[]).await;
    assert_eq!(answer.status, 400);
    assert!(answer.text.contains("The user ID is longer than 256 bytes."), "{}", answer.text);
}

#[tokio::test]
async fn a_part_of_an_address_is_decoded_and_must_be_text() {
    let row = answer(request_for("GET", "/exports/a%2Fb"), &[directory(), no_export("a/b")]).await;
    assert_eq!(row.status, 404);
    assert!(row.text.contains("There is no such export"), "{}", row.text);
    for id in ["%FF", ""] {
        let answer = answer(request_for("GET", &format!("/exports/{id}/download")), &[directory()]).await;
        assert_eq!(answer.status, 404, "{id}");
        assert!(answer.text.contains("There is no page at this address"), "{id}: {}", answer.text);
    }
}

#[tokio::test]
async fn a_form_is_read_up_to_its_limit() {
    // Without a workspace the form is refused after it was read.
    let largest = format!("{FORM}&more={}", "a".repeat(MAX_FORM_BYTES - FORM.len() - "&more=".len()));
    let read = answer(form("/new", &largest), &[directory(), no_exports()]).await;
    assert_eq!(read.status, 400);
    assert!(read.text.contains("Select at least one workspace"), "{}", read.text);

    let too_large = format!("{largest}a");
    let refused = answer(form("/new", &too_large), &[directory()]).await;
    assert_eq!(refused.status, 400);
    assert!(refused.text.contains("form is larger than 2097152 bytes"), "{}", refused.text);
}

#[tokio::test]
async fn of_a_sign_in_form_only_the_beginning_is_read() {
    let more = "a".repeat(3 * MAX_FORM_BYTES + 8 * 1024);
    let body = format!("user_id=usr_example&more={more}&api_key=uex_example");
    let answer = answer(form("/sign_in", &body), &[]).await;
    assert_eq!(answer.status, 400);
    assert!(answer.text.contains("Enter your user ID and an API key"), "{}", answer.text);
    assert!(answer.text.contains("value=\"usr_example\""), "{}", answer.text);
}

#[tokio::test]
async fn a_page_is_compressed_for_a_browser_that_prefers_gzip() {
    for (accepted, encoding) in [
        ("gzip", Some("gzip")),
        ("gzip, deflate, br, zstd", Some("gzip")),
        ("br;q=1.0, GZIP;q=0.5", Some("gzip")),
        ("gzip;q=0", None),
        ("gzip;q=0, *", None),
        ("gzip;q=0.5, identity;q=1", None),
        ("br", None),
        ("", None),
        ("gzip;q=high", None),
    ] {
        let request = request_with("accept-encoding", accepted, "");
        let answer = answer(request, &[directory(), no_exports()]).await;
        let found = answer.headers.get("content-encoding").map(|value| value.to_str().expect("text"));
        assert_eq!(found, encoding, "{accepted}");
        assert_eq!(answer.headers["vary"], "accept-encoding", "{accepted}");
        assert!(answer.text.contains("No exports yet"), "{accepted}");
    }
}

#[tokio::test]
async fn a_short_answer_is_not_compressed() {
    let request = request_with("accept-encoding", "gzip", "/workspaces");
    let answer = answer(request, &[directory(), no_exports()]).await;
    assert_eq!((answer.status, answer.text.as_str()), (200, "[]"));
    assert!(!answer.headers.contains_key("content-encoding"));
}

#[tokio::test]
async fn assets_are_kept_for_good_and_compressed() {
    let page = answer(request_for("GET", ""), &[directory(), no_exports()]).await.text;
    for (before, content_type) in [
        ("<script src=\"", "text/javascript; charset=utf-8"),
        ("rel=\"stylesheet\" href=\"", "text/css; charset=utf-8"),
    ] {
        let path = page.split_once(before).expect("a link").1.split('"').next().expect("its end");
        let path = path.strip_prefix(PAGE).expect("an address of the page");
        let plain = answer(request_for("GET", path), &[]).await;
        let compressed = answer(request_with("accept-encoding", "gzip", path), &[]).await;
        assert!(!plain.headers.contains_key("content-encoding"));
        assert_eq!(compressed.headers["content-encoding"], "gzip");
        assert_eq!(plain.text, compressed.text);
        for answer in [plain, compressed] {
            assert_eq!(answer.status, 200);
            assert_eq!(answer.headers["content-type"], content_type);
            assert_eq!(answer.headers["cache-control"], "public, max-age=31536000, immutable");
            assert_eq!(answer.headers["vary"], "accept-encoding");
            assert_eq!(answer.headers["x-content-type-options"], "nosniff");
        }
    }
}

#[tokio::test]
async fn malformed_cookies_are_no_session() {
    for cookies in
        ["", ";;=;\"", "__Host-usage_export_session", "__Host-usage_export_session=", "%FF=%FF; a=\\"]
    {
        let request = crate::support::request(|event| event["cookies"] = serde_json::json!([cookies]));
        let answer = answer(request, &[]).await;
        assert_eq!(answer.status, 401, "{cookies}");
        assert!(answer.text.contains("id=\"sign-in\""), "{}", answer.text);
    }
}

#[tokio::test]
async fn only_over_tls_browsers_are_told_to_stay_with_it() {
    let secure = answer(request_for("GET", "/nowhere"), &[directory()]).await;
    assert_eq!(secure.headers["strict-transport-security"], "max-age=31536000");
    let local = answer_at("http://127.0.0.1:8080", request_for("GET", "/nowhere"), &[directory()]).await;
    assert!(!local.headers.contains_key("strict-transport-security"));
}

#[tokio::test]
async fn whoever_asks_is_told_how_long_an_answer_took() {
    let rules = [directory(), no_exports()];
    for path in ["", "/new", "/nowhere"] {
        let request = request_with("x-server-timing", "1", path);
        let timing =
            answer(request, &rules).await.headers["server-timing"].to_str().expect("text").to_owned();
        assert!(timing.starts_with("render;dur=") && timing.contains(", total;dur="), "{timing}");
    }
}

const TYPED: &str = "start_date=01/01/2025&end_date=01/31/2025&workspaces=selected&workspace_ids=wsp_%3Cb%3E&\
    export_fields=run_id&idempotency_key=k1";

#[tokio::test]
async fn a_form_that_is_sent_without_a_session_is_shown_again_after_the_sign_in() {
    let request = crate::support::request(|event| {
        event["rawPath"] = serde_json::json!(format!("{PAGE}/new"));
        event["requestContext"]["http"]["method"] = serde_json::json!("POST");
        event["cookies"] = serde_json::json!([]);
        event["body"] = serde_json::json!(TYPED);
    });
    let asked = answer(request, &[]).await;
    assert_eq!(asked.status, 401);
    assert!(asked.text.contains("Sign in again: your export is kept."), "{}", asked.text);
    let kept = asked
        .text
        .split_once("name=\"kept_form\" value=\"")
        .expect("the form")
        .1
        .split('"')
        .next()
        .expect("its end");
    let kept = kept.replace("&#38;", "&");
    assert_eq!(kept, TYPED);

    let kept: String = form_urlencoded::byte_serialize(kept.as_bytes()).collect();
    let body = |key: &str| format!("user_id=usr_example&api_key={key}&kept_form={kept}");
    let refused = answer(form("/sign_in", &body("")), &[]).await;
    assert_eq!(refused.status, 400);
    assert!(refused.text.contains("name=\"kept_form\""), "a mistyped key must not lose it");
    let put = mock!(DynamoDb::put_item).then_output(|| PutItemOutput::builder().build());
    let shown = answer(form("/sign_in", &body("uex_example")), &[directory(), put, no_exports()]).await;
    assert_eq!(shown.status, 200, "{}", shown.text);
    assert!(shown.headers.contains_key("set-cookie"));
    for words in [
        "data-typed=\"01/01/2025\"",
        "1 workspace · 01/01/2025 – 01/31/2025 · 1 field",
        "You are signed in again",
        "value=\"k1\"",
    ] {
        assert!(shown.text.contains(words), "{words} is not in {}", shown.text);
    }
}
