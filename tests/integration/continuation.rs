//! Workers that continue what another one began before it died, and exports that fail.

use chrono::TimeDelta;
use serde_json::{Value, json};

use integration_tests::api::get_download;
use integration_tests::export::{assert_same_file, request, wait_until_final};
use integration_tests::files::{begin_file, etag_of_file, fill_large, open_uploads};
use integration_tests::oracle::{Snapshot, crc32};
use integration_tests::org::TestOrg;
use integration_tests::outbox::{emails_of, send_message, wait_for_email, wait_until_handled};
use integration_tests::records::{
    abandoned, id_of, new_record, put_active, put_record, read_active, read_record, timestamp,
};
use integration_tests::runs::Run;
use integration_tests::system::now;
use integration_tests::with_org;

/// The body of a request for what a new record asks for.
fn request_of_record() -> Value {
    request(&json!({"include_all_workspaces": true}))
}

async fn fill(org: &TestOrg) {
    let workspace = org.add_workspace("Sales").await;
    org.write_runs_at(&workspace, &["2025-01-10T08:00:00.000Z", "2025-01-31T23:59:59.999Z"]).await;
}

/// Puts a record as the API does: with a slot among the active exports and a message for the worker. Returns its id.
async fn submit_record(org: &TestOrg, record: &Value) -> String {
    let id = id_of(record);
    put_record(record).await;
    put_active(org, vec![id.clone()]).await;
    send_message(&id).await;
    id
}

/// Asserts that the export is FAILED with a reason, has no file, was notified of in one email, and has freed its slot.
async fn assert_failed(org: &TestOrg, id: &str) {
    let status = wait_until_final(&org.caller, id).await;
    assert_eq!(status["state"], "FAILED", "{status}");
    let reason = status["error"].as_str().unwrap();
    for internal in ["dynamodb", "s3", "credit_cost", "N {", "usage record 2"] {
        assert!(!reason.to_lowercase().contains(internal), "{reason}");
    }
    assert!(status.get("size_bytes").is_none() && status.get("checksum").is_none(), "{status}");
    assert_eq!(get_download(&org.caller, id).await.ok(), status);
    assert_eq!(etag_of_file(org, id).await, None);
    let email = wait_for_email(id).await;
    assert_eq!(email.to, [org.admin.email.as_str()]);
    for part in [&email.subject, &email.text, &email.html] {
        assert!(part.contains("failed"), "{part}");
    }
    assert!(email.text.contains(reason) && email.html.contains(reason), "{email:?}");
    assert!(email.text.to_lowercase().contains("try again"), "{email:?}");
    wait_until_handled(id).await;
    assert_eq!(emails_of(id).await.len(), 1);
    assert_eq!(read_active(org).await, Vec::<String>::new());
}

#[test]
fn another_worker_starts_again_without_a_checkpoint() {
    with_org(async |org| {
        fill(&org).await;
        let id = submit_record(&org, &abandoned(new_record(&org, &org.caller, now()), 1)).await;
        let export = org.finished_export(&id).await;
        let (expected, rows) = Snapshot::read(&org).await.expected(&request_of_record());
        assert_same_file(&export.file, &expected, &export.status);
        assert_eq!((rows, &export.status["row_count"]), (2, &json!(2)));
        assert_eq!(read_record(&id).await["epoch"], 2);
        wait_for_email(&id).await;
        wait_until_handled(&id).await;
        assert_eq!(emails_of(&id).await.len(), 1);
        assert_eq!(read_active(&org).await, Vec::<String>::new());
    });
}

#[test]
fn a_file_whose_checkpoint_an_earlier_version_wrote_is_begun_anew() {
    with_org(async |org| {
        let mut runs = fill_large(&org).await;
        runs.sort_by(|a, b| (&a.workspace_id, &a.start, &a.id).cmp(&(&b.workspace_id, &b.start, &b.id)));
        let (expected, rows) = Snapshot::read(&org).await.expected(&request_of_record());
        let lines: Vec<_> = expected.split_inclusive(|byte| *byte == b'\n').collect();
        let written = 2_345;
        let part = lines[..=written].concat();
        let mut record = abandoned(new_record(&org, &org.caller, now()), 1);
        let last: &Run = &runs[written - 1];
        // It names no manifest.
        record["checkpoint"] = json!({
            "upload_id": begin_file(&org, &id_of(&record), &part).await,
            "parts": [{"first": 1, "count": 1}],
            "position": {
                "partition_key": format!("{}#2025-01", last.workspace_id),
                "sort_key": format!("{}#{}", last.start, last.id),
            },
            "counts": {"read": written, "filtered": 0, "written": written, "bytes": part.len()},
            "crc32": crc32(&part),
        });
        let id = submit_record(&org, &record).await;
        let export = org.finished_export(&id).await;
        assert_same_file(&export.file, &expected, &export.status);
        assert_eq!(export.status["row_count"], rows);
        assert_eq!(read_record(&id).await["checkpoint"], Value::Null);
        wait_until_handled(&id).await;
        assert_eq!(
            open_uploads(&org, &id).await,
            Vec::<String>::new(),
            "the upload that was begun is aborted"
        );
    });
}

#[test]
fn a_living_lease_is_waited_for() {
    with_org(async |org| {
        fill(&org).await;
        let mut record = abandoned(new_record(&org, &org.caller, now()), 1);
        let lease_until = timestamp(now() + TimeDelta::seconds(3));
        record["lease_until"] = lease_until.clone().into();
        let id = submit_record(&org, &record).await;
        let export = org.finished_export(&id).await;
        assert!(export.status["finished_ts"].as_str().unwrap() >= lease_until.as_str(), "{}", export.status);
        assert_eq!(export.rows().len(), 2);
    });
}

#[test]
fn an_export_fails_after_its_last_attempt() {
    with_org(async |org| {
        fill(&org).await;
        let id = submit_record(&org, &abandoned(new_record(&org, &org.caller, now()), 5)).await;
        assert_failed(&org, &id).await;
    });
}

#[test]
fn the_last_attempt_may_succeed() {
    with_org(async |org| {
        fill(&org).await;
        let id = submit_record(&org, &abandoned(new_record(&org, &org.caller, now()), 4)).await;
        assert_eq!(org.finished_export(&id).await.rows().len(), 2);
    });
}

#[test]
fn a_corrupt_record_fails_the_export() {
    with_org(async |org| {
        fill(&org).await;
        let workspace = org.add_workspace("Corrupt").await;
        org.write_corrupt_run(&Run::new(&workspace, "2025-01-15T00:00:00.000Z")).await;
        // More exports than there are slots, so each failure must free its own.
        for _ in 0..6 {
            let id = org.post_export(&request_of_record()).await;
            assert_failed(&org, &id).await;
        }
        let without_corrupt_record =
            request(&json!({"include_all_workspaces": true, "end_date": "2025-01-14"}));
        assert_eq!(org.export(&without_corrupt_record).await.rows().len(), 1);
    });
}
