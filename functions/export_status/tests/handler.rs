//! `GET /export_status` and `GET /exports` as API Gateway sends them, with DynamoDB and S3 answering from rules.

use std::collections::HashMap;

use aws_sdk_dynamodb::Client as DynamoDb;
use aws_sdk_dynamodb::operation::batch_get_item::BatchGetItemOutput;
use aws_sdk_dynamodb::operation::get_item::GetItemOutput;
use aws_sdk_dynamodb::operation::put_item::{PutItemError, PutItemOutput};
use aws_sdk_dynamodb::operation::query::QueryOutput;
use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_dynamodb::types::error::InternalServerError;
use aws_sdk_s3::Client as S3;
use aws_sdk_s3::operation::get_object::{GetObjectError, GetObjectOutput};
use aws_sdk_s3::operation::head_object::builders::HeadObjectOutputBuilder;
use aws_sdk_s3::operation::head_object::{HeadObjectError, HeadObjectOutput};
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::error::{NoSuchKey, NotFound};
use aws_sdk_s3::types::{ChecksumMode, ChecksumType};
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

const REQUEST_ID: &str = "8f5c2a3e-request";
const STATUS: &str = include_str!("../../../events/export_status.json");
const HISTORY: &str = include_str!("../../../events/exports.json");
const CSV: &str = "run_id\r\nrun_1\r\n";

type Item = HashMap<String, AttributeValue>;

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_763_900_000, 0).expect("a time")
}

/// A request as API Gateway sends it, with more parameters.
fn request(event: &str, query: &[(&str, &str)]) -> Request {
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

fn download() -> Request {
    request(STATUS, &[("download", "true")])
}

/// The export that the event asks for, COMPLETED yesterday.
fn export() -> DataExport {
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

fn to_item(export: &DataExport) -> Item {
    serde_dynamo::aws_sdk_dynamodb_1::to_item(export).expect("an item")
}

/// An answer of the function.
struct Answer {
    status: u16,
    headers: HeaderMap,
    body: Body,
}

impl Answer {
    fn json(&self) -> Value {
        let Body::Text(text) = &self.body else { panic!("{:?} is no text", self.body) };
        serde_json::from_str(text).expect("JSON")
    }
}

/// Answers a request. The table holds this export, and S3 answers by these rules.
async fn answer(request: Request, export: Option<&DataExport>, s3: &[&Rule]) -> Answer {
    answer_with(Sharing::default(), request, export, s3).await
}

/// The same where administrators share their files or not.
async fn answer_with(
    sharing: Sharing,
    request: Request,
    export: Option<&DataExport>,
    s3: &[&Rule],
) -> Answer {
    let puts = mock!(DynamoDb::put_item).then_output(|| PutItemOutput::builder().build());
    answer_recorded(sharing, request, export, s3, &puts).await
}

/// The same where the audit trail answers by a rule.
async fn answer_recorded(
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
fn directory() -> Rule {
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

fn gets(file: &'static str) -> Rule {
    mock!(S3::get_object)
        .match_requests(|request| request.key().is_some_and(|key| key.starts_with("exports/org_1/")))
        .then_output(|| GetObjectOutput::builder().body(ByteStream::from_static(file.as_bytes())).build())
}

/// Asserts that the answer is a problem document with the request's id and, if one is at fault, the field.
fn assert_problem(answer: &Answer, status: u16, field: Option<&str>) {
    let body = answer.json();
    assert_eq!(answer.status, status, "{body}");
    assert_eq!(answer.headers["content-type"], "application/problem+json");
    assert_eq!(body["request_id"], REQUEST_ID);
    assert_eq!(body["errors"][0]["field"].as_str(), field, "{body}");
}

#[tokio::test]
async fn the_status_is_answered_in_every_state() {
    for state in [State::Requested, State::InProgress, State::Completed, State::Failed] {
        let finished_ts = Some(now()).filter(|_| state.is_final());
        let export = DataExport { state, finished_ts, ..export() };
        let answer = answer(request(STATUS, &[]), Some(&export), &[]).await;
        let body = answer.json();
        assert_eq!((answer.status, body["state"].as_str()), (200, Some(state.name())), "{body}");
        assert_eq!(body["data_export_id"], export.data_export_id);
        assert_eq!(body["created_ts"], "2025-11-22T12:13:20.000Z");
        assert_eq!(body.get("finished_ts").is_some(), state.is_final(), "{body}");
        for kept_back in ["organization_id", "request", "lease_until", "checkpoint", "ttl"] {
            assert!(body.get(kept_back).is_none(), "{kept_back} in {body}");
        }
    }
}

#[tokio::test]
async fn the_speed_is_told_while_the_export_runs() {
    for state in [State::Requested, State::InProgress, State::Completed, State::Failed] {
        let export = DataExport {
            state,
            rows_per_second: Some(8_100),
            estimated_finish_ts: Some(now() + TimeDelta::seconds(90)),
            ..export()
        };
        let body = answer(request(STATUS, &[]), Some(&export), &[]).await.json();
        let expected = (state == State::InProgress).then(|| json!([8_100, "2025-11-23T12:14:50.000Z"]));
        let told = body.get("rows_per_second").zip(body.get("estimated_finish_ts"));
        assert_eq!(told.map(|(rows, finish_ts)| json!([rows, finish_ts])), expected, "{body}");
    }
}

#[tokio::test]
async fn a_download_of_an_unfinished_export_answers_its_status() {
    for state in [State::Requested, State::InProgress, State::Failed] {
        let answer = answer(download(), Some(&DataExport { state, ..export() }), &[]).await;
        assert_eq!((answer.status, &answer.json()["state"]), (200, &json!(state.name())));
    }
}

#[tokio::test]
async fn a_small_file_is_inside_the_answer() {
    let answer = answer(download(), Some(&export()), &[&gets(CSV)]).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.body.to_vec(), CSV.as_bytes());
    assert_eq!(answer.headers["content-type"], "text/csv; charset=utf-8");
    assert_eq!(
        answer.headers["content-disposition"],
        "attachment; filename=\"usage-export_2025-10-01_2025-10-31_000000000001.csv\""
    );
}

#[tokio::test]
async fn a_file_of_another_size_or_checksum_than_recorded_is_an_internal_error() {
    for other in ["run_id\r\n", "run_id\r\nrun_2\r\n"] {
        let answer = answer(download(), Some(&export()), &[&gets(other)]).await;
        assert_problem(&answer, 500, None);
    }
}

/// A `HeadObject` answer for a file of this size.
fn head(size: u64) -> HeadObjectOutputBuilder {
    HeadObjectOutput::builder().content_length(i64::try_from(size).expect("a size"))
}

#[tokio::test]
async fn a_redirect_leads_only_to_the_file_that_was_written() {
    let size = 4 * 1024 * 1024 + 1;
    let export =
        DataExport { size_bytes: Some(size), checksum: Some("crc32:00000102".to_owned()), ..export() };
    let whole = |head: HeadObjectOutputBuilder| head.checksum_type(ChecksumType::FullObject);
    let of_parts = |head: HeadObjectOutputBuilder| head.checksum_type(ChecksumType::Composite);
    let (same, other) = ("AAABAg==", "AAABAw==");
    for (head, status) in [
        (whole(head(size)).checksum_crc32(same), 302),
        (whole(head(size)).checksum_crc32(same).e_tag("after a copy in place"), 302),
        (whole(head(size)).checksum_crc32(other).e_tag("\"1-1\""), 500),
        (whole(head(size + 1)).checksum_crc32(same), 500),
        (whole(HeadObjectOutput::builder()).checksum_crc32(same), 500),
        (whole(head(size)), 500),
        (of_parts(head(size)).checksum_crc32("AAABAg==-2").e_tag("\"1-1\""), 302),
        (of_parts(head(size)).checksum_crc32("AAABAg==-2").e_tag("\"1-2\""), 500),
        (head(size), 500),
    ] {
        let head = head.build();
        let shown = format!("{head:?}");
        let rule = mock!(S3::head_object)
            .match_requests(|request| request.checksum_mode() == Some(&ChecksumMode::Enabled))
            .then_output(move || head.clone());
        let answer = answer(download(), Some(&export), &[&rule, &gets(CSV)]).await;
        assert_eq!(answer.status, status, "{shown}");
    }
}

#[tokio::test]
async fn a_large_file_is_a_redirect_to_a_url_that_is_valid_for_minutes() {
    let large = 4 * 1024 * 1024 + 1;
    let head = mock!(S3::head_object).then_output(move || head(large).e_tag("\"1-1\"").build());
    let answer =
        answer(download(), Some(&DataExport { size_bytes: Some(large), ..export() }), &[&head, &gets(CSV)])
            .await;
    assert_eq!(answer.status, 302);
    assert_eq!(answer.headers["cache-control"], "no-store");
    let url = answer.headers["location"].to_str().expect("a URL");
    assert!(url.contains("example-exports") && url.contains("/exports/org_1/"), "{url}");
    assert!(url.contains("X-Amz-Expires=300&"), "{url}");
    assert!(url.contains("response-content-disposition=attachment"), "{url}");
}

#[tokio::test]
async fn an_expired_file_is_not_found() {
    let expired = DataExport { expires_ts: Some(now()), ..export() };
    assert_problem(&answer(download(), Some(&expired), &[]).await, 404, None);

    let gone = mock!(S3::get_object).then_error(|| GetObjectError::NoSuchKey(NoSuchKey::builder().build()));
    assert_problem(&answer(download(), Some(&export()), &[&gone]).await, 404, None);

    let gone = mock!(S3::head_object).then_error(|| HeadObjectError::NotFound(NotFound::builder().build()));
    let large = DataExport { size_bytes: Some(1 << 30), ..export() };
    assert_problem(&answer(download(), Some(&large), &[&gone]).await, 404, None);
}

#[tokio::test]
async fn only_the_export_owner_sees_the_status() {
    let id = Some("data_export_id");
    assert_problem(&answer(request(STATUS, &[]), None, &[]).await, 404, id);
    for other in [
        DataExport { user_id: "usr_other".to_owned(), ..export() },
        DataExport { organization_id: "org_2".to_owned(), ..export() },
    ] {
        assert_problem(&answer(download(), Some(&other), &[]).await, 403, id);
    }
}

#[tokio::test]
async fn a_refusal_names_the_field_at_fault() {
    for (query, field) in [
        (("data_export_id", ""), "data_export_id"),
        (("user_id", ""), "user_id"),
        (("download", "maybe"), "download"),
    ] {
        assert_problem(&answer(request(STATUS, &[query]), None, &[]).await, 400, Some(field));
    }
    let mut without_key = request(STATUS, &[]);
    without_key.headers_mut().remove("authorization");
    let answer = answer(without_key, None, &[]).await;
    assert_problem(&answer, 401, None);
    assert_eq!(answer.headers["www-authenticate"], "Bearer");
}

#[tokio::test]
async fn the_history_lists_exports_and_refuses_a_foreign_cursor() {
    let page = answer(request(HISTORY, &[]), Some(&export()), &[]).await.json();
    assert_eq!(page["exports"][0]["data_export_id"], export().data_export_id);
    assert_eq!(page["exports"][0]["user_id"], "usr_example");
    assert_eq!(page["exports"][0]["user_email"], "ada@example.com");
    assert!(page.get("next_cursor").is_none());
    let unclear = answer(request(HISTORY, &[("mine", "yes")]), None, &[]).await;
    assert_problem(&unclear, 400, Some("mine"));
    let foreign = answer(request(HISTORY, &[("cursor", "ACTIVE%23org_1")]), None, &[]).await;
    assert_problem(&foreign, 400, Some("cursor"));
}

#[tokio::test]
async fn another_administrators_export_is_open_only_where_files_are_shared() {
    let theirs = DataExport { user_id: "usr_other".to_owned(), ..export() };
    let shared = Sharing { download_all: true };
    let refused = answer(request(STATUS, &[]), Some(&theirs), &[]).await;
    assert_problem(&refused, 403, Some("data_export_id"));
    let status = answer_with(shared, request(STATUS, &[]), Some(&theirs), &[]).await;
    assert_eq!((status.status, status.json()["state"].clone()), (200, json!("COMPLETED")));
    let file = answer_with(shared, download(), Some(&theirs), &[&gets(CSV)]).await;
    assert_eq!(file.status, 200);
    // Another organization's stays closed.
    let foreign = DataExport { organization_id: "org_2".to_owned(), ..theirs };
    let refused = answer_with(shared, request(STATUS, &[]), Some(&foreign), &[]).await;
    assert_problem(&refused, 403, Some("data_export_id"));
}

#[tokio::test]
async fn nobody_gets_a_file_of_whom_the_audit_trail_does_not_tell() {
    let export = export();
    let puts = mock!(DynamoDb::put_item).then_output(|| PutItemOutput::builder().build());
    let fails = mock!(DynamoDb::put_item)
        .then_error(|| PutItemError::InternalServerError(InternalServerError::builder().build()));
    let file = gets(CSV);
    let told = answer_recorded(Sharing::default(), download(), Some(&export), &[&file], &puts).await;
    assert_eq!((told.status, puts.num_calls()), (200, 1));
    let untold = answer_recorded(Sharing::default(), download(), Some(&export), &[&file], &fails).await;
    assert_eq!(untold.status, 500);
    assert!(!String::from_utf8_lossy(untold.body.as_ref()).contains("run_1"));
    // A look at the state is no event.
    let looked = answer_recorded(Sharing::default(), request(STATUS, &[]), Some(&export), &[], &fails).await;
    assert_eq!(looked.status, 200);
}

#[tokio::test]
async fn what_is_wrong_with_a_request_for_events_is_named() {
    const AUDIT: &str = include_str!("../../../events/audit.json");
    for (query, field) in [
        (&[("cursor", "next")][..], "cursor"),
        (&[("start_date", "2025-01-01")], "end_date"),
        (&[("download", "true")], "start_date"),
        (&[("start_date", "2025-02-01"), ("end_date", "2025-01-01")], "end_date"),
        (
            &[
                ("download", "true"),
                ("data_export_id", "exp"),
                ("start_date", "2025-01-01"),
                ("end_date", "2025-01-02"),
            ],
            "data_export_id",
        ),
        (&[("data_export_id", "")], "data_export_id"),
    ] {
        let answer = answer(request(AUDIT, query), None, &[]).await;
        assert_eq!(
            (answer.status, answer.json()["errors"][0]["field"].as_str()),
            (400, Some(field)),
            "{query:?}"
        );
    }
}
