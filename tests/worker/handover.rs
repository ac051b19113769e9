//! Exports that outlive their worker: checkpoints by time, and the handover before Lambda ends it.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use export_worker::Disposition;
use integration_tests::files::keys_of;
use integration_tests::records::timestamp;
use integration_tests::run;
use serde_json::json;
use tokio::sync::Notify;

use crate::faults::{SENT, answer, error};
use crate::world::{World, let_pass, now};

fn twice<T>(value: T) -> (Arc<T>, Arc<T>) {
    let one = Arc::new(value);
    (Arc::clone(&one), one)
}

/// Eight runs on eight pages. SQS takes a message without giving it to the deployed worker.
async fn eight_pages() -> World {
    let mut world =
        World::without_runs(1, |request| request["fields"] = json!(["run_id", "credit_cost"])).await;
    world.page_size = 1;
    let runs: Vec<_> = (1..=8)
        .map(|day| world.run(0, &format!("2025-01-0{day}T09:00:00.000Z")).with_id(&format!("run_{day}")))
        .collect();
    world.org.write_runs(&runs).await;
    world.faults.on("SendMessage", async |_, _| answer(200, SENT));
    world
}

const CSV: &str = "run_id,credit_cost\r\nrun_1,0.5\r\nrun_2,0.5\r\nrun_3,0.5\r\nrun_4,0.5\r\nrun_5,0.5\r\nrun_6,0.5\r\n\
                   run_7,0.5\r\nrun_8,0.5\r\n";

#[test]
fn a_worker_hands_over_before_its_end() {
    run(async {
        let world = eight_pages().await;
        let began = now();
        // Each worker has less time than the margin, so it reads one page.
        for worker in 1..=7 {
            let_pass(i64::from(worker > 1));
            assert_eq!(
                world.process_until(1, now() + TimeDelta::seconds(30)).await,
                Disposition::Acknowledge
            );
            let export = world.export().await;
            assert_eq!((&export["state"], &export["row_count"]), (&json!("IN_PROGRESS"), &json!(worker)));
            assert_eq!(export["attempts"], 0, "a healthy long export has no failed attempts");
            assert!(export.get("lease_owner").is_none(), "it is free for the next worker");
            assert_eq!(world.faults.sent("SendMessage").len(), worker);
        }
        let message = world.faults.sent("SendMessage")[0].json();
        assert_eq!(message["MessageBody"], json!({"data_export_id": world.id}).to_string());
        assert_eq!(world.process(1).await, Disposition::Acknowledge);
        assert_eq!(String::from_utf8(world.file().await.unwrap()).unwrap(), CSV);
        let export = world.export().await;
        assert_eq!((&export["state"], &export["epoch"]), (&json!("COMPLETED"), &json!(8)));
        assert_eq!((&export["row_count"], &export["rows_read"]), (&json!(8), &json!(8)));
        assert_eq!(world.subjects().await.len(), 1);
        assert_eq!(
            keys_of(&world.org, &world.id).await,
            ["csv", "manifest.8.1.json"],
            "no tail and no plan is left"
        );
        let manifest = world.manifest().await;
        assert_eq!(manifest["totals"]["months"], json!({"2025-01": {"rows": 8, "credit_cost": "4"}}));
        let read_ts = json!({"first": timestamp(began), "last": timestamp(now())});
        assert_eq!(manifest["read_ts"], read_ts, "from the first worker to the last");
    });
}

#[test]
fn a_handover_whose_message_cannot_be_sent_keeps_the_message_it_has() {
    run(async {
        let world = eight_pages().await;
        world.faults.on("SendMessage", async |_, _| answer(500, ""));
        let disposition = world.process_until(1, now() + TimeDelta::seconds(30)).await;
        assert_eq!(disposition, Disposition::Retry(Duration::from_secs(1)));
        assert_eq!(world.process(2).await, Disposition::Acknowledge);
        assert_eq!(String::from_utf8(world.file().await.unwrap()).unwrap(), CSV);
    });
}

/// A file below 8 MiB has no part before its end.
#[test]
fn a_small_export_goes_on_where_its_worker_was_ten_seconds_ago() {
    run(async {
        let world = eight_pages().await;
        let (asked, asking) = twice(Notify::new());
        let (passed, passing) = twice(Notify::new());
        world.faults.on("Query", move |call, nth| {
            let (asking, passing) = (Arc::clone(&asking), Arc::clone(&passing));
            async move {
                if nth == 4 {
                    asking.notify_one();
                    passing.notified().await;
                }
                if nth >= 6 { error(400, "AccessDeniedException") } else { call.send().await }
            }
        });
        // The clock belongs to the test's thread.
        let pass = async {
            asked.notified().await;
            let_pass(11);
            passed.notify_one();
        };
        let (disposition, ()) = tokio::join!(world.process(1), pass);
        assert_eq!(disposition, Disposition::Retry(Duration::from_secs(5)));
        let checkpoint = world.export().await["checkpoint"].clone();
        let saved = checkpoint["counts"]["written"].as_u64().unwrap();
        assert!(saved >= 4, "{checkpoint}");
        assert_eq!(keys_of(&world.org, &world.id).await, ["manifest.1.1.json", "plan.json", "tail.1.1"]);
        world.recover();
        let_pass(5);
        let before = world.faults.sent("Query").len();
        assert_eq!(world.process(2).await, Disposition::Acknowledge);
        assert_eq!(String::from_utf8(world.file().await.unwrap()).unwrap(), CSV);
        let first = world.faults.sent("Query")[before].json();
        let start = first["ExclusiveStartKey"]["SK"]["S"].as_str().unwrap().to_owned();
        assert!(start.starts_with(&format!("2025-01-0{saved}")), "{start}");
    });
}

#[test]
fn what_changes_in_the_directory_after_the_first_claim_changes_nothing() {
    run(async {
        let change = |request: &mut serde_json::Value| {
            request["fields"] = json!(["workspace_name", "run_id"]);
            request["scope"] = json!({"all_workspaces": true, "personal_workspaces": true, "workspace_ids": [], "entity_ids": []});
        };
        let mut world = World::without_runs(1, change).await;
        world.page_size = 1;
        let run = |day| world.run(0, &format!("2025-01-0{day}T09:00:00.000Z")).with_id(&format!("run_{day}"));
        world.org.write_runs(&[run(1), run(2)]).await;
        world.faults.on("SendMessage", async |_, _| answer(200, SENT));
        assert_eq!(world.process_until(1, now()).await, Disposition::Acknowledge);
        // The worker is between two others: a workspace appears before and one behind the checkpoint, and one goes.
        world.org.remove_workspace(&world.workspaces[0]).await;
        for _ in 0..5 {
            let added = world.org.add_workspace("Added").await;
            world.org.write_runs_at(&added, &["2025-01-05T09:00:00.000Z"]).await;
        }
        while world.export().await["state"] == "IN_PROGRESS" {
            assert_eq!(world.process_until(1, now()).await, Disposition::Acknowledge);
        }
        let file = String::from_utf8(world.file().await.unwrap()).unwrap();
        assert_eq!(file, "workspace_name,run_id\r\nSales,run_1\r\nSales,run_2\r\n");
    });
}

#[test]
fn objects_that_are_not_what_was_written_are_never_in_a_file() {
    run(async {
        for kind in [".tail.", ".manifest."] {
            let world = eight_pages().await;
            world.process_until(1, now()).await;
            world.faults.on("GetObject", move |call, _| async move {
                let is_meant = call.sent.uri.contains(kind);
                if is_meant { answer(200, "run_id,credit_cost\r\nrun_9,0.5\r\n") } else { call.send().await }
            });
            for _ in 1..5 {
                assert!(matches!(world.process(1).await, Disposition::Retry(_)));
                let_pass(300);
            }
            assert_eq!(world.process(1).await, Disposition::Acknowledge);
            assert_eq!(world.export().await["state"], "FAILED");
            assert_eq!(keys_of(&world.org, &world.id).await, Vec::<String>::new());
        }
    });
}
