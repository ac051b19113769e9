//! The segments of a large export are joined to one file, while those behind them are still read.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use export_worker::{Disposition, Splitting};
use integration_tests::files::{keys_of, object_key};
use integration_tests::run;
use serde_json::json;

use crate::faults::{Faults, answer};
use crate::resume::{large, large_request};
use crate::segments::{
    SPLITTING, assert_completed, assert_nothing_is_open, deliver_until_settled, segments, unsplit_file, world,
};
use crate::world::{World, let_pass};

/// The large export by one worker from the beginning to the end.
async fn unsplit_large_file(world: &World) -> Vec<u8> {
    let mut other = world.another_export(large_request).await;
    other.splitting = Splitting { min_pages: u32::MAX, ..SPLITTING };
    assert_eq!(other.process(1).await, Disposition::Acknowledge);
    other.file().await.unwrap()
}

#[test]
fn files_of_segments_are_copied_within_s3_and_small_pieces_through_memory() {
    run(async {
        let mut world = large().await;
        world.splitting = SPLITTING;
        assert_eq!(world.process(1).await, Disposition::Acknowledge);
        let unsplit = unsplit_large_file(&world).await;
        assert!(!world.faults.sent("UploadPartCopy").is_empty());
        assert_completed(&world, &unsplit).await;
    });
}

/// How many parts were sent or copied whose number is at least `first`, of the file with this key.
fn parts_from(faults: &Faults, key: &str, first: i32) -> usize {
    let sent = ["UploadPart", "UploadPartCopy"].map(|operation| faults.sent(operation));
    sent.iter().flatten().filter(|part| part.uri.contains(key) && part.part_number() >= first).count()
}

/// Waits until a segment is joined to the first one.
async fn until_joined(faults: &Faults, id: &str, key: &str) {
    loop {
        let export = integration_tests::records::read_record(id).await;
        let first = export["checkpoint"]["join_from"].as_i64().and_then(|first| i32::try_from(first).ok());
        if first.is_some_and(|first| parts_from(faults, key, first) > 0) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[test]
fn segments_are_joined_while_those_behind_them_are_read() {
    run(async {
        let mut world = large().await;
        world.splitting = SPLITTING;
        let (faults, id, key) = (world.faults.clone(), world.id.clone(), object_key(&world.org, &world.id));
        let last = format!("{}#2025-02", world.workspaces[1]);
        world.faults.on("Query", move |call, _| {
            let (faults, id, key) = (faults.clone(), id.clone(), key.clone());
            let is_last = call.sent.json().to_string().contains(&last);
            async move {
                if is_last {
                    until_joined(&faults, &id, &key).await;
                }
                call.send().await
            }
        });
        let processed = tokio::time::timeout(Duration::from_secs(50), world.process(1)).await;
        assert_eq!(processed, Ok(Disposition::Acknowledge), "nothing is joined before all is read");
        world.recover();
        assert_completed(&world, &unsplit_large_file(&world).await).await;
    });
}

/// The months of the two workspaces are four segments, and the worker has asked for the second one before it splits.
#[test]
fn a_segment_does_not_wait_for_a_page_behind_its_end() {
    run(async {
        let mut world = large().await;
        world.splitting = Splitting { lanes: 1, min_pages: 25, ..SPLITTING };
        let second = format!("{}#2025-02", world.workspaces[0]);
        let is_held = Arc::new(AtomicBool::new(false));
        let held = Arc::clone(&is_held);
        let key = second.clone();
        world.faults.on("Query", move |call, _| {
            let is_second = call.sent.json().to_string().contains(&key);
            let holds = is_second && !held.swap(true, Ordering::SeqCst);
            async move {
                if holds {
                    return std::future::pending().await;
                }
                // Long enough for the split to come before the last page of the month.
                tokio::time::sleep(Duration::from_millis(100)).await;
                call.send().await
            }
        });
        let processed = tokio::time::timeout(Duration::from_secs(50), world.process(1)).await;
        assert_eq!(processed, Ok(Disposition::Acknowledge), "it waits for that page");
        assert!(is_held.load(Ordering::SeqCst), "nothing was asked for ahead");
        world.recover();
        assert_eq!(
            world.export().await["until"],
            json!({"partition_key": second}),
            "where the first segment ends"
        );
        assert_completed(&world, &unsplit_large_file(&world).await).await;
    });
}

#[test]
fn whoever_joins_again_leaves_out_the_parts_that_have_arrived() {
    run(async {
        let world = world().await;
        let faults = world.faults.clone();
        // The rows are so few that they are one part. What is saved after it fails.
        world.faults.on("PutObject", move |call, _| {
            let has_joined = !faults.sent("UploadPart").is_empty();
            async move {
                if has_joined {
                    answer(403, "<Error><Code>AccessDenied</Code></Error>")
                } else {
                    call.send().await
                }
            }
        });
        assert_eq!(world.process(1).await, Disposition::Retry(Duration::from_secs(5)));
        assert!(!segments(&world).await.is_empty());
        assert_eq!(world.faults.sent("UploadPart").len(), 1);
        world.faults.on("PutObject", async |call, _| call.send().await);
        let_pass(62);
        deliver_until_settled(&world).await;
        assert_eq!(world.faults.sent("UploadPart").len(), 1, "it was sent again");
        assert_completed(&world, &unsplit_file(&world).await).await;
    });
}

#[test]
fn an_export_whose_segments_cannot_be_joined_fails_at_last() {
    run(async {
        let world = world().await;
        world.faults.on("UploadPart", async |_, _| answer(403, "<Error><Code>AccessDenied</Code></Error>"));
        deliver_until_settled(&world).await;
        let export = world.export().await;
        assert_eq!(export["state"], "FAILED", "{export}");
        assert!(export["error"].as_str().unwrap().contains("technical problem"), "{export}");
        assert_eq!(keys_of(&world.org, &world.id).await, Vec::<String>::new());
        assert_nothing_is_open(&world).await;
    });
}
