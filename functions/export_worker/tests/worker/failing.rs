//! One message, when a service fails or a record is wrong.

use std::time::Duration;

use aws_sdk_dynamodb::Client as DynamoDb;
use aws_sdk_dynamodb::operation::query::QueryOutput;
use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_s3::Client as S3;
use aws_sdk_s3::operation::create_multipart_upload::CreateMultipartUploadOutput;
use aws_sdk_s3::operation::head_object::HeadObjectOutput;
use aws_smithy_mocks::{Rule, mock};
use export_worker::Disposition;
use export_worker::job::{MAX_ATTEMPTS, process};
use usage_export::dynamo::{number, text};
use usage_export::export::State;

use crate::world::{World, let_pass, locked};

const THROTTLED: &str = r#"{"__type":"com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException","message":"slow down"}"#;

macro_rules! query_usage {
    () => {
        mock!(DynamoDb::query).match_requests(|request| request.table_name() == Some("usage"))
    };
}

/// Every read of usage records is throttled.
fn throttles() -> Rule {
    query_usage!().sequence().http_status(400, Some(THROTTLED.to_owned())).repeatedly().build()
}

fn assert_failed(world: &World, reason: &str) {
    let export = world.export();
    assert_eq!(export.state, State::Failed);
    assert!(export.error.as_deref().is_some_and(|error| error.contains(reason)), "{:?}", export.error);
    assert!(export.finished_ts.is_some() && !world.has("lease_owner"));
    assert_eq!(world.subjects(), ["Your usage data export failed: Jan 1, 2025 – Jan 31, 2025"]);
    assert_eq!(locked(&world.state).left_place, std::slice::from_ref(&world.id));
}

#[tokio::test(start_paused = true)]
async fn reads_that_are_refused_for_a_while_are_tried_again_by_the_sdk() {
    let mut world = World::new();
    let rule = query_usage!()
        .sequence()
        .http_status(400, Some(THROTTLED.to_owned()))
        .http_status(503, None)
        .output(|| QueryOutput::builder().count(0).scanned_count(0).set_items(Some(Vec::new())).build())
        .build();
    world.dynamodb(rule.clone());
    assert_eq!(process(&world.worker(), &world.id, "worker", 1).await, Disposition::Acknowledge);
    assert_eq!(rule.num_calls(), 3);
    assert_eq!((world.export().state, world.export().attempts), (State::Completed, 1));
}

#[tokio::test(start_paused = true)]
async fn an_export_whose_reads_stay_refused_is_given_back_and_fails_at_last() {
    let mut world = World::new();
    world.dynamodb(throttles());
    for (attempt, pause) in (1..MAX_ATTEMPTS).zip([5, 10, 20, 40]) {
        let again = process(&world.worker(), &world.id, "worker", attempt).await;
        assert_eq!(again, Disposition::Again(Duration::from_secs(pause)));
        let export = world.export();
        assert_eq!((export.state, export.attempts), (State::InProgress, attempt));
        assert!(!world.has("lease_owner") && !world.has("lease_until"), "it is free for the next worker");
        assert!(world.subjects().is_empty());
    }
    assert_eq!(process(&world.worker(), &world.id, "worker", MAX_ATTEMPTS).await, Disposition::Acknowledge);
    assert_failed(&world, "technical problem on our side");
}

/// An answer without an upload id says nothing about the stored records.
#[tokio::test]
async fn a_fault_on_our_side_is_tried_again_and_told_as_ours() {
    let mut world = World::new();
    world.s3(mock!(S3::create_multipart_upload)
        .then_output(|| CreateMultipartUploadOutput::builder().bucket("files").build()));
    for attempt in 1..MAX_ATTEMPTS {
        let again = process(&world.worker(), &world.id, "worker", attempt).await;
        assert!(matches!(again, Disposition::Again(_)), "{again:?}");
        assert_eq!(world.export().state, State::InProgress);
    }
    let last = process(&world.worker(), &world.id, "worker", MAX_ATTEMPTS).await;
    assert_eq!(last, Disposition::Acknowledge);
    assert_failed(&world, "technical problem on our side");
}

#[tokio::test]
async fn an_export_whose_workers_keep_dying_fails() {
    let world = World::new();
    world.give_to_another(-1);
    world.set("attempts", number(MAX_ATTEMPTS));
    assert_eq!(process(&world.worker(), &world.id, "worker", 6).await, Disposition::Acknowledge);
    assert_failed(&world, "interrupted too often");
    assert!(world.file().is_none());
}

#[tokio::test]
async fn a_page_with_fewer_records_than_it_says_is_never_a_file() {
    let mut world = World::new();
    world.dynamodb(query_usage!().then_output(|| {
        QueryOutput::builder().count(1).scanned_count(1).set_items(Some(Vec::new())).build()
    }));
    assert_eq!(process(&world.worker(), &world.id, "worker", 1).await, Disposition::Acknowledge);
    assert_failed(&world, "did not add up");
    assert!(world.file().is_none());
    assert_eq!(locked(&world.bucket).aborted, 1);
}

#[tokio::test]
async fn a_file_of_another_size_than_was_written_fails() {
    let mut world = World::new();
    world.s3(mock!(S3::head_object).then_output(|| HeadObjectOutput::builder().content_length(7).build()));
    assert_eq!(process(&world.worker(), &world.id, "worker", 1).await, Disposition::Acknowledge);
    assert_failed(&world, "did not add up");
}

#[tokio::test]
async fn a_record_that_cannot_be_read_fails_the_export_at_once() {
    for (name, value) in [
        ("credit_cost", text("0.5")),
        ("finished_ts", text("yesterday")),
        ("user_id", number(1)),
        ("SK", text("2025-01-02T")),
    ] {
        let world = World::new();
        locked(&world.state).records.get_mut("wsp_1#2025-01").expect("records")[1]
            .insert(name.to_owned(), value);
        assert_eq!(
            process(&world.worker(), &world.id, "worker", 1).await,
            Disposition::Acknowledge,
            "{name}"
        );
        assert_failed(&world, "could not be read");
        assert!(world.file().is_none());
    }
}

#[tokio::test]
async fn a_part_that_s3_refuses_is_sent_again_by_the_next_worker() {
    let mut world = World::new();
    let denied = "<Error><Code>AccessDenied</Code><Message>no</Message></Error>";
    world.s3(mock!(S3::upload_part).sequence().http_status(403, Some(denied.to_owned())).build());
    let again = process(&world.worker(), &world.id, "worker", 1).await;
    assert_eq!(again, Disposition::Again(Duration::from_secs(5)));
    assert!(
        world.file().is_none() && !world.has("checkpoint"),
        "a part that did not arrive is not remembered"
    );
    world.recover();
    assert_eq!(process(&world.worker(), &world.id, "worker", 2).await, Disposition::Acknowledge);
    assert_eq!((world.export().state, world.export().attempts), (State::Completed, 2));
}

#[tokio::test]
async fn a_table_of_exports_that_fails_leaves_the_message() {
    let mut world = World::new();
    world.dynamodb(mock!(DynamoDb::update_item).sequence().http_status(400, None).repeatedly().build());
    let again = process(&world.worker(), &world.id, "worker", 3).await;
    assert_eq!(again, Disposition::Again(Duration::from_secs(20)));
    assert_eq!(world.export().state, State::Requested);
}

/// The worker dies after its last step and before SES is asked: the message comes again.
#[tokio::test]
async fn an_outcome_that_was_not_told_is_told_by_the_next_delivery() {
    let world = World::new();
    process(&world.worker(), &world.id, "worker", 1).await;
    locked(&world.state).mails.clear();
    locked(&world.state).export.remove("notified_ts");
    let_pass(3600);
    assert_eq!(process(&world.worker(), &world.id, "worker", 2).await, Disposition::Acknowledge);
    assert_eq!(world.subjects().len(), 1);
    assert!(matches!(locked(&world.state).export.get("notified_ts"), Some(AttributeValue::S(_))));
}
