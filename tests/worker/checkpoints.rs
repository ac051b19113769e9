//! Checkpoints of parts: not each part has one, and none is lost for it.

use std::sync::Arc;

use chrono::TimeDelta;
use export_worker::Disposition;
use integration_tests::files::open_uploads;
use integration_tests::run;
use serde_json::{Value, json};
use tokio::sync::Notify;
use usage_export::export::MAX_UNSAVED_PARTS;

use crate::faults::error;
use crate::resume::{PAGES_OF_TWO_PARTS, fail_after, file_of_one_worker, large};
use crate::world::{World, let_pass};

/// The number that the first part has of a worker that claims an export a second time, behind so many parts.
fn second_claim_behind(parts: i32) -> i32 {
    parts + 1 + i32::try_from(MAX_UNSAVED_PARTS).unwrap()
}

fn manifests_written(world: &World) -> usize {
    world.faults.sent("PutObject").iter().filter(|put| put.uri.contains(".manifest.")).count()
}

#[test]
fn what_was_sent_within_a_second_is_sent_again_by_the_next_worker_under_other_numbers() {
    run(async {
        let mut world = large().await;
        world.checkpoint_interval = TimeDelta::seconds(1);
        fail_after(&world, PAGES_OF_TWO_PARTS);
        assert!(matches!(world.process(1).await, Disposition::Retry(_)));
        world.recover();
        assert_eq!(world.parts_sent(), [1, 2]);
        assert_eq!((&world.export().await["checkpoint"], manifests_written(&world)), (&Value::Null, 0));

        let_pass(5);
        assert_eq!(world.process(2).await, Disposition::Acknowledge);
        let first = second_claim_behind(0);
        assert_eq!(world.parts_sent()[2..], [first, first + 1, first + 2]);
        assert_eq!(world.export().await["state"], "COMPLETED");
        assert!(world.file().await.unwrap() == file_of_one_worker(&world).await, "the bytes differ");
        assert_eq!(open_uploads(&world.org, &world.id).await, Vec::<String>::new());
    });
}

#[test]
fn a_part_has_a_checkpoint_once_a_second_has_passed() {
    run(async {
        let mut world = large().await;
        world.checkpoint_interval = TimeDelta::seconds(1);
        let (is_early, has_passed) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let (tell, wait) = (Arc::clone(&is_early), Arc::clone(&has_passed));
        world.faults.on("Query", move |call, nth| {
            let (tell, wait) = (Arc::clone(&tell), Arc::clone(&wait));
            async move {
                match nth {
                    5 => {
                        tell.notify_one();
                        wait.notified().await;
                    }
                    PAGES_OF_TWO_PARTS.. => return error(400, "AccessDeniedException"),
                    _ => {}
                }
                call.send().await
            }
        });
        let passing = async {
            is_early.notified().await;
            let_pass(1);
            has_passed.notify_one();
        };
        let (disposition, ()) = tokio::join!(world.process(1), passing);
        assert!(matches!(disposition, Disposition::Retry(_)));
        assert_eq!(world.export().await["checkpoint"]["parts"], json!([{"first": 1, "count": 1}]));
    });
}

#[test]
fn few_parts_are_without_a_checkpoint_however_fast_they_come() {
    run(async {
        let mut world = World::without_runs(1, |_| ()).await;
        world.checkpoint_interval = TimeDelta::hours(1);
        // A row has 200 kB, so three pages make a part.
        world.page_size = 14;
        world.org.add_workspace_with_id(&world.workspaces[0], &"w".repeat(200_000)).await;
        let runs: Vec<_> = (0..400)
            .map(|run| {
                let start = format!("2025-01-03T{:02}:{:02}:00.000Z", run / 60, run % 60);
                world.run(0, &start).with_id(&format!("run_{run}"))
            })
            .collect();
        world.org.write_runs(&runs).await;
        fail_after(&world, 400 / 14);
        assert!(matches!(world.process(1).await, Disposition::Retry(_)));
        world.recover();
        let sent = i32::try_from(world.parts_sent().len()).unwrap();
        assert_eq!(world.parts_sent(), (1..=sent).collect::<Vec<_>>());
        assert!(sent > i32::try_from(MAX_UNSAVED_PARTS).unwrap());
        let saved = json!([{"first": 1, "count": MAX_UNSAVED_PARTS}]);
        assert_eq!((&world.export().await["checkpoint"]["parts"], manifests_written(&world)), (&saved, 1));

        let_pass(5);
        assert_eq!(world.process(2).await, Disposition::Acknowledge);
        let export = world.export().await;
        assert_eq!((&export["state"], &export["row_count"]), (&json!("COMPLETED"), &json!(400)));
        let next = world.parts_sent()[usize::try_from(sent).unwrap()];
        assert_eq!(next, second_claim_behind(i32::try_from(MAX_UNSAVED_PARTS).unwrap()));
    });
}
