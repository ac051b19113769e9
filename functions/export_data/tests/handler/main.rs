//! `POST /export_data` as API Gateway sends it, with DynamoDB and SQS answering from rules.

mod world;

use aws_sdk_dynamodb::Client as DynamoDb;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::CancellationReason;
use aws_sdk_dynamodb::types::error::TransactionCanceledException;
use aws_sdk_sqs::Client as Sqs;
use aws_sdk_sqs::operation::send_message::SendMessageOutput;
use aws_smithy_mocks::mock;
use serde_json::{Value, json};

use world::{
    Answer, World, assert_problem, locked, refuses_messages, request, request_with, request_with_header,
};

#[tokio::test]
async fn a_request_of_the_gateway_is_accepted_and_queued() {
    let world = World::default();
    let Answer { status, headers, body } = world.answer(request()).await;
    assert_eq!(status, 200, "{body}");
    assert_eq!(body["success"], true);
    assert_eq!(body["state"], "REQUESTED");
    assert_eq!(body["created_ts"], "2025-11-23T12:13:20.000Z");
    assert_eq!(headers["content-type"], "application/json");
    assert_eq!(world.messages(), [json!({"data_export_id": body["data_export_id"]}).to_string()]);
}

#[tokio::test]
async fn a_refusal_names_the_field_at_fault() {
    let world = World::default();
    for (request, status, field) in [
        (request_with("end_date", json!("2024-01-01")), 400, Some("end_date")),
        (request_with("workspace_ids", json!(7)), 400, Some("workspace_ids")),
        (request_with_header("idempotency-key", Some(" ")), 400, Some("Idempotency-Key")),
        (request_with_header("authorization", None), 401, None),
        (request_with_header("x-auth-key", Some("usr_other")), 403, None),
        (request_with("user_id", json!("usr_member")), 403, None),
        (request_with("user_id", json!("usr_unknown")), 403, None),
    ] {
        assert_problem(&world.answer(request).await, status, field);
    }
    let mut elsewhere = request_with("include_all_workspaces", json!(false));
    let mut body: Value = serde_json::from_slice(elsewhere.body()).expect("JSON");
    body["workspace_ids"] = json!(["wsp_1", "wsp_of_others"]);
    *elsewhere.body_mut() = body.to_string().into();
    assert_problem(&world.answer(elsewhere).await, 404, Some("workspace_ids"));
    assert!(world.messages().is_empty());
}

#[tokio::test]
async fn a_repeated_request_gets_the_first_answer() {
    let world = World::default();
    let first = world.answer(request()).await.body;
    // The same JSON, its members in another order.
    let mut reordered = request();
    let body: Value = serde_json::from_slice(reordered.body()).expect("JSON");
    let members: Vec<_> = body
        .as_object()
        .expect("an object")
        .iter()
        .rev()
        .map(|(name, value)| format!("\"{name}\" : {value}"))
        .collect();
    *reordered.body_mut() = format!("{{ {} }}", members.join(" , ")).into();
    assert_eq!(world.answer(reordered).await.body, first);
    assert_eq!(world.messages().len(), 1);

    let other = world.answer(request_with("end_date", json!("2025-10-30"))).await;
    assert_problem(&other, 422, None);
    let without_key = world.answer(request_with_header("idempotency-key", None)).await;
    assert_ne!(without_key.body["data_export_id"], first["data_export_id"]);
}

#[tokio::test]
async fn a_request_without_a_free_slot_is_told_when_to_retry() {
    let full = mock!(DynamoDb::transact_write_items).then_error(|| {
        let reasons = ["None", "ConditionalCheckFailed", "None"];
        let reasons = reasons.map(|code| CancellationReason::builder().code(code).build());
        TransactWriteItemsError::TransactionCanceledException(
            TransactionCanceledException::builder().set_cancellation_reasons(Some(reasons.into())).build(),
        )
    });
    let world = World::default().dynamodb(&full);
    let answer = world.answer(request()).await;
    assert_problem(&answer, 429, None);
    assert_eq!(answer.headers["retry-after"], "60");
    assert!(world.messages().is_empty());
}

/// The reconciler sends it.
#[tokio::test]
async fn an_export_whose_message_cannot_be_sent_is_accepted() {
    let answer = World::default().sqs(&refuses_messages()).answer(request()).await;
    assert_eq!((answer.status, &answer.body["success"]), (200, &json!(true)), "{}", answer.body);
    assert!(!answer.body.to_string().contains("secret-internal"), "{}", answer.body);
}

#[tokio::test(start_paused = true)]
async fn a_message_that_sqs_accepts_at_the_second_attempt_is_sent() {
    let rule = mock!(Sqs::send_message)
        .sequence()
        .http_status(503, None)
        .output(|| SendMessageOutput::builder().build())
        .build();
    assert_eq!(World::default().sqs(&rule).answer(request()).await.status, 200);
    assert_eq!(rule.num_calls(), 2);
}

#[tokio::test]
async fn what_was_asked_for_and_what_was_refused_is_in_the_audit_trail() {
    let world = World::default();
    let export = world.answer(request()).await.body;
    // The same again is no second event.
    world.answer(request()).await;
    for request in [
        request_with("end_date", json!("2024-01-01")),
        request_with_header("authorization", None),
        request_with_header("x-auth-key", Some("usr_other")),
        request_with("user_id", json!("usr_member")),
    ] {
        assert!(world.answer(request).await.status >= 400);
    }
    let event = |event_type: &str, user_id: &str, status: Option<&str>| {
        (event_type.to_owned(), Some(user_id.to_owned()), status.map(str::to_owned))
    };
    assert_eq!(
        world.events(),
        [
            event("export_requested", "usr_example", None),
            // A body that is wrong is no matter of access, and of a request without a key nobody knows whose it is.
            event("request_refused", "usr_example", Some("403")),
            event("request_refused", "usr_member", Some("403")),
        ]
    );
    let first = locked(&world.events)[0].clone();
    assert_eq!(
        first["data_export_id"].as_s().ok(),
        export["data_export_id"].as_str().map(str::to_owned).as_ref()
    );
    assert_eq!(first["source_ip"].as_s().map(String::as_str), Ok("203.0.113.7"));
    let text = format!("{first:?}");
    assert!(!text.contains("uex_") && !text.contains('@'), "{text}");
}
