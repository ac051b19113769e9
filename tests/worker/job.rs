//! One message, when everything works.

use std::time::Duration;

use chrono::TimeDelta;
use export_worker::job::process;
use export_worker::{Delivery, Disposition};
use integration_tests::files::etag_of_file;
use integration_tests::records::{read_active, set_in_record, timestamp};
use integration_tests::run;
use serde_json::json;

use crate::world::{World, now};

const CSV: &str = "run_id,workspace_name,credit_cost\r\n\
                   run_1,Sales,0.5\r\nrun_2,Sales,0.5\r\nrun_3,Sales,0.5\r\n";

#[test]
fn a_completed_export_has_a_file_an_email_and_releases_its_slot() {
    run(async {
        let world = World::new().await;
        assert_eq!(read_active(&world.org).await, [world.id.as_str()]);
        assert_eq!(world.process(1).await, Disposition::Acknowledge);
        assert_eq!(world.file().await.as_deref(), Some(CSV.as_bytes()));
        let export = world.export().await;
        assert_eq!(export["state"], "COMPLETED");
        assert_eq!((&export["row_count"], &export["progress"]), (&json!(3), &json!(100)));
        assert_eq!((&export["epoch"], &export["attempts"]), (&json!(1), &json!(1)));
        assert!(export.get("unsettled").is_none() && export.get("check_ts").is_none(), "{export}");
        assert_eq!(export["size_bytes"], CSV.len());
        assert_eq!(export["checksum"], format!("crc32:{:08x}", crc32fast::hash(CSV.as_bytes())));
        assert_eq!(export["finished_ts"], timestamp(now()));
        assert_eq!(export["etag"], etag_of_file(&world.org, &world.id).await.unwrap());
        assert!(export.get("checkpoint").is_none() && export.get("lease_owner").is_none());
        assert_eq!(world.subjects().await, ["Your usage data export is ready: 01/01/2025 – 01/31/2025"]);
        assert_eq!(read_active(&world.org).await, Vec::<String>::new());
        let manifest = world.manifest().await;
        assert_eq!(manifest["totals"]["total"], json!({"rows": 3, "credit_cost": "1.5"}));
        assert_eq!(
            manifest["scope"],
            json!({"workspaces": [{"workspace_id": world.workspaces[0], "name": "Sales"}], "entity_ids": []})
        );
    });
}

/// S3's lifecycle rule counts from when the upload began, which may be long before the file was complete.
#[test]
fn a_file_expires_by_its_age_in_s3() {
    run(async {
        let world = World::new().await;
        world.faults.on("HeadObject", async |call, _| {
            let mut head = call.send().await?;
            head.headers_mut().insert("last-modified", "Wed, 01 Jan 2025 23:59:59 GMT");
            Ok(head)
        });
        world.process(1).await;
        assert_eq!(world.export().await["expires_ts"], "2025-01-31T23:59:59.000Z");
    });
}

#[test]
fn a_message_that_comes_twice_changes_nothing() {
    run(async {
        let world = World::new().await;
        world.process(1).await;
        let export = world.export().await;
        assert_eq!(export["state"], "COMPLETED");
        assert_eq!(world.process(2).await, Disposition::Acknowledge);
        assert_eq!(world.export().await, export);
        assert_eq!(world.subjects().await.len(), 1);
        assert_eq!(world.faults.sent("PutObject").len(), 2, "the file and its manifest");
    });
}

#[test]
fn a_message_whose_export_another_worker_has_comes_after_its_lease() {
    run(async {
        let world = World::new().await;
        world.give_to_another(40).await;
        assert_eq!(world.process(1).await, Disposition::Retry(Duration::from_secs(42)));
        assert!(world.file().await.is_none());
        assert_eq!(world.export().await["attempts"], 0);
    });
}

#[test]
fn the_export_of_a_dead_worker_is_taken_over() {
    run(async {
        let world = World::new().await;
        world.give_to_another(-1).await;
        assert_eq!(world.process(2).await, Disposition::Acknowledge);
        assert_eq!(world.export().await["state"], "COMPLETED");
    });
}

#[test]
fn a_message_without_an_export_is_done() {
    run(async {
        let world = World::new().await;
        let unfinished = format!("ACTIVE#{}", world.org.id);
        let delivery =
            Delivery { receives: 1, deadline: now() + TimeDelta::minutes(15), receipt_handle: None };
        for id in ["019ab0a2-0700-7000-8000-000000000009", "ACTIVE#org_1", &unfinished, ""] {
            assert_eq!(process(&world.worker(), id, &delivery).await, Disposition::Acknowledge, "{id:?}");
        }
        assert_eq!(world.export().await["state"], "REQUESTED");
    });
}

#[test]
fn an_export_without_rows_is_a_header() {
    run(async {
        let leap_month = json!({"start": "2024-02-01T00:00:00.000Z", "end": "2024-02-29T23:59:59.999Z"});
        let world = World::with_request(|request| request["interval"] = leap_month).await;
        assert_eq!(world.process(1).await, Disposition::Acknowledge);
        assert_eq!(world.file().await.as_deref(), Some(&b"run_id,workspace_name,credit_cost\r\n"[..]));
        let export = world.export().await;
        assert_eq!((&export["state"], &export["row_count"]), (&json!("COMPLETED"), &json!(0)));
    });
}

/// Up to 100 ids DynamoDB leaves the others out, beyond that the worker does.
#[test]
fn only_the_runs_of_the_named_workbooks_are_written() {
    run(async {
        for more in [0, 99, 100, 500] {
            let ids: Vec<_> =
                (0..more).map(|id| format!("wbk_more_{id}")).chain(["wbk_2".to_owned()]).collect();
            let world = World::with_request(|request| {
                request["scope"]["entity_ids"] = json!(ids);
                request["fields"] = json!(["run_id"]);
            })
            .await;
            let run = world.run(0, "2025-01-09T09:00:00.000Z").of("wbk_2").with_id("run_9");
            world.org.write_runs(&[run]).await;
            world.process(1).await;
            assert_eq!(world.file().await.as_deref(), Some(&b"run_id\r\nrun_9\r\n"[..]), "{more} more ids");
            assert_eq!(world.export().await["rows_read"], 4);
            let queries = world.faults.sent("Query");
            let filtered = queries.iter().all(|query| query.json()["FilterExpression"].is_string());
            assert_eq!(filtered, more < 100, "{more} more ids");
        }
    });
}

#[test]
fn a_workspace_that_is_gone_keeps_its_rows() {
    run(async {
        let world = World::new().await;
        world.org.remove_workspace(&world.workspaces[0]).await;
        world.process(1).await;
        let file = String::from_utf8(world.file().await.unwrap()).unwrap();
        assert!(file.ends_with("run_3,,0.5\r\n"), "{file}");
    });
}

#[test]
fn a_lease_that_another_worker_took_stops_this_one() {
    run(async {
        let world = World::new().await;
        let id = world.id.clone();
        // While this worker reads, another takes the export.
        world.faults.on("Query", move |call, _| {
            let id = id.clone();
            async move {
                set_in_record(&id, "lease_owner", &"another".into()).await;
                call.send().await
            }
        });
        assert_eq!(world.process(1).await, Disposition::Retry(Duration::from_secs(10)));
        let export = world.export().await;
        assert_eq!(export["state"], "IN_PROGRESS");
        assert_eq!(export["lease_owner"], "another");
        assert!(world.subjects().await.is_empty());
    });
}

#[test]
fn the_manifest_counts_the_cells_that_records_lack() {
    run(async {
        let fields = [
            "run_id",
            "user_id",
            "user_email",
            "workbook_name",
            "credit_cost",
            "pl_run_finished_ts",
            "workspace_id",
        ];
        let mut world = World::without_runs(1, |request| request["fields"] = json!(fields)).await;
        world.page_size = 1;
        let run = |day: u32| world.run(0, &format!("2025-01-0{day}T09:00:00.000Z")).by("usr_gone");
        world.org.write_runs(&[run(1), run(2).unfinished(), run(3).by(""), run(4).of("").unfinished()]).await;
        assert_eq!(world.process(1).await, Disposition::Acknowledge);
        let expected = json!({
            "user_id": 1, "user_email": 1, "workbook_name": 1, "credit_cost": 2, "pl_run_finished_ts": 2,
        });
        // The address of a user whom the directory does not know is empty too, but no record lacks it.
        assert_eq!(world.manifest().await["empty_cells"], expected);
    });
}
