//! Exports of one organization that take turns.

use std::sync::Arc;

use chrono::TimeDelta;
use export_worker::{Disposition, Worker};
use futures::future::join_all;
use integration_tests::records::{active_sets, put_active, read_active, set_in_record, timestamp};
use integration_tests::run;
use serde_json::{Value, json};
use tokio::sync::Notify;
use usage_export::export::State;

use crate::faults::{Faults, SENT, answer};
use crate::world::{World, let_pass, now};

/// So many exports of one organization, the oldest first. Workers of this test let `max_running` of them run.
async fn exports(count: usize, max_running: u32) -> Vec<World> {
    let mut worlds = vec![World::new().await];
    while worlds.len() < count {
        // Ids sort by age.
        let_pass(1);
        let world = worlds[0].another_export(|_| ()).await;
        worlds.push(world);
    }
    put_active(&worlds[0].org, worlds.iter().map(|world| world.id.clone()).collect()).await;
    for world in &mut worlds {
        world.max_running = max_running;
        world.faults.on("SendMessage", async |_, _| answer(200, SENT));
    }
    worlds
}

/// The exports whose messages were sent through these faults.
fn messages(faults: &Faults) -> Vec<String> {
    let bodies = faults.sent("SendMessage").into_iter().map(|sent| sent.json()["MessageBody"].clone());
    bodies
        .map(|body| serde_json::from_str::<Value>(body.as_str().unwrap()).unwrap())
        .map(|body| body["data_export_id"].as_str().unwrap().to_owned())
        .collect()
}

/// A worker stands still as soon as it reads usage records, until it is let go on.
fn stand_still(world: &World) -> (Arc<Notify>, Arc<Notify>) {
    let (reads, goes_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let both = (Arc::clone(&reads), Arc::clone(&goes_on));
    world.faults.on("Query", move |call, nth| {
        let (reads, goes_on) = (Arc::clone(&reads), Arc::clone(&goes_on));
        async move {
            if nth == 0 {
                reads.notify_one();
                goes_on.notified().await;
            }
            call.send().await
        }
    });
    both
}

async fn assert_waits(world: &World) {
    assert_eq!(world.process(1).await, Disposition::Acknowledge);
    let export = world.export().await;
    assert_eq!((&export["state"], &export["epoch"]), (&json!("REQUESTED"), &json!(0)), "{export}");
    assert_eq!(export["check_ts"], timestamp(now() + TimeDelta::minutes(2)));
    assert_eq!(export["progress_ts"], timestamp(now()));
    let [_, _, waiting] = active_sets(&world.org).await;
    assert!(waiting.contains(&world.id));
}

async fn assert_completed(worlds: &[World]) {
    for world in worlds {
        let export = world.export().await;
        assert_eq!((&export["state"], &export["row_count"]), (&json!("COMPLETED"), &json!(3)), "{export}");
        assert!(export.get("unsettled").is_none(), "{export}");
        assert_eq!(world.subjects().await.len(), 1);
    }
    assert_eq!(active_sets(&worlds[0].org).await, [const { Vec::<String>::new() }; 3]);
}

#[test]
fn an_export_waits_while_others_of_its_organization_run_and_goes_on_when_one_has_finished() {
    run(async {
        let worlds = exports(3, 1).await;
        let [first, second, third] = &worlds[..] else { panic!("three") };
        let (reads, goes_on) = stand_still(first);
        let meanwhile = async {
            reads.notified().await;
            assert_waits(third).await;
            assert_waits(second).await;
            assert!(messages(&first.faults).is_empty());
            goes_on.notify_one();
        };
        let (disposition, ()) = tokio::join!(first.process(1), meanwhile);
        assert_eq!(disposition, Disposition::Acknowledge);
        assert_eq!(messages(&first.faults), [second.id.as_str()], "the one that is oldest");
        assert_eq!(second.process(1).await, Disposition::Acknowledge);
        assert_eq!(messages(&second.faults), [third.id.as_str()]);
        assert_eq!(third.process(1).await, Disposition::Acknowledge);
        assert!(messages(&third.faults).is_empty());
        assert_completed(&worlds).await;
    });
}

#[test]
fn workers_that_begin_at_the_same_time_let_no_more_run_than_may() {
    run(async {
        let worlds = exports(5, 2).await;
        let still: Vec<_> = worlds.iter().map(stand_still).collect();
        let all = join_all(worlds.iter().map(|world| world.process(1)));
        let look = async {
            // Three of five are turned away; the other two stand still.
            let waiting = loop {
                let [_, running, waiting] = active_sets(&worlds[0].org).await;
                assert!(running.len() <= 2, "{running:?}");
                if waiting.len() == 3 {
                    break waiting;
                }
                tokio::time::sleep(std::time::Duration::from_millis(10)).await;
            };
            still.iter().for_each(|(_, goes_on)| goes_on.notify_one());
            waiting
        };
        let (dispositions, mut waiting) = tokio::join!(all, look);
        assert_eq!(dispositions, [Disposition::Acknowledge; 5]);
        // Both have finished: the two that have waited longest were woken, whichever of both ended first.
        let mut woken: Vec<_> = worlds.iter().flat_map(|world| messages(&world.faults)).collect();
        woken.sort();
        woken.dedup();
        waiting.sort();
        assert_eq!(woken, waiting[..2]);
        for world in worlds.iter().filter(|world| waiting.contains(&world.id)) {
            world.recover();
            world.faults.on("SendMessage", async |_, _| answer(200, SENT));
            assert_eq!(world.process(1).await, Disposition::Acknowledge);
        }
        assert_completed(&worlds).await;
    });
}

#[test]
fn a_worker_that_dies_between_the_last_step_and_the_message_is_made_good_by_its_redelivery() {
    run(async {
        let worlds = exports(2, 1).await;
        let (first, second) = (&worlds[0], &worlds[1]);
        let (reads, goes_on) = stand_still(first);
        let releases = Arc::new(Notify::new());
        let releasing = Arc::clone(&releases);
        first.faults.on("UpdateItem", move |call, _| {
            let releasing = Arc::clone(&releasing);
            async move {
                let update = call.sent.json()["UpdateExpression"].as_str().unwrap().to_owned();
                if update.starts_with("DELETE unfinished") {
                    releasing.notify_one();
                    std::future::pending::<()>().await;
                }
                call.send().await
            }
        });
        let meanwhile = async {
            reads.notified().await;
            assert_waits(second).await;
            goes_on.notify_one();
            releases.notified().await;
        };
        tokio::select! {
            _ = first.process(1) => panic!("it does not come to its end"),
            () = meanwhile => {}
        }
        assert_eq!(first.export().await["state"], "COMPLETED");
        first.recover();
        first.faults.on("SendMessage", async |_, _| answer(200, SENT));
        assert_eq!(first.process(2).await, Disposition::Acknowledge);
        assert_eq!(messages(&first.faults), [second.id.as_str()]);
        assert_eq!(second.process(1).await, Disposition::Acknowledge);
        assert_completed(&worlds).await;
    });
}

/// The worker died for good: nobody has its message. Whoever is turned away next sees that its export is finished.
#[test]
fn the_room_of_an_export_that_is_finished_is_found_without_its_worker() {
    run(async {
        let worlds = exports(2, 1).await;
        let (first, second) = (&worlds[0], &worlds[1]);
        assert!(first.worker().exports.start(&of(first).await, 1).await.unwrap());
        assert_waits(second).await;
        set_in_record(&first.id, "state", &"FAILED".into()).await;
        assert_eq!(second.process(1).await, Disposition::Acknowledge);
        assert_completed(&worlds[1..]).await;
    });
}

#[test]
fn an_export_that_is_cancelled_when_its_turn_comes_passes_it_on() {
    run(async {
        let worlds = exports(3, 1).await;
        let [first, second, third] = &worlds[..] else { panic!("three") };
        assert!(first.worker().exports.start(&of(first).await, 1).await.unwrap());
        assert_waits(second).await;
        assert_waits(third).await;
        assert_eq!(first.process(1).await, Disposition::Acknowledge);
        assert_eq!(messages(&first.faults), [second.id.as_str()]);
        let Worker { exports, .. } = second.worker();
        assert_eq!(exports.cancel(&second.id, now()).await.unwrap().unwrap().state, State::Failed);
        assert_eq!(read_active(&second.org).await, [third.id.as_str()], "it has no slot any more");
        assert_eq!(second.process(1).await, Disposition::Acknowledge);
        assert_eq!(messages(&second.faults), [third.id.as_str()]);
        assert_eq!(third.process(1).await, Disposition::Acknowledge);
        assert_eq!(active_sets(&third.org).await, [const { Vec::<String>::new() }; 3]);
    });
}

#[test]
fn a_request_to_run_that_arrives_after_the_end_takes_no_slot() {
    run(async {
        let world = World::new().await;
        let before = of(&world).await;
        assert_eq!(world.process(1).await, Disposition::Acknowledge);
        // It goes on without a slot, and its claim says that it is finished.
        assert!(world.worker().exports.start(&before, 3).await.unwrap());
        assert_eq!(active_sets(&world.org).await, [const { Vec::<String>::new() }; 3]);
    });
}

#[test]
fn an_export_that_is_in_no_set_is_made_nevertheless() {
    run(async {
        let world = World::new().await;
        put_active(&world.org, vec!["another".to_owned()]).await;
        assert_eq!(world.process(1).await, Disposition::Acknowledge);
        assert_eq!(world.export().await["state"], "COMPLETED");
    });
}

#[test]
fn a_retry_and_a_handover_keep_their_turn() {
    run(async {
        let worlds = exports(2, 1).await;
        let (first, second) = (&worlds[0], &worlds[1]);
        first.faults.on("Query", async |_, _| answer(400, ""));
        assert!(matches!(first.process(1).await, Disposition::Retry(_)));
        assert_waits(second).await;
        first.recover();
        first.faults.on("SendMessage", async |_, _| answer(200, SENT));
        assert_eq!(first.process_until(2, now()).await, Disposition::Acknowledge);
        assert_eq!(first.export().await["state"], "IN_PROGRESS");
        assert_waits(second).await;
        assert_eq!(first.process(1).await, Disposition::Acknowledge);
        assert_eq!(second.process(1).await, Disposition::Acknowledge);
        assert_completed(&worlds).await;
    });
}

#[test]
fn time_in_line_is_not_time_without_progress() {
    run(async {
        let worlds = exports(2, 1).await;
        let (first, second) = (&worlds[0], &worlds[1]);
        assert!(first.worker().exports.start(&of(first).await, 1).await.unwrap());
        for _ in 0..10 {
            let_pass(3600);
            assert_waits(second).await;
            assert_eq!(of(second).await.last_progress_ts(), now());
        }
    });
}

async fn of(world: &World) -> usage_export::export::DataExport {
    world.worker().exports.get(&world.id).await.unwrap().unwrap()
}
