//! Batches of messages, as SQS hands them over.

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use aws_sdk_sqs::Client as Sqs;
use aws_smithy_mocks::mock;
use usage_export::export::State;

use crate::world::{World, locked};

/// A batch of the given events' messages, the export's id in place of the example's.
fn batch(world: &World, events: &[&str]) -> SqsEvent {
    let mut batch = SqsEvent::default();
    for event in events {
        let event = event.replace("019ab0a2-0700-7000-8000-000000000001", &world.id);
        let event: SqsEvent = serde_json::from_str(&event).expect("an event of SQS");
        batch.records.extend(event.records);
    }
    batch
}

const EXPORT: &str = include_str!("../../../../events/sqs_export.json");
const MALFORMED: &str = include_str!("../../../../events/sqs_malformed.json");

fn failures(response: &SqsBatchResponse) -> Vec<&str> {
    response.batch_item_failures.iter().map(|failure| failure.item_identifier.as_str()).collect()
}

#[tokio::test]
async fn a_message_that_is_done_is_not_reported() {
    let world = World::new();
    let response = export_worker::handle(&world.worker(), batch(&world, &[EXPORT]), "request").await;
    assert!(failures(&response).is_empty());
    assert_eq!(world.export().state, State::Completed);
    assert!(locked(&world.state).hidden.is_empty());
}

#[tokio::test]
async fn only_the_message_that_failed_is_reported() {
    let world = World::new();
    for events in [[MALFORMED, EXPORT], [EXPORT, MALFORMED]] {
        let response = export_worker::handle(&world.worker(), batch(&world, &events), "request").await;
        assert_eq!(failures(&response), ["2e1424d4-f796-459a-8184-9c92662be6da"]);
        assert_eq!(world.export().state, State::Completed);
    }
}

#[tokio::test]
async fn a_body_that_is_no_message_is_reported_whatever_it_is() {
    let world = World::new();
    for body in ["", "null", "[]", "{}", "{\"data_export_id\":7}", "\u{0}"] {
        let mut batch = batch(&world, &[MALFORMED]);
        batch.records[0].body = Some(body.to_owned());
        let response = export_worker::handle(&world.worker(), batch, "request").await;
        assert_eq!(failures(&response).len(), 1, "{body}");
    }
    let mut batch = batch(&world, &[MALFORMED]);
    batch.records[0].body = None;
    assert_eq!(failures(&export_worker::handle(&world.worker(), batch, "request").await).len(), 1);
}

#[tokio::test]
async fn a_message_that_must_wait_is_hidden_for_that_long() {
    let world = World::new();
    world.give_to_another(40);
    let response = export_worker::handle(&world.worker(), batch(&world, &[EXPORT]), "request").await;
    assert_eq!(failures(&response), ["059f36b4-87a3-44ab-83d2-661975830a7d"]);
    assert_eq!(locked(&world.state).hidden, [("AQEBexampleReceiptHandle7d==".to_owned(), 42)]);
}

#[tokio::test]
async fn a_message_that_cannot_be_hidden_is_reported_all_the_same() {
    let mut world = World::new();
    let refused = r#"{"__type":"com.amazonaws.sqs#ReceiptHandleIsInvalid","message":"too late"}"#;
    world.sqs(
        mock!(Sqs::change_message_visibility).sequence().http_status(400, Some(refused.to_owned())).build(),
    );
    world.give_to_another(40);
    let response = export_worker::handle(&world.worker(), batch(&world, &[EXPORT]), "request").await;
    assert_eq!(failures(&response), ["059f36b4-87a3-44ab-83d2-661975830a7d"]);
}
