//! The scan of an answer beside the SDK's own reading of the same bytes, and answers that arrive broken.

use std::collections::{BTreeSet, VecDeque};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_dynamodb::operation::query::QueryOutput;
use aws_smithy_http_client::test_util::infallible_client_fn;
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use export_worker::columns::Columns;
use export_worker::rows::{RowWriter, Rows};
use export_worker::scan::Scan;
use export_worker::tap::Tap;
use http_body::{Body, Frame};
use proptest::prelude::*;
use usage_export::error::AwsError;
use usage_export::usage::{FIELDS, Field};

use crate::random_pages::page;

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

fn response(frames: Vec<Bytes>, crc32: Option<u32>) -> http::Response<SdkBody> {
    let mut response = http::Response::new(SdkBody::from_body_1_x(Frames(frames.into())));
    if let Some(crc32) = crc32 {
        response.headers_mut().insert("x-amz-crc32", crc32.into());
    }
    response
}

/// A client that gets these answers: the last one again and again.
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

async fn query(client: &Client, tap: Option<&Tap>) -> Result<QueryOutput, AwsError> {
    let mut call = client.query().table_name("usage").customize();
    if let Some(tap) = tap {
        call = call.interceptor(tap.clone());
    }
    call.send().await.map_err(AwsError::from_sdk("dynamodb:Query"))
}

/// A tap for these fields.
fn tap(fields: &[Field]) -> Tap {
    Tap::new(columns(fields), "wsp_1")
}

fn columns(fields: &[Field]) -> Arc<Columns> {
    let names = [("wsp_1".to_owned(), "Sales, EU".to_owned())].into();
    Arc::new(Columns::new(fields, names, &BTreeSet::new()))
}

fn rows(rows: Result<Rows, AwsError>) -> Result<Rows, String> {
    rows.map_err(|error| error.to_string())
}

fn split(text: &str, sizes: &[usize]) -> Vec<Bytes> {
    let mut rest = Bytes::copy_from_slice(text.as_bytes());
    let mut frames = Vec::new();
    for size in sizes.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        frames.push(rest.split_to((*size).min(rest.len())));
    }
    frames
}

proptest! {
    #[test]
    fn a_scan_reads_what_the_sdk_reads(
        page in page(),
        sizes in prop_oneof![Just(vec![1]), proptest::collection::vec(1_usize..200, 1..8)],
        fields in proptest::sample::subsequence(FIELDS.map(|info| info.field).to_vec(), 1..=11).prop_shuffle(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let crc32 = Some(crc32fast::hash(page.as_bytes()));
            let frames = split(&page, &sizes);
            let (client, _) = client(move |_| response(frames.clone(), crc32));
            let by_sdk = query(&client, None).await.expect("an answer");
            let tap = tap(&fields);
            let by_tap = query(&client, Some(&tap)).await.expect("an answer");
            prop_assert_eq!(&by_tap.items, &None);
            prop_assert_eq!(by_tap.count, by_sdk.count);
            prop_assert_eq!(by_tap.last_evaluated_key, by_sdk.last_evaluated_key);
            // The same columns, and nothing known of anybody.
            let expected = RowWriter::new(columns(&fields), "wsp_1", 0).rows_of(&by_sdk.items.unwrap_or_default());
            prop_assert_eq!(rows(tap.rows(None)), rows(expected));
            Ok(())
        })?;
    }

    /// Whatever arrives, nothing panics.
    #[test]
    fn bytes_that_are_no_page_are_an_error(bytes in any::<Vec<u8>>(), page in page(), at in any::<usize>()) {
        let mut changed = page.into_bytes();
        let at = at % changed.len();
        changed.splice(at..at, bytes);
        for frame_size in [1, changed.len()] {
            let columns = columns(&FIELDS.map(|info| info.field));
            let mut scan = Scan::new(RowWriter::new(columns, "wsp_1", usize::MAX), None);
            let fed = changed.chunks(frame_size).try_for_each(|frame| scan.feed(frame));
            if fed.is_ok() && scan.end().is_ok() {
                let _ = scan.rows();
            }
        }
    }
}

const PAGE: &str = r#"{"Count":2,"Items":[{"SK":{"S":"2025-01-31T09:30:00.000Z#a"},"credit_cost":{"N":"1.5"}},{"SK":{"S":"2025-01-31T09:30:00.001Z#b"}}],"ScannedCount":2}"#;

/// What a client that at first gets a broken answer ends up with.
async fn after(broken: http::Response<SdkBody>) -> Vec<String> {
    let crc32 = crc32fast::hash(PAGE.as_bytes());
    let broken = std::sync::Mutex::new(Some(broken));
    let (client, asked) = client(move |_| {
        let broken = broken.lock().expect("no panic").take();
        broken.unwrap_or_else(|| response(split(PAGE, &[10]), Some(crc32)))
    });
    let tap = tap(&[Field::RunId]);
    let output = query(&client, Some(&tap)).await.expect("an answer in the end");
    assert_eq!((output.count, asked.load(Ordering::Relaxed)), (2, 2));
    let rows = tap.rows(None).expect("rows");
    assert_eq!(rows.written, 2);
    String::from_utf8(rows.text).expect("UTF-8").lines().map(str::to_owned).collect()
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_arrives_changed_is_asked_for_again() {
    let crc32 = crc32fast::hash(PAGE.as_bytes());
    let changed = PAGE.replace("1.5", "7.5");
    assert_eq!(after(response(split(&changed, &[50]), Some(crc32))).await, ["a", "b"]);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_cut_off_is_asked_for_again() {
    for length in [0, 1, 30, PAGE.len() - 1] {
        assert_eq!(after(response(split(&PAGE[..length], &[50]), None)).await, ["a", "b"], "{length} bytes");
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_with_something_behind_it_is_asked_for_again() {
    for size in [1, PAGE.len(), 1000] {
        let longer = format!("{PAGE}\n,");
        assert_eq!(after(response(split(&longer, &[size]), None)).await, ["a", "b"], "frames of {size}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_busy_table_is_asked_again() {
    let mut busy = response(split(r#"{"__type":"ProvisionedThroughputExceededException"}"#, &[99]), None);
    *busy.status_mut() = http::StatusCode::BAD_REQUEST;
    assert_eq!(after(busy).await, ["a", "b"]);
}

#[tokio::test]
async fn an_escaped_name_is_the_same_name() {
    let page = PAGE.replace("credit_cost", r"credit\u005fcost");
    let (client, _) = client(move |_| response(split(&page, &[50]), None));
    let tap = tap(&[Field::CreditCost]);
    query(&client, Some(&tap)).await.expect("an answer");
    assert_eq!(tap.rows(None).expect("rows").text, b"1.5\r\n\"\"\r\n");
}

#[tokio::test]
async fn a_record_that_cannot_be_written_is_named_and_not_asked_for_again() {
    let page = PAGE.replace(r#"{"N":"1.5"}"#, r#"{"S":"1.5"}"#);
    let (client, asked) = client(move |_| response(split(&page, &[50]), None));
    let tap = tap(&[Field::RunId]);
    query(&client, Some(&tap)).await.expect("an answer");
    let error = tap.rows(None).expect_err("a cost that is a text").to_string();
    assert!(error.contains("2025-01-31T09:30:00.000Z#a") && error.contains("credit_cost"), "{error}");
    assert_eq!(asked.load(Ordering::Relaxed), 1);
}
