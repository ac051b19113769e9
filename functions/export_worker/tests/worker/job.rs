//! One message, when everything works.

use std::time::Duration;

use export_worker::Disposition;
use export_worker::job::process;
use serde_json::json;
use usage_export::dynamo::text;
use usage_export::export::State;

use crate::world::{World, locked, now};

const CSV: &str = "run_id,workspace_name,credit_cost\r\n\
                   run_1,Sales,0.5\r\nrun_2,Sales,0.5\r\nrun_3,Sales,0.5\r\n";

#[tokio::test]
async fn an_export_ends_with_a_file_a_mail_and_a_free_place() {
    let world = World::new();
    assert_eq!(process(&world.worker(), &world.id, "worker", 1).await, Disposition::Acknowledge);
    assert_eq!(world.file().as_deref(), Some(CSV.as_bytes()));
    let export = world.export();
    assert_eq!(export.state, State::Completed);
    assert_eq!((export.row_count, export.progress, export.attempts), (3, 100, 1));
    assert_eq!(export.size_bytes, Some(CSV.len() as u64));
    assert_eq!(export.checksum, Some(format!("crc32:{:08x}", crc32fast::hash(CSV.as_bytes()))));
    assert_eq!(export.finished_ts, Some(now()));
    assert_eq!(export.expires_ts, Some(now() + chrono::TimeDelta::days(30)));
    assert!(!world.has("checkpoint") && !world.has("lease_owner"));
    assert_eq!(world.subjects(), ["Your usage data export is ready: Jan 1, 2025 – Jan 31, 2025"]);
    assert_eq!(locked(&world.state).left_place, [world.id]);
}

#[tokio::test]
async fn a_message_that_comes_twice_changes_nothing() {
    let world = World::new();
    process(&world.worker(), &world.id, "worker", 1).await;
    let export = world.export();
    assert_eq!(process(&world.worker(), &world.id, "worker-2", 2).await, Disposition::Acknowledge);
    assert_eq!(world.export(), export);
    assert_eq!(world.subjects().len(), 1);
    assert_eq!(locked(&world.bucket).parts_sent, [1]);
}

#[tokio::test]
async fn a_message_whose_export_another_worker_has_comes_after_its_lease() {
    let world = World::new();
    world.give_to_another(40);
    let again = process(&world.worker(), &world.id, "worker", 1).await;
    assert_eq!(again, Disposition::Retry(Duration::from_secs(42)));
    assert!(world.file().is_none());
    assert_eq!(world.export().attempts, 0);
}

#[tokio::test]
async fn the_export_of_a_dead_worker_is_taken_over() {
    let world = World::new();
    world.give_to_another(-1);
    assert_eq!(process(&world.worker(), &world.id, "worker", 2).await, Disposition::Acknowledge);
    assert_eq!(world.export().state, State::Completed);
}

#[tokio::test]
async fn a_message_without_an_export_is_done() {
    let world = World::new();
    for id in ["019ab0a2-0700-7000-8000-000000000009", "ACTIVE#org_1", ""] {
        assert_eq!(process(&world.worker(), id, "worker", 1).await, Disposition::Acknowledge);
    }
    assert_eq!(world.export().state, State::Requested);
}

#[tokio::test]
async fn an_export_without_rows_is_a_header() {
    let world = World::with_request(&json!({"start_date": "2024-02-01", "end_date": "2024-02-29"}));
    assert_eq!(process(&world.worker(), &world.id, "worker", 1).await, Disposition::Acknowledge);
    assert_eq!(world.file().as_deref(), Some(&b"run_id,workspace_name,credit_cost\r\n"[..]));
    assert_eq!((world.export().state, world.export().row_count), (State::Completed, 0));
}

/// Up to 100 ids DynamoDB leaves the others out, beyond that the worker does.
#[tokio::test]
async fn only_the_runs_of_the_named_workbooks_are_written() {
    for more in [0, 99, 100, 500] {
        let ids: Vec<_> = (0..more).map(|id| format!("wbk_more_{id}")).chain(["wbk_2".to_owned()]).collect();
        let world = World::with_request(&json!({"entity_ids": ids, "export_fields": ["run_id"]}));
        world.add_run("wsp_1#2025-01", "2025-01-09T09:00:00.000Z#run_9", "wbk_2");
        process(&world.worker(), &world.id, "worker", 1).await;
        assert_eq!(world.file().as_deref(), Some(&b"run_id\r\nrun_9\r\n"[..]), "{more} more ids");
        assert_eq!(locked(&world.state).export["rows_read"].as_n().map(String::as_str), Ok("4"));
    }
}

#[tokio::test]
async fn a_workspace_that_is_gone_keeps_its_rows() {
    let world = World::new();
    locked(&world.state).directory.remove("WORKSPACE#wsp_1");
    process(&world.worker(), &world.id, "worker", 1).await;
    let file = String::from_utf8(world.file().expect("a file")).expect("UTF-8");
    assert!(file.ends_with("run_3,,0.5\r\n"), "{file}");
}

#[tokio::test]
async fn a_lease_that_another_worker_took_stops_this_one() {
    let mut world = World::new();
    let state = std::sync::Arc::clone(&world.state);
    // While this worker reads, another takes the export.
    world.dynamodb(
        aws_smithy_mocks::mock!(aws_sdk_dynamodb::Client::query)
            .match_requests(|request| request.table_name() == Some("usage"))
            .then_compute_response(move |request| {
                let mut state = locked(&state);
                state.export.insert("lease_owner".to_owned(), text("another"));
                crate::world::answer(&crate::world::page(&state.records, request, 9))
            }),
    );
    let again = process(&world.worker(), &world.id, "worker", 1).await;
    assert_eq!(again, Disposition::Retry(Duration::from_secs(10)));
    assert!(world.file().is_none());
    assert_eq!(world.export().state, State::InProgress);
    assert_eq!(locked(&world.state).export["lease_owner"], text("another"));
    assert!(world.subjects().is_empty());
}
