//! One message, when a service fails or a record is wrong.

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use export_worker::Disposition;
use export_worker::job::attempts::MAX_ATTEMPTS;
use integration_tests::files::open_uploads;
use integration_tests::org::text;
use integration_tests::records::read_active;
use integration_tests::run;
use serde_json::json;
use tokio::sync::Notify;

use crate::faults::{answer, error};
use crate::world::{World, let_pass};

const WITHOUT_ID: &str =
    "<InitiateMultipartUploadResult><Bucket>files</Bucket></InitiateMultipartUploadResult>";

const DENIED: &str = "<Error><Code>AccessDenied</Code><Message>no</Message></Error>";

async fn assert_failed(world: &World, reason: &str) {
    let export = world.export().await;
    assert_eq!(export["state"], "FAILED");
    assert!(export["error"].as_str().unwrap().contains(reason), "{export}");
    assert!(export["finished_ts"].is_string() && export.get("lease_owner").is_none(), "{export}");
    assert_eq!(world.subjects().await, ["Your usage data export failed: 01/01/2025 – 01/31/2025"]);
    assert_eq!(read_active(&world.org).await, Vec::<String>::new());
}

#[test]
fn reads_that_are_refused_for_a_while_are_tried_again_by_the_sdk() {
    run(async {
        let mut world = World::new().await;
        world.page_size = 9;
        world.faults.on("Query", async |call, nth| match nth {
            0..2 => answer(503, ""),
            _ => call.send().await,
        });
        assert_eq!(world.process(1).await, Disposition::Acknowledge);
        assert_eq!(world.faults.sent("Query").len(), 3);
        let export = world.export().await;
        assert_eq!((&export["state"], &export["epoch"]), (&json!("COMPLETED"), &json!(1)));
        assert_eq!(export["row_count"], 3);
    });
}

#[test]
fn an_export_whose_reads_stay_refused_is_given_back_and_fails_at_last() {
    run(async {
        let world = World::new().await;
        world.faults.on("Query", async |_, _| error(400, "AccessDeniedException"));
        for (attempt, pause) in (1..MAX_ATTEMPTS).zip([5, 10, 20, 40]) {
            assert_eq!(world.process(attempt).await, Disposition::Retry(Duration::from_secs(pause)));
            let export = world.export().await;
            assert_eq!((&export["state"], &export["attempts"]), (&json!("IN_PROGRESS"), &json!(attempt)));
            let is_free = export.get("lease_owner").is_none() && export.get("lease_until").is_none();
            assert!(is_free, "it is free for the next worker");
            assert!(world.subjects().await.is_empty());
        }
        assert_eq!(world.process(MAX_ATTEMPTS).await, Disposition::Acknowledge);
        assert_failed(&world, "technical problem on our side").await;
    });
}

/// An answer without an upload id says nothing about the stored records.
#[test]
fn a_fault_on_our_side_is_retried_and_reported_as_a_technical_problem() {
    run(async {
        let world = World::new().await;
        world.was_claimed_before().await;
        world.faults.on("CreateMultipartUpload", async |_, _| answer(200, WITHOUT_ID));
        for attempt in 1..MAX_ATTEMPTS {
            let retry = world.process(attempt).await;
            assert!(matches!(retry, Disposition::Retry(_)), "{retry:?}");
            assert_eq!(world.export().await["state"], "IN_PROGRESS");
        }
        assert_eq!(world.process(MAX_ATTEMPTS).await, Disposition::Acknowledge);
        assert_failed(&world, "technical problem on our side").await;
    });
}

#[test]
fn an_export_whose_workers_keep_dying_fails() {
    run(async {
        let world = World::new().await;
        world.give_to_another(-1).await;
        world.set("attempts", MAX_ATTEMPTS).await;
        assert_eq!(world.process(6).await, Disposition::Acknowledge);
        assert_failed(&world, "interrupted too often").await;
        assert!(world.file().await.is_none());
    });
}

#[test]
fn a_page_with_fewer_records_than_it_says_is_never_a_file() {
    run(async {
        let world = World::new().await;
        world.faults.on("Query", async |_, _| answer(200, r#"{"Count":1,"ScannedCount":1,"Items":[]}"#));
        assert_eq!(world.process(1).await, Disposition::Acknowledge);
        assert_failed(&world, "did not add up").await;
        assert!(world.file().await.is_none());
        assert_eq!(open_uploads(&world.org, &world.id).await, Vec::<String>::new());
    });
}

#[test]
fn a_file_of_another_size_than_was_written_fails() {
    run(async {
        let world = World::new().await;
        world.faults.on("HeadObject", async |_, _| {
            let mut head = answer(200, "")?;
            head.headers_mut().insert("content-length", "7");
            Ok(head)
        });
        assert_eq!(world.process(1).await, Disposition::Acknowledge);
        assert_failed(&world, "did not add up").await;
    });
}

#[test]
fn a_record_that_cannot_be_read_fails_the_export_at_once() {
    run(async {
        for (name, value) in [
            ("credit_cost", text("0.5")),
            ("finished_ts", text("yesterday")),
            ("user_id", AttributeValue::N("1".to_owned())),
            ("SK", text("2025-01-02T")),
            ("SK", text("run_2")),
        ] {
            let fields = json!(["run_id", "user_id", "credit_cost", "pl_run_finished_ts"]);
            let world = World::with_request(|request| request["fields"] = fields).await;
            let run = world.run(0, "2025-01-02T09:00:00.000Z").with_id("run_2");
            world.org.write_run_with(&run, name, value.clone()).await;
            assert_eq!(world.process(1).await, Disposition::Acknowledge, "{name}");
            assert_failed(&world, "could not be read").await;
            assert!(world.file().await.is_none());
            let key = if name == "SK" { value.as_s().unwrap() } else { "2025-01-02T09:00:00.000Z#run_2" };
            let place = format!("({}), month 2025-01, record {key}.", world.workspaces[0]);
            let export = world.export().await;
            assert!(export["error"].as_str().unwrap().contains(&place), "{export}");
        }
    });
}

/// It would be in the files of some intervals and not in others: nobody can tell which of them are right.
#[test]
fn a_record_that_is_stored_in_another_month_than_it_started_in_fails_the_export() {
    run(async {
        for start in ["2024-12-31T23:59:59.999Z", "2025-02-01T00:00:00.000Z", "2031-01-02T00:00:00.000Z"] {
            let world = World::new().await;
            let run = world.run(0, "2025-01-02T09:00:00.000Z").with_id("run_2");
            world.org.write_run_with(&run, "SK", text(format!("{start}#run_4"))).await;
            assert_eq!(world.process(1).await, Disposition::Acknowledge);
            let place = format!("({}), month 2025-01, record {start}#run_4", world.workspaces[0]);
            assert_failed(&world, &place).await;
            assert!(world.file().await.is_none());
        }
    });
}

/// Only the days of the interval are read of a month that it cuts into.
#[test]
fn a_bad_record_outside_of_the_interval_is_not_read() {
    run(async {
        for (start, end) in [
            ("2025-01-01T00:00:00.000Z", "2025-01-30T00:00:00.000Z"),
            ("2025-01-01T00:00:00.001Z", "2025-01-31T23:59:59.998Z"),
        ] {
            let change = |request: &mut serde_json::Value| {
                request["interval"] = json!({"start": start, "end": end});
            };
            let world = World::with_request(change).await;
            let run = world.run(0, "2025-01-02T09:00:00.000Z");
            world.org.write_run_with(&run, "SK", text("2025-02-01T00:00:00.000Z#run_4")).await;
            assert_eq!(world.process(1).await, Disposition::Acknowledge);
            let export = world.export().await;
            assert_eq!(
                (&export["state"], &export["row_count"]),
                (&json!("COMPLETED"), &json!(3)),
                "{export}"
            );
        }
    });
}

#[test]
fn a_part_that_s3_refuses_is_sent_again_by_the_next_worker() {
    run(async {
        let world = World::new().await;
        world.was_claimed_before().await;
        world.faults.on("UploadPart", async |_, _| answer(403, DENIED));
        assert_eq!(world.process(1).await, Disposition::Retry(Duration::from_secs(5)));
        assert!(world.file().await.is_none());
        let checkpoint = &world.export().await["checkpoint"];
        assert!(checkpoint.is_null(), "a part that did not arrive is not remembered: {checkpoint}");
        world.recover();
        assert_eq!(world.process(2).await, Disposition::Acknowledge);
        let export = world.export().await;
        assert_eq!((&export["state"], &export["epoch"]), (&json!("COMPLETED"), &json!(3)));
    });
}

#[test]
fn a_table_of_exports_that_fails_leaves_the_message() {
    run(async {
        let world = World::new().await;
        world.faults.on("UpdateItem", async |_, _| answer(400, ""));
        assert_eq!(world.process(3).await, Disposition::Retry(Duration::from_secs(20)));
        assert_eq!(world.export().await["state"], "REQUESTED");
    });
}

/// The worker dies after its last step and before SES is asked: the message comes again.
#[test]
fn a_missing_email_is_sent_by_the_next_delivery() {
    run(async {
        let world = World::new().await;
        let asked = Arc::new(Notify::new());
        let asking = Arc::clone(&asked);
        world.faults.on("UpdateItem", move |call, _| {
            let asking = Arc::clone(&asking);
            async move {
                if call.sent.json()["UpdateExpression"] == "SET notified_ts = :now, notified_by = :claimant" {
                    asking.notify_one();
                    std::future::pending::<()>().await;
                }
                call.send().await
            }
        });
        tokio::select! {
            _ = world.process(1) => panic!("it does not come to its end"),
            () = asked.notified() => {}
        }
        let export = world.export().await;
        assert_eq!(export["state"], "COMPLETED");
        assert!(export.get("notified_ts").is_none() && world.subjects().await.is_empty());
        world.recover();
        let_pass(3600);
        assert_eq!(world.process(2).await, Disposition::Acknowledge);
        assert_eq!(world.subjects().await.len(), 1);
        assert!(world.export().await["notified_ts"].is_string());
    });
}
