//! Names that are joined to pages, with a real client of the SDK whose requests are answered here.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use aws_smithy_http_client::test_util::infallible_client_fn;
use aws_smithy_types::body::SdkBody;
use query_csv::Page;
use serde_json::{Value, json};
use usage_export::directory::Directory;
use usage_export::export::interval::{Interval, parse_end, parse_start};
use usage_export::usage::Field;
use usage_records::interceptor::QueryInterceptor;
use usage_records::names::Names;
use usage_records::selection::Selection;

/// Beyond so many ids the cache of a join is emptied.
const CACHED_IDS: u32 = 100_000;
/// Or beyond so many bytes.
const CACHED_BYTES: usize = 17 * 1024 * 1024;

/// A client whose calls get what `answer` makes of the body.
fn client(answer: impl Fn(&Value) -> Value + Send + Sync + 'static) -> Client {
    let http = infallible_client_fn(move |request: http::Request<SdkBody>| {
        let body: Value = serde_json::from_slice(request.body().bytes().expect("bytes")).expect("JSON");
        http::Response::new(SdkBody::from(answer(&body).to_string()))
    });
    let config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::from_static("us-east-1"))
        .credentials_provider(Credentials::for_tests())
        .http_client(http);
    Client::from_conf(config.build())
}

fn selection() -> Arc<Selection> {
    let start = parse_start("2025-01-01").expect("a date");
    let interval = Interval::new(start, parse_end("2025-01-31").expect("a date")).expect("a range");
    let fields = [Field::RunId, Field::UserEmail];
    Arc::new(Selection::new(interval, &fields, &BTreeSet::new()).expect("a selection"))
}

/// A page with a run of each of these users, whose ids are those of the runs.
async fn page(selection: &Arc<Selection>, users: &[&str]) -> Page {
    let runs = users
        .iter()
        .map(|user| json!({"SK": {"S": format!("2025-01-31T09:30:00.000Z#{user}")}, "user_id": {"S": user}}));
    let answer =
        json!({"Items": runs.collect::<Vec<_>>(), "Count": users.len(), "ScannedCount": users.len()});
    let (interceptor, pages) = QueryInterceptor::new(Arc::clone(selection), Default::default());
    let client = client(move |_| answer.clone());
    client.query().table_name("usage").customize().interceptor(interceptor).send().await.expect("an answer");
    pages.try_iter().last().expect("a page").expect("rows")
}

/// The user ids that a call of `BatchGetItem` asks for, and the answer, in which each has an address.
fn members(call: &Value) -> (Vec<String>, Value) {
    let keys = call["RequestItems"]["directory"]["Keys"].as_array().expect("keys");
    let sort_keys = keys.iter().map(|key| key["SK"]["S"].as_str().expect("text"));
    let ids: Vec<_> = sort_keys.map(|key| key.trim_start_matches("MEMBER#").to_owned()).collect();
    let item = |id: &String| json!({"PK": {"S": "ORG#org_1"}, "SK": {"S": format!("MEMBER#{id}")}, "email": {"S": format!("{id}@x")}, "role": {"S": "admin"}});
    let items: Vec<_> = ids.iter().map(item).collect();
    (ids, json!({"Responses": {"directory": items}}))
}

fn names(selection: &Arc<Selection>, client: Client) -> Names {
    let directory = Directory::new(client, "directory".to_owned());
    Names { directory, organization_id: "org_1".to_owned(), selection: Arc::clone(selection) }
}

#[tokio::test]
async fn ids_of_several_pages_are_looked_up_together_and_once() {
    let selection = selection();
    let pages = vec![
        page(&selection, &["usr_1", "usr_2"]).await,
        page(&selection, &[]).await,
        page(&selection, &["usr_2", "usr_3"]).await,
    ];
    let asked = Arc::new(Mutex::new(Vec::new()));
    let asking = Arc::clone(&asked);
    let client = client(move |call| {
        let (ids, answer) = members(call);
        asking.lock().expect("no panic").push(ids);
        answer
    });
    let names = names(&selection, client);
    assert_eq!(pages.iter().map(|page| names.missing(page)).collect::<Vec<_>>(), [2, 0, 2]);
    let rows = names.complete(pages).await.expect("rows");
    let rows: Vec<_> = rows.into_iter().map(|rows| String::from_utf8(rows).expect("UTF-8")).collect();
    assert_eq!(rows, ["usr_1,usr_1@x\r\nusr_2,usr_2@x\r\n", "", "usr_2,usr_2@x\r\nusr_3,usr_3@x\r\n"]);
    assert_eq!(*asked.lock().expect("no panic"), [["usr_1", "usr_2", "usr_3"]]);
}

/// Lanes share the cache. One of them empties it, because it is full, while this one waits for the directory.
#[tokio::test]
async fn what_another_lane_makes_the_cache_forget_is_looked_up_again() {
    let selection = selection();
    let own = page(&selection, &["usr_known", "usr_new"]).await;
    // Another lane has looked it up meanwhile.
    selection.cells.insert(0, "usr_known", &["known@x"]);
    let others = Mutex::new(Some(page(&selection, &["usr_other"]).await));
    let shared = Arc::clone(&selection);
    let client = client(move |call| {
        if let Some(others) = others.lock().expect("no panic").take() {
            (0..=CACHED_IDS).for_each(|id| shared.cells.insert(0, &format!("usr_{id}"), &[]));
            assert_eq!(others.missing_ids(0, &shared.cells), ["usr_other"]);
        }
        members(call).1
    });
    let rows = names(&selection, client).complete(vec![own]).await.expect("rows");
    assert_eq!(rows, [b"usr_known,usr_known@x\r\nusr_new,usr_new@x\r\n".to_vec()]);
}

/// Then each further look at the cache must not empty it again.
#[tokio::test]
async fn names_that_fill_the_cache_alone_are_looked_up_once() {
    let selection = selection();
    let own = page(&selection, &["usr_1", "usr_2"]).await;
    let email = "x".repeat(CACHED_BYTES);
    let asked = Arc::new(Mutex::new(0));
    let asking = Arc::clone(&asked);
    let client = client(move |call| {
        let mut asked = asking.lock().expect("no panic");
        *asked += 1;
        assert!(*asked < 3, "it goes round in circles");
        let mut answer = members(call).1;
        answer["Responses"]["directory"][0]["email"]["S"] = email.clone().into();
        answer
    });
    let rows = names(&selection, client).complete(vec![own]).await.expect("rows");
    assert!(rows[0].len() > CACHED_BYTES);
    assert_eq!(*asked.lock().expect("no panic"), 1);
}
