//! Exports that nobody works on: their message is sent again, or they fail with a reason.

use chrono::{DateTime, TimeDelta};
use export_reconciler::{GIVE_UP_AFTER, Reconciler, handle};
use export_worker::{Disposition, Worker};
use integration_tests::records::{read_active, timestamp};
use integration_tests::run;
use integration_tests::system::system;
use serde_json::{Value, json};
use usage_export::export::{Failure, FailureReason};

use crate::faults::{SENT, answer};
use crate::world::{World, let_pass, now};

/// An export whose messages do not reach the deployed worker.
async fn world() -> World {
    let world = World::new().await;
    world.faults.on("SendMessage", async |_, _| answer(200, SENT));
    world
}

/// The reconciler with the world's calls. It sees the exports of other tests too, but the index is asked for none of them:
/// each test reconciles its export as a dead letter.
fn reconciler(world: &World) -> Reconciler {
    let Worker { exports, directory, mailer, queue, .. } = world.worker();
    Reconciler { exports, directory, mailer, queue, dead_letter_queue_url: system().outputs.dlq_url.clone() }
}

fn dead_letter(body: &str) -> Value {
    let mut event: Value = serde_json::from_str(include_str!("../../events/sqs_export.json")).unwrap();
    event["Records"][0]["body"] = body.into();
    event
}

async fn reconcile(world: &World) -> Value {
    let body = json!({"data_export_id": world.id}).to_string();
    handle(&reconciler(world), dead_letter(&body), now()).await.unwrap()
}

fn messages(world: &World) -> usize {
    world.faults.sent("SendMessage").len()
}

#[test]
fn the_message_of_an_export_that_nobody_claims_is_sent_again_less_and_less_often() {
    run(async {
        let world = world().await;
        assert_eq!(reconcile(&world).await["batchItemFailures"], json!([]));
        let message = world.faults.sent("SendMessage")[0].json();
        assert_eq!(message["MessageBody"], json!({"data_export_id": world.id}).to_string());
        assert_eq!(message["MessageGroupId"], world.org.id);
        let export = world.export().await;
        assert_eq!(export["check_ts"], timestamp(now() + TimeDelta::minutes(2)));
        reconcile(&world).await;
        assert_eq!(world.export().await["check_ts"], timestamp(now() + TimeDelta::minutes(4)));
        assert_eq!(messages(&world), 2);
        assert_eq!(world.process(1).await, Disposition::Acknowledge);
        assert_eq!(world.export().await["state"], "COMPLETED");
        reconcile(&world).await;
        assert_eq!(messages(&world), 2, "nothing is left to do");
    });
}

#[test]
fn an_export_with_a_worker_is_left_alone() {
    run(async {
        let world = world().await;
        world.give_to_another(40).await;
        reconcile(&world).await;
        assert_eq!(messages(&world), 0);
        assert_eq!(world.export().await["check_ts"], timestamp(now() + TimeDelta::seconds(70)));
        let_pass(71);
        reconcile(&world).await;
        assert_eq!(messages(&world), 1, "its worker is dead");
    });
}

#[test]
fn a_finished_export_whose_worker_died_before_the_email_goes_on() {
    run(async {
        let world = world().await;
        world.set("state", "COMPLETED").await;
        reconcile(&world).await;
        assert_eq!(messages(&world), 1);
        assert_eq!(world.process(1).await, Disposition::Acknowledge);
        assert_eq!(world.subjects().await.len(), 1);
    });
}

#[test]
fn an_export_without_progress_for_hours_fails_with_a_reason_and_an_email() {
    run(async {
        let world = world().await;
        let_pass(GIVE_UP_AFTER.num_seconds());
        reconcile(&world).await;
        assert_eq!(world.export().await["state"], "REQUESTED");
        let_pass(1);
        reconcile(&world).await;
        let export = world.export().await;
        assert_eq!(export["state"], "FAILED");
        assert!(export["error"].as_str().unwrap().contains("no progress for six hours"), "{export}");
        assert_eq!(world.subjects().await.len(), 1, "the worker may be what is broken");
        assert_eq!(read_active(&world.org).await, Vec::<String>::new());
        // The worker deletes what is left, when it works again.
        assert_eq!(messages(&world), 2);
        assert_eq!(world.process(1).await, Disposition::Acknowledge);
        assert!(world.export().await.get("unsettled").is_none());
        assert_eq!(world.subjects().await.len(), 1);
    });
}

#[test]
fn a_claim_between_the_look_and_the_step_wins() {
    run(async {
        let world = world().await;
        let reconciler = reconciler(&world);
        let seen = reconciler.exports.get(&world.id).await.unwrap().unwrap();
        assert_eq!(world.process(1).await, Disposition::Acknowledge);
        assert!(!reconciler.exports.postpone_check(&seen, now(), 1).await.unwrap());
        let why = Failure::new(FailureReason::GivenUp, "why");
        assert_eq!(reconciler.exports.give_up(&seen, &why, now()).await.unwrap(), None);
        assert_eq!(world.export().await["state"], "COMPLETED");
    });
}

#[test]
fn garbage_stays_in_the_dead_letter_queue_and_out_of_the_way() {
    run(async {
        let world = world().await;
        let long = "x".repeat(10_000);
        for body in ["", "null", "{}", "\u{0}", long.as_str()] {
            let response = handle(&reconciler(&world), dead_letter(body), now()).await.unwrap();
            assert_eq!(response["batchItemFailures"].as_array().unwrap().len(), 1, "{body}");
        }
        let hidden = world.faults.sent("ChangeMessageVisibility");
        assert_eq!((hidden.len(), &hidden[0].json()["VisibilityTimeout"]), (5, &json!(43_200)));
        for id in ["", "ACTIVE#org_1", &long, "019ab0a2-0700-7000-8000-000000000009"] {
            let body = json!({"data_export_id": id}).to_string();
            let response = handle(&reconciler(&world), dead_letter(&body), now()).await.unwrap();
            assert_eq!(response["batchItemFailures"], json!([]), "there is no such export");
        }
    });
}

#[test]
fn the_schedule_finds_what_is_due() {
    run(async {
        let world = world().await;
        let due = |ids: &[String]| ids.contains(&world.id);
        let exports = world.worker().exports;
        assert!(!due(&exports.due(now()).await.unwrap()), "its message was just sent");
        // Long before the exports of other tests, so that it is among the first.
        world.set("check_ts", "2020-01-01T00:00:00.000Z").await;
        assert!(due(&exports.due(now()).await.unwrap()));
        let scheduled = json!({"source": "aws.events", "detail-type": "Scheduled Event"});
        let then = DateTime::from_timestamp(1_577_836_801, 0).unwrap();
        let answer = handle(&reconciler(&world), scheduled, then).await;
        assert_eq!(answer.unwrap(), json!({"exports": 1}));
        assert_eq!(messages(&world), 1);
        assert_eq!(world.process(1).await, Disposition::Acknowledge);
        assert!(!due(&exports.due(now() + TimeDelta::days(400)).await.unwrap()), "settled");
        let settled = world.export().await;
        assert!(settled.get("unsettled").is_none(), "{settled}");
    });
}
