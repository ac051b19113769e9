//! A large export that is read in segments: the bytes come out the same, whatever happens to whom.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use export_worker::job::invited;
use export_worker::{Delivery, Disposition, Splitting};
use integration_tests::files::{keys_of, open_uploads};
use integration_tests::records::{read_active, read_record};
use integration_tests::run;
use integration_tests::runs::Run;
use serde_json::{Value, json};

use crate::faults::{SENT, answer, error};
use crate::world::{World, let_pass, now};

/// Several segments for few runs.
pub const SPLITTING: Splitting = Splitting { lanes: 4, max_workers: 1, min_pages: 1 };

/// More deliveries than an export needs in which a worker dies.
const MAX_DELIVERIES: usize = 12;

pub fn request(request: &mut Value) {
    request["fields"] = json!(["workspace_id", "run_id", "credit_cost", "pl_run_created_ts"]);
    request["interval"]["end"] = "2025-03-31T23:59:59.999Z".into();
}

/// An export of three workspaces and months, of which one has much more runs than the others, at random times.
pub async fn world() -> World {
    let mut world = World::without_runs(3, request).await;
    world.splitting = SPLITTING;
    let mut rng = fastrand::Rng::new();
    let mut runs = Vec::new();
    for (workspace, runs_of_month) in [(0, 3), (1, 30), (2, 2)] {
        for month in 1..=3 {
            for run in 0..runs_of_month {
                let (day, second) = (rng.u8(1..=28), rng.u32(..86_400));
                let time = format!("{:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60);
                let start = format!("2025-{month:02}-{day:02}T{time}.{:03}Z", rng.u32(..1000));
                runs.push(world.run(workspace, &start).with_id(&format!("run_{run}")).costing("0.1"));
            }
        }
    }
    world.org.write_runs(&runs).await;
    world.faults.on("SendMessage", async |_, _| answer(200, SENT));
    world
}

/// The file of the same export that one worker makes from the beginning to the end.
pub async fn unsplit_file(world: &World) -> Vec<u8> {
    let mut other = world.another_export(request).await;
    other.splitting = Splitting { min_pages: u32::MAX, ..SPLITTING };
    assert_eq!(other.process(1).await, Disposition::Acknowledge);
    assert!(other.export().await.get("next_segment").is_none());
    other.file().await.unwrap()
}

/// The items of the export's segments.
pub async fn segments(world: &World) -> Vec<Value> {
    let mut segments = Vec::new();
    let mut next = world.export().await["next_segment"].clone();
    while let Some(key) = next.as_str() {
        let segment = read_record(key).await;
        next = segment["next_segment"].clone();
        segments.push(segment);
    }
    segments
}

pub async fn assert_completed(world: &World, expected: &[u8]) {
    let export = world.export().await;
    assert_eq!(export["state"], "COMPLETED", "{export}");
    assert!(world.file().await.unwrap() == expected, "the bytes differ");
    world.manifest().await;
    assert_eq!(export["row_count"], String::from_utf8_lossy(expected).lines().count() - 1);
    assert_eq!(export["checksum"], format!("crc32:{:08x}", crc32fast::hash(expected)));
    assert!(export.get("unsettled").is_none(), "{export}");
    assert_eq!(keys_of(&world.org, &world.id).await.len(), 2, "the file and its manifest");
    assert_nothing_is_open(world).await;
}

pub async fn assert_nothing_is_open(world: &World) {
    assert_eq!(open_uploads(&world.org, &world.id).await, Vec::<String>::new());
    // Another test may have an export of the same organization: those of `large()` share one.
    assert!(!read_active(&world.org).await.contains(&world.id));
}

/// Processes an invitation to the export.
pub async fn process_invitation(world: &World) -> Disposition {
    let delivery =
        Delivery { receives: 1, deadline: now() + chrono::TimeDelta::minutes(15), receipt_handle: None };
    Box::pin(invited::process(&world.worker(), &world.id, &delivery)).await
}

/// Delivers the message until nothing is left to do. Each time the leases of the workers before have run out.
pub async fn deliver_until_settled(world: &World) {
    for _ in 0..MAX_DELIVERIES {
        world.process(1).await;
        if world.export().await.get("unsettled").is_none() {
            return;
        }
        let_pass(62);
    }
    panic!("it is not settled: {}", world.export().await);
}

#[test]
fn a_large_export_is_read_in_segments_and_has_the_same_bytes() {
    run(async {
        let world = world().await;
        assert_eq!(world.process(1).await, Disposition::Acknowledge);
        let segments = segments(&world).await;
        assert!(segments.len() >= 3, "{segments:?}");
        for segment in &segments {
            assert_eq!((&segment["state"], segment.get("lease_owner")), (&json!("COMPLETED"), None));
        }
        assert_completed(&world, &unsplit_file(&world).await).await;
        assert_eq!(world.subjects().await.len(), 1);
    });
}

#[test]
fn a_segment_without_a_run_adds_nothing() {
    run(async {
        let mut world = World::without_runs(2, request).await;
        world.splitting = SPLITTING;
        let run = |second| world.run(0, &format!("2025-01-01T00:00:{second:02}.000Z")).with_id("run");
        world.org.write_runs(&(0..20).map(run).collect::<Vec<Run>>()).await;
        world.faults.on("SendMessage", async |_, _| answer(200, SENT));
        assert_eq!(world.process(1).await, Disposition::Acknowledge);
        assert!(!segments(&world).await.is_empty());
        assert_completed(&world, &unsplit_file(&world).await).await;
    });
}

#[test]
fn invited_workers_read_segments_and_stop_when_there_are_none() {
    run(async {
        let mut world = world().await;
        // The owner has no lane but for the first segment.
        world.splitting = Splitting { lanes: 1, max_workers: 3, min_pages: 1 };
        let invited = async {
            while world.faults.sent("SendMessage").len() < 2 {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            let mut invited = world.another_worker();
            invited.splitting.lanes = 3;
            tokio::join!(process_invitation(&invited), process_invitation(&invited))
        };
        let (owner, invited) = tokio::join!(world.process(1), invited);
        assert_eq!(
            (owner, invited),
            (Disposition::Acknowledge, (Disposition::Acknowledge, Disposition::Acknowledge))
        );
        let message = world.faults.sent("SendMessage")[0].json()["MessageBody"].to_string();
        assert!(message.contains("is_invitation") && message.contains(&world.id), "{message}");
        assert_completed(&world, &unsplit_file(&world).await).await;
        // Another one comes too late.
        assert_eq!(process_invitation(&world).await, Disposition::Acknowledge);
    });
}

#[test]
fn an_export_fails_with_the_reason_of_a_segment_and_leaves_nothing() {
    run(async {
        let world = world().await;
        world.org.write_corrupt_run(&world.run(2, "2025-03-30T00:00:00.000Z").with_id("run_bad")).await;
        assert_eq!(world.process(1).await, Disposition::Acknowledge);
        let export = world.export().await;
        assert_eq!(export["state"], "FAILED", "{export}");
        assert!(export["error"].as_str().unwrap().contains("2025-03"), "{export}");
        assert!(!segments(&world).await.is_empty());
        deliver_until_settled(&world).await;
        assert_eq!(keys_of(&world.org, &world.id).await, Vec::<String>::new());
        assert_nothing_is_open(&world).await;
    });
}

#[test]
fn a_cancelled_export_is_cleaned_up_when_nobody_reads_its_segments() {
    run(async {
        let world = world().await;
        world.faults.on(
            "PutObject",
            async |call, nth| {
                if nth > 3 { std::future::pending().await } else { call.send().await }
            },
        );
        let cancelled = async {
            while segments(&world).await.iter().all(|segment| segment["state"] != "IN_PROGRESS") {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            let worker = world.worker();
            worker.exports.cancel(&world.id, now()).await.unwrap().unwrap()
        };
        let (_, cancelled) = tokio::join!(world.process(1), cancelled);
        assert!(cancelled.is_cancelled());
        deliver_until_settled(&world).await;
        assert_eq!(keys_of(&world.org, &world.id).await, Vec::<String>::new());
        assert_nothing_is_open(&world).await;
        assert_eq!(world.subjects().await.len(), 1);
    });
}

#[test]
fn a_segment_whose_reads_fail_is_tried_again() {
    run(async {
        let world = world().await;
        let (third, failures) = (world.workspaces[2].clone(), Arc::new(AtomicUsize::new(0)));
        world.faults.on("Query", move |call, _| {
            let is_third = call.sent.json().to_string().contains(&third);
            let fails = is_third && failures.fetch_add(1, Ordering::Relaxed) < 2;
            async move { if fails { error(400, "AccessDeniedException") } else { call.send().await } }
        });
        for _ in 0..MAX_DELIVERIES {
            let delivered = tokio::time::timeout(Duration::from_secs(3), world.process(1)).await;
            if delivered == Ok(Disposition::Acknowledge) {
                break;
            }
            let_pass(62);
        }
        assert_completed(&world, &unsplit_file(&world).await).await;
    });
}
