//! The interceptor in a real client of the SDK: what the SDK still sees, and answers that arrive broken.

use std::collections::{BTreeSet, VecDeque};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_dynamodb::operation::query::QueryOutput;
use aws_smithy_http_client::test_util::infallible_client_fn;
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use http_body::{Body, Frame};
use query_csv::{Page, RecordError};
use usage_export::export::interval::{Interval, parse_end, parse_start};
use usage_export::usage::{FIELDS, Field};
use usage_records::interceptor::QueryInterceptor;
use usage_records::selection::Selection;

/// The bytes of an answer, in frames.
struct Frames(VecDeque<Bytes>);

impl Body for Frames {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        Poll::Ready(self.0.pop_front().map(|bytes| Ok(Frame::data(bytes))))
    }
}

/// An answer in frames of this size.
fn response(body: &str, frame_size: usize, crc32: Option<u32>) -> http::Response<SdkBody> {
    let frames = body.as_bytes().chunks(frame_size).map(Bytes::copy_from_slice).collect();
    let mut response = http::Response::new(SdkBody::from_body_1_x(Frames(frames)));
    if let Some(crc32) = crc32 {
        response.headers_mut().insert("x-amz-crc32", crc32.into());
    }
    response
}

/// A client that gets these answers, and how often it asked.
fn client(
    answer: impl Fn(usize) -> http::Response<SdkBody> + Send + Sync + 'static,
) -> (Client, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let asking = Arc::clone(&asked);
    let http = infallible_client_fn(move |_| answer(asking.fetch_add(1, Ordering::Relaxed)));
    let config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::from_static("us-east-1"))
        .credentials_provider(Credentials::for_tests())
        .http_client(http);
    (Client::from_conf(config.build()), asked)
}

/// An export's selection of all runs of January 2025.
fn selection(fields: &[Field]) -> Arc<Selection> {
    let start = parse_start("2025-01-01").expect("a date");
    let interval = Interval::new(start, parse_end("2025-01-31").expect("a date")).expect("a range");
    Arc::new(Selection::new(interval, fields, &BTreeSet::new()).expect("a selection"))
}

/// One call: what the SDK returns, and the page that arrives beside it.
async fn query(client: &Client, selection: &Arc<Selection>) -> (QueryOutput, Result<Page, RecordError>) {
    let workspace = ["wsp_1".to_owned(), "Sales, EU".to_owned()];
    let (interceptor, pages) = QueryInterceptor::new(Arc::clone(selection), workspace);
    let call = client.query().table_name("usage").customize().interceptor(interceptor);
    let output = call.send().await.expect("an answer in the end");
    (output, pages.try_iter().last().expect("a page"))
}

fn rows(selection: &Selection, page: Page) -> String {
    for join in 0..selection.layout.joins().count() {
        for id in page.missing_ids(join, &selection.cells) {
            selection.cells.insert(join, id, &[&format!("name of {id}")]);
        }
    }
    let rows = page.into_rows(&selection.cells, &selection.pool).expect("rows");
    String::from_utf8(rows).expect("UTF-8")
}

const ANSWER: &str = r#"{"Count":2,"Items":[{"SK":{"S":"2025-01-31T09:30:00.000Z#a"},"credit_cost":{"N":"1.5"},"workbook_id":{"S":"wbk_1"},"user_id":{"S":"usr_1"}},{"SK":{"S":"2025-01-31T09:30:00.001Z#b"},"finished_ts":{"S":"2025-01-31T10:00:00.000Z"}}],"ScannedCount":3,"LastEvaluatedKey":{"PK":{"S":"wsp_1#2025-01"},"SK":{"S":"2025-01-31T09:30:00.002Z#c"}},"ConsumedCapacity":{"CapacityUnits":1.5,"TableName":"usage"}}"#;

#[tokio::test]
async fn the_sdk_sees_everything_but_the_records() {
    for frame_size in [1, 50, 10_000] {
        let crc32 = Some(crc32fast::hash(ANSWER.as_bytes()));
        let (client, _) = client(move |_| response(ANSWER, frame_size, crc32));
        let plain = client.query().table_name("usage").send().await.expect("an answer");
        let selection = selection(&FIELDS.map(|info| info.field));
        let (output, page) = query(&client, &selection).await;
        assert_eq!((plain.items().len(), output.items), (2, None));
        assert_eq!((output.count, output.scanned_count), (plain.count, plain.scanned_count));
        assert_eq!(output.last_evaluated_key, plain.last_evaluated_key);
        assert_eq!(output.consumed_capacity, plain.consumed_capacity);
        assert_eq!(
            rows(&selection, page.expect("a page")),
            "wsp_1,\"Sales, EU\",wbk_1,name of wbk_1,,usr_1,name of usr_1,a,1.5,2025-01-31T09:30:00.000Z,\r\n\
             wsp_1,\"Sales, EU\",,,,,,b,,2025-01-31T09:30:00.001Z,2025-01-31T10:00:00.000Z\r\n"
        );
    }
}

#[tokio::test]
async fn the_sdk_sees_what_a_page_cost_wherever_the_answer_says_so() {
    let selection = selection(&[Field::RunId]);
    let items =
        r#""Items":[{"SK":{"S":"2025-01-31T09:30:00.000Z#a"}},{"SK":{"S":"2025-01-31T09:30:00.001Z#b"}}]"#;
    for at in 0..=3 {
        let units = f64::from(fastrand::u16(..)) / 2.0;
        let capacity = format!(r#""ConsumedCapacity":{{"TableName":"usage","CapacityUnits":{units:?}}}"#);
        let mut members = vec![r#""Count":2"#, items, r#""ScannedCount":2"#];
        members.insert(at, &capacity);
        let answer = format!("{{{}}}", members.join(","));
        let (client, _) = client(move |_| response(&answer, 10, None));
        let (output, page) = query(&client, &selection).await;
        let told = output.consumed_capacity.and_then(|capacity| capacity.capacity_units);
        assert_eq!((told, output.count), (Some(units), 2), "place {at}");
        assert_eq!(rows(&selection, page.expect("a page")), "a\r\nb\r\n");
    }
}

/// What a client that gets a broken answer first ends up with.
async fn rows_after(broken: http::Response<SdkBody>) -> String {
    let broken = Mutex::new(Some(broken));
    let (client, asked) = client(move |_| {
        let broken = broken.lock().expect("no panic").take();
        broken.unwrap_or_else(|| response(ANSWER, 10, Some(crc32fast::hash(ANSWER.as_bytes()))))
    });
    let selection = selection(&[Field::RunId]);
    let (output, page) = query(&client, &selection).await;
    assert_eq!((output.count, asked.load(Ordering::Relaxed)), (2, 2));
    rows(&selection, page.expect("a page"))
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_arrives_changed_is_asked_for_again() {
    let changed = ANSWER.replace("1.5", "7.5");
    let crc32 = Some(crc32fast::hash(ANSWER.as_bytes()));
    assert_eq!(rows_after(response(&changed, 50, crc32)).await, "a\r\nb\r\n");
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_cut_off_is_asked_for_again() {
    for length in [0, 1, 30, ANSWER.len() - 1] {
        assert_eq!(rows_after(response(&ANSWER[..length], 50, None)).await, "a\r\nb\r\n", "{length} bytes");
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_with_bytes_behind_it_is_asked_for_again() {
    for frame_size in [1, ANSWER.len(), 1000] {
        let longer = format!("{ANSWER}\n,");
        let rows = rows_after(response(&longer, frame_size, None)).await;
        assert_eq!(rows, "a\r\nb\r\n", "frames of {frame_size}");
    }
}

/// The first attempt sends a page too: only the one that the SDK returns with counts.
#[tokio::test(start_paused = true)]
async fn a_page_whose_envelope_the_sdk_cannot_read_is_not_the_one_that_counts() {
    let unreadable = ANSWER.replace(r#""Count":2"#, r#""Count":"two""#).replace("#a", "#wrong");
    let (client, asked) = client(move |attempt| match attempt {
        0 => response(&unreadable, 50, None),
        _ => response(ANSWER, 50, None),
    });
    let selection = selection(&[Field::RunId]);
    let workspace = ["wsp_1".to_owned(), String::new()];
    let (interceptor, pages) = QueryInterceptor::new(Arc::clone(&selection), workspace);
    let call = client.query().table_name("usage").customize().interceptor(interceptor);
    if call.send().await.is_ok() {
        let page = pages.try_iter().last().expect("a page").expect("rows");
        assert_eq!(rows(&selection, page), "a\r\nb\r\n");
        assert_eq!(asked.load(Ordering::Relaxed), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn a_throttled_call_is_retried() {
    let mut throttled = response(r#"{"__type":"ProvisionedThroughputExceededException"}"#, 99, None);
    *throttled.status_mut() = http::StatusCode::BAD_REQUEST;
    assert_eq!(rows_after(throttled).await, "a\r\nb\r\n");
}

#[tokio::test]
async fn a_record_that_cannot_be_written_is_named_and_not_asked_for_again() {
    let answer = ANSWER.replace(r#"{"N":"1.5"}"#, r#"{"S":"1.5"}"#);
    let (client, asked) = client(move |_| response(&answer, 50, None));
    let (_, page) = query(&client, &selection(&[Field::CreditCost])).await;
    let error = page.expect_err("a cost that is a text");
    assert_eq!(
        (error.sort_key.as_str(), error.reason.as_str()),
        ("2025-01-31T09:30:00.000Z#a", "credit_cost is not a number")
    );
    assert_eq!(asked.load(Ordering::Relaxed), 1);
}
