use http_body_util::BodyExt as _;
use hyper::StatusCode;

use super::xml::elements;
use super::*;

const MIB: usize = 1024 * 1024;

/// A bucket and the file that must come out of it: 12 MiB.
fn bucket() -> (Bucket, Bytes) {
    let expected: Bytes = (0..=250).cycle().take(12 * MIB).collect();
    (Bucket::new("files", expected.clone()), expected)
}

/// Sends a request and returns status and body of the answer.
async fn send(
    bucket: &Bucket,
    method: &str,
    target: &str,
    headers: &[(&str, &str)],
    body: Bytes,
) -> (StatusCode, Bytes) {
    let mut request = hyper::Request::builder().method(method).uri(format!("/files/{target}"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let (head, ()) = request.body(()).unwrap().into_parts();
    let answer = bucket.answer(&head, body, Instant::now()).unwrap();
    (answer.status(), answer.into_body().collect().await.unwrap().to_bytes())
}

async fn text(bucket: &Bucket, method: &str, target: &str, headers: &[(&str, &str)]) -> String {
    let (status, body) = send(bucket, method, target, headers, Bytes::new()).await;
    assert!(status.is_success(), "{status} {body:?}");
    String::from_utf8(body.to_vec()).unwrap()
}

async fn begin(bucket: &Bucket, key: &str) -> String {
    let answer = text(bucket, "POST", &format!("{key}?uploads="), &[]).await;
    elements(&answer, "UploadId").next().unwrap().to_owned()
}

/// Completes an upload with all its parts.
async fn complete(bucket: &Bucket, key: &str, id: &str) -> (StatusCode, Bytes) {
    let listed = text(bucket, "GET", &format!("{key}?uploadId={id}"), &[]).await;
    let parts: Vec<_> = elements(&listed, "Part").collect();
    let parts = format!("<Part>{}</Part>", parts.join("</Part><Part>"));
    send(bucket, "POST", &format!("{key}?uploadId={id}"), &[], parts.into()).await
}

#[tokio::test]
async fn a_file_is_joined_from_copied_ranges_and_sent_parts() {
    let (bucket, expected) = bucket();
    let (put, _) = send(&bucket, "PUT", "exports/segment", &[], expected.slice(..10 * MIB)).await;
    assert_eq!(put, StatusCode::OK);
    let id = begin(&bucket, "exports/file.csv").await;
    for (number, range) in [(1, "bytes=0-5242879"), (2, "bytes=5242880-10485759")] {
        let headers = [("x-amz-copy-source", "files/exports%2Fsegment"), ("x-amz-copy-source-range", range)];
        let target = format!("exports/file.csv?partNumber={number}&uploadId={id}");
        let answer = text(&bucket, "PUT", &target, &headers).await;
        assert!(answer.contains("<ETag>&quot;") && answer.contains("<ChecksumCRC32>"), "{answer}");
    }
    let target = format!("exports/file.csv?partNumber=3&uploadId={id}");
    send(&bucket, "PUT", &target, &[], expected.slice(10 * MIB..)).await;
    assert_eq!(complete(&bucket, "exports/file.csv", &id).await.0, StatusCode::OK);
    let file = bucket.take("exports/file.csv").unwrap();
    assert!(file.is_expected);
    assert_eq!((file.bytes, file.crc32), (expected.len() as u64, crc32fast::hash(&expected)));
}

#[tokio::test]
async fn what_cannot_be_copied_is_refused() {
    let (bucket, expected) = bucket();
    send(&bucket, "PUT", "segment", &[], expected.slice(..MIB)).await;
    let id = begin(&bucket, "file.csv").await;
    for (source, range, id, code) in [
        ("files/other", "bytes=0-9", id.as_str(), "NoSuchKey"),
        ("files/segment", "bytes=1048576-1048577", &id, "InvalidRange"),
        ("files/segment", "bytes=0-9", "upload-7", "NoSuchUpload"),
    ] {
        let headers = [("x-amz-copy-source", source), ("x-amz-copy-source-range", range)];
        let target = format!("file.csv?partNumber=1&uploadId={id}");
        let (status, body) = send(&bucket, "PUT", &target, &headers, Bytes::new()).await;
        assert!(status.is_client_error());
        assert_eq!(elements(std::str::from_utf8(&body).unwrap(), "Code").next(), Some(code));
    }
}

#[tokio::test]
async fn a_part_before_the_last_may_not_be_small() {
    let (bucket, expected) = bucket();
    let id = begin(&bucket, "file.csv").await;
    for number in 1..=2 {
        let target = format!("file.csv?partNumber={number}&uploadId={id}");
        send(&bucket, "PUT", &target, &[], expected.slice(..MIB)).await;
    }
    let (status, body) = complete(&bucket, "file.csv", &id).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(body.windows(14).any(|window| window == b"EntityTooSmall"));
}

#[tokio::test]
async fn listings_tell_what_is_there() {
    let (bucket, expected) = bucket();
    let ids = [begin(&bucket, "exports/a.csv").await, begin(&bucket, "exports/b.csv").await];
    let target = format!("exports/b.csv?partNumber=1&uploadId={}", ids[1]);
    send(&bucket, "PUT", &target, &[], expected.slice(..MIB)).await;
    send(&bucket, "PUT", "exports/c.json", &[], expected.slice(..9)).await;
    let uploads = text(&bucket, "GET", "?uploads=&prefix=exports%2F", &[]).await;
    assert_eq!(elements(&uploads, "Key").collect::<Vec<_>>(), ["exports/a.csv", "exports/b.csv"]);
    send(&bucket, "DELETE", &format!("exports/a.csv?uploadId={}", ids[0]), &[], Bytes::new()).await;
    complete(&bucket, "exports/b.csv", &ids[1]).await;
    let uploads = text(&bucket, "GET", "?uploads=", &[]).await;
    assert_eq!(elements(&uploads, "Key").count(), 0);
    let objects = text(&bucket, "GET", "?list-type=2&prefix=exports%2F", &[]).await;
    assert_eq!(elements(&objects, "Key").collect::<Vec<_>>(), ["exports/b.csv", "exports/c.json"]);
    let delete = Bytes::from_static(b"<Delete><Object><Key>exports/b.csv</Key></Object></Delete>");
    send(&bucket, "POST", "?delete=", &[], delete).await;
    let (status, _) = send(&bucket, "HEAD", "exports/b.csv", &[], Bytes::new()).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    let (status, range) =
        send(&bucket, "GET", "exports/c.json", &[("range", "bytes=3-5")], Bytes::new()).await;
    assert_eq!((status, range), (StatusCode::PARTIAL_CONTENT, expected.slice(3..6)));
}
