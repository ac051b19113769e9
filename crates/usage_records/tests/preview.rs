//! Previews with a real client of the SDK, whose requests are answered from made-up tables.

use std::sync::{Arc, Mutex};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use aws_smithy_http_client::test_util::infallible_client_fn;
use aws_smithy_types::body::SdkBody;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use usage_export::directory::Directory;
use usage_export::export::interval::{Interval, parse_end, parse_start};
use usage_export::export::request::{ExportRequest, Scope};
use usage_export::usage::Field;
use usage_records::pace::Pace;
use usage_records::page::ReadError;
use usage_records::preview::{MAX_CALLS, Preview, PreviewError, ROWS, RowsAre, preview};
use usage_records::query::UsageRecords;

/// What the table of usage records answers to a `Query`.
type Answer = fn(&Value) -> (u16, Value);

/// The calls that were made: the operation and the body.
type Calls = Arc<Mutex<Vec<(String, Value)>>>;

/// A client of these tables: a directory with so many workspaces and nothing else, and usage records.
fn client(workspaces: usize, answer: Answer) -> (Client, Calls) {
    let calls = Calls::default();
    let made = Arc::clone(&calls);
    let http = infallible_client_fn(move |request: http::Request<SdkBody>| {
        let target = request.headers()["x-amz-target"].to_str().expect("text").to_owned();
        let operation = target.rsplit('.').next().expect("an operation").to_owned();
        let body: Value = serde_json::from_slice(request.body().bytes().expect("bytes")).expect("JSON");
        let (status, text) = match (operation.as_str(), body["TableName"].as_str()) {
            ("Query", Some("usage")) => answer(&body),
            ("Query", _) => (200, all_workspaces(workspaces)),
            _ => (200, json!({"Responses": {}})),
        };
        made.lock().expect("no panic").push((operation, body));
        http::Response::builder().status(status).body(SdkBody::from(text.to_string())).expect("an answer")
    });
    let config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::from_static("us-east-1"))
        .credentials_provider(Credentials::for_tests())
        .http_client(http);
    (Client::from_conf(config.build()), calls)
}

fn all_workspaces(count: usize) -> Value {
    let item = |number| json!({"PK": {"S": "ORG#org_1"}, "SK": {"S": format!("WORKSPACE#wsp_{number:05}")}, "name": {"S": "=Sales"}});
    json!({"Items": (0..count).map(item).collect::<Vec<_>>(), "Count": count, "ScannedCount": count})
}

/// As many records as may be read, one a second, from the first bound on.
fn endless(query: &Value) -> (u16, Value) {
    let values = &query["ExpressionAttributeValues"];
    let month = values[":pk"]["S"].as_str().expect("a key").split_once('#').expect("a month").1;
    let limit = query["Limit"].as_u64().expect("a limit");
    let after = query["ExclusiveStartKey"]["SK"]["S"].as_str();
    let start = after
        .or(values[":first"]["S"].as_str())
        .map_or(format!("{month}-01T00:00:00.000Z"), |at| at[..24].to_owned());
    let start: DateTime<Utc> = start.parse().expect("a time");
    let keys = (1..=limit).map(|second| {
        let start = start + chrono::TimeDelta::seconds(i64::try_from(second).expect("few"));
        format!("{}#run_{second}", usage_export::timestamp::to_text(start))
    });
    let keys: Vec<_> = keys.filter(|key| key.starts_with(month)).collect();
    let last = json!({"PK": values[":pk"], "SK": {"S": keys.last().expect("records")}});
    // Of a filter nothing is left.
    let left = if query["FilterExpression"].is_string() { &[][..] } else { &keys[..] };
    let items: Vec<_> = left.iter().map(|key| json!({"SK": {"S": key}})).collect();
    let answer =
        json!({"Items": items, "Count": left.len(), "ScannedCount": keys.len(), "LastEvaluatedKey": last});
    (200, answer)
}

fn nothing(_: &Value) -> (u16, Value) {
    (200, json!({"Items": [], "Count": 0, "ScannedCount": 0}))
}

fn one_in_march(query: &Value) -> (u16, Value) {
    let key = query["ExpressionAttributeValues"][":pk"]["S"].as_str().expect("a key");
    if key != "wsp_00001#2024-03" {
        return nothing(query);
    }
    (200, json!({"Items": [{"SK": {"S": "2024-03-04T00:00:00.000Z#run_1"}}], "Count": 1, "ScannedCount": 1}))
}

fn denied(_: &Value) -> (u16, Value) {
    (400, json!({"__type": "AccessDeniedException"}))
}

/// Runs from this day to the end of 2024, of these workbooks or all.
fn request(start: &str, workbooks: &[&str]) -> ExportRequest {
    let interval = Interval::new(parse_start(start).expect("a day"), parse_end("2024-12-31").expect("a day"));
    let scope = Scope {
        all_workspaces: true,
        organization_workspaces: false,
        personal_workspaces: true,
        workspace_ids: [].into(),
        entity_ids: workbooks.iter().map(|id| (*id).to_owned()).collect(),
    };
    let fields = vec![Field::WorkspaceName, Field::RunId, Field::UserEmail];
    ExportRequest { fields, interval: interval.expect("in order"), scope, time_zone: None, name: None }
}

/// The page's handlers are moved between threads.
fn for_any_thread<F: Future + Send>(future: F) -> F {
    future
}

/// A preview at the beginning of 2025, and the calls for usage records that it made.
async fn previewed(
    workspaces: usize,
    answer: Answer,
    request: &ExportRequest,
) -> (Result<Preview, PreviewError>, Vec<Value>) {
    let (client, calls) = client(workspaces, answer);
    let directory = Directory::new(client.clone(), "directory".to_owned());
    let records = UsageRecords { client, table: "usage".to_owned(), read_ahead: 4, pace: Pace::default() };
    let now = parse_start("2025-01-01").expect("a day");
    let made = for_any_thread(preview(&records, &directory, "org_1", request, now)).await;
    let calls = calls.lock().expect("no panic").clone();
    (made, calls.into_iter().map(|(_, body)| body).filter(|body| body["TableName"] == "usage").collect())
}

#[tokio::test]
async fn calls_are_few_small_and_cheap_whatever_is_asked_for() {
    for (workspaces, start) in
        [(1, "2024-12-01"), (50, "2024-01-01"), (5_000, "2020-01-01"), (5_000, "1925-01-01")]
    {
        for answer in [endless, nothing] as [Answer; 2] {
            for workbooks in [&[][..], &["wbk_1"]] {
                let (made, calls) = previewed(workspaces, answer, &request(start, workbooks)).await;
                let made = made.expect("a preview");
                assert!(calls.len() <= MAX_CALLS, "{} calls", calls.len());
                for call in calls {
                    assert!(call["Limit"].as_u64().is_some_and(|limit| limit <= 250), "{call}");
                    assert_eq!(call["ConsistentRead"], false);
                }
                let has_rows = answer as usize == endless as Answer as usize && workbooks.is_empty();
                let expected = if has_rows { ROWS } else { 0 };
                assert_eq!(made.rows.len(), expected, "{workspaces} workspaces since {start}");
                assert_eq!(made.estimate.rows > 0, has_rows);
                assert_eq!(made.estimate.is_exact, made.rows_are == RowsAre::All, "{made:?}");
            }
        }
    }
}

#[tokio::test]
async fn the_first_row_is_found_with_one_call() {
    let (made, calls) = previewed(1, endless, &request("2024-12-01", &[])).await;
    let made = made.expect("a preview");
    assert_eq!(made.header, ["workspace_name", "run_id", "user_email"]);
    assert_eq!(made.rows[0], ["'=Sales", "run_1", ""]);
    assert_eq!(made.rows_are, RowsAre::First);
    assert_eq!(calls.iter().filter(|call| call["Limit"] == ROWS).count(), 1);
}

#[tokio::test]
async fn a_file_that_fits_into_the_calls_is_previewed_as_it_will_be() {
    let (made, calls) = previewed(3, one_in_march, &request("2024-01-01", &[])).await;
    let made = made.expect("a preview");
    assert_eq!(
        (made.rows, made.rows_are),
        (vec![vec!["'=Sales".to_owned(), "run_1".to_owned(), String::new()]], RowsAre::All)
    );
    assert_eq!((made.estimate.rows, made.estimate.is_exact), (1, true));
    assert_eq!(made.estimate.bytes, "workspace_name,run_id,user_email\r\n'=Sales,run_1,\r\n".len() as u64);
    assert_eq!(calls.len(), 2 * 36, "each partition once for the rows and once for the estimate");
}

#[tokio::test]
async fn rows_that_are_not_found_are_not_denied() {
    let (made, _) = previewed(50, one_in_march, &request("2020-01-01", &[])).await;
    let made = made.expect("a preview");
    assert_eq!((made.rows_are, made.estimate.is_exact), (RowsAre::Examples, false));
}

#[tokio::test]
async fn without_an_answer_there_is_no_preview() {
    let (made, _) = previewed(3, denied, &request("2024-01-01", &[])).await;
    assert!(matches!(made, Err(PreviewError::Read(ReadError::Aws(_)))), "{made:?}");
}
