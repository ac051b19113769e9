//! Batches of messages, as SQS hands them over.

use std::time::Duration;

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use chrono::TimeDelta;
use integration_tests::run;

use crate::faults::error;
use crate::world::{World, now};

/// A batch of the given events' messages, the export's id in place of the example's.
fn batch(world: &World, events: &[&str]) -> SqsEvent {
    let mut batch = SqsEvent::default();
    for event in events {
        let event = event.replace("019ab0a2-0700-7000-8000-000000000001", &world.id);
        let event: SqsEvent = serde_json::from_str(&event).unwrap();
        batch.records.extend(event.records);
    }
    batch
}

const EXPORT: &str = include_str!("../../events/sqs_export.json");
const MALFORMED: &str = include_str!("../../events/sqs_malformed.json");

fn failures(response: &SqsBatchResponse) -> Vec<&str> {
    response.batch_item_failures.iter().map(|failure| failure.item_identifier.as_str()).collect()
}

async fn handle(world: &World, batch: SqsEvent) -> SqsBatchResponse {
    export_worker::handle(&world.worker(), batch, now() + TimeDelta::minutes(15)).await
}

#[test]
fn a_message_that_is_done_is_not_reported() {
    run(async {
        let world = World::new().await;
        let response = handle(&world, batch(&world, &[EXPORT])).await;
        assert!(failures(&response).is_empty());
        assert_eq!(world.export().await["state"], "COMPLETED");
        assert_eq!(world.faults.sent("ChangeMessageVisibility").len(), 0, "it took no two seconds");
    });
}

/// A killed worker's message comes back after this time, and not after that of the queue.
#[test]
fn the_message_of_an_export_that_takes_a_while_is_hidden_for_ninety_seconds() {
    run(async {
        let world = World::new().await;
        world.faults.on("Query", async |call, nth| {
            if nth == 0 {
                tokio::time::sleep(Duration::from_millis(2_500)).await;
            }
            call.send().await
        });
        handle(&world, batch(&world, &[EXPORT])).await;
        let [hidden] = &world.faults.sent("ChangeMessageVisibility")[..] else { panic!("one call") };
        assert_eq!(hidden.json()["VisibilityTimeout"], 90);
    });
}

#[test]
fn only_the_message_that_failed_is_reported() {
    run(async {
        let world = World::new().await;
        for events in [[MALFORMED, EXPORT], [EXPORT, MALFORMED]] {
            let response = handle(&world, batch(&world, &events)).await;
            assert_eq!(failures(&response), ["2e1424d4-f796-459a-8184-9c92662be6da"]);
            assert_eq!(world.export().await["state"], "COMPLETED");
        }
    });
}

#[test]
fn a_body_that_is_no_message_is_reported_whatever_it_is() {
    run(async {
        let world = World::new().await;
        for body in ["", "null", "[]", "{}", "{\"data_export_id\":7}", "\u{0}"] {
            let mut batch = batch(&world, &[MALFORMED]);
            batch.records[0].body = Some(body.to_owned());
            assert_eq!(failures(&handle(&world, batch).await).len(), 1, "{body}");
        }
        let mut batch = batch(&world, &[MALFORMED]);
        batch.records[0].body = None;
        assert_eq!(failures(&handle(&world, batch).await).len(), 1);
    });
}

#[test]
fn a_message_that_must_wait_is_hidden_for_that_long() {
    run(async {
        let world = World::new().await;
        world.give_to_another(40).await;
        let response = handle(&world, batch(&world, &[EXPORT])).await;
        assert_eq!(failures(&response), ["059f36b4-87a3-44ab-83d2-661975830a7d"]);
        let [hidden] = &world.faults.sent("ChangeMessageVisibility")[..] else { panic!("one call") };
        assert_eq!(hidden.json()["ReceiptHandle"], "AQEBexampleReceiptHandle7d==");
        assert_eq!(hidden.json()["VisibilityTimeout"], 42);
    });
}

#[test]
fn a_message_that_cannot_be_hidden_is_reported_all_the_same() {
    run(async {
        let world = World::new().await;
        let refused = async |_, _| error(400, "com.amazonaws.sqs#ReceiptHandleIsInvalid");
        world.faults.on("ChangeMessageVisibility", refused);
        world.give_to_another(40).await;
        let response = handle(&world, batch(&world, &[EXPORT])).await;
        assert_eq!(failures(&response), ["059f36b4-87a3-44ab-83d2-661975830a7d"]);
        assert_eq!(world.faults.sent("ChangeMessageVisibility").len(), 1);
    });
}
