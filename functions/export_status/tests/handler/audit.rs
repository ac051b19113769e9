//! The audit trail.

use aws_sdk_dynamodb::Client as DynamoDb;
use aws_sdk_dynamodb::operation::put_item::{PutItemError, PutItemOutput};
use aws_sdk_dynamodb::types::error::InternalServerError;
use aws_smithy_mocks::mock;
use usage_export::config::Sharing;

use crate::support::{CSV, STATUS, answer, answer_recorded, download, export, gets, request};

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
    const AUDIT: &str = include_str!("../../../../events/audit.json");
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
