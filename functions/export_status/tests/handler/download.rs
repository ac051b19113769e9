//! Files.

use aws_sdk_s3::Client as S3;
use aws_sdk_s3::operation::get_object::GetObjectError;
use aws_sdk_s3::operation::head_object::builders::HeadObjectOutputBuilder;
use aws_sdk_s3::operation::head_object::{HeadObjectError, HeadObjectOutput};
use aws_sdk_s3::types::error::{NoSuchKey, NotFound};
use aws_sdk_s3::types::{ChecksumMode, ChecksumType};
use aws_smithy_mocks::mock;
use serde_json::json;
use usage_export::export::{DataExport, State};

use crate::support::{CSV, answer, assert_problem, download, export, gets, now};

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
