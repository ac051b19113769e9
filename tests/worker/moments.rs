//! A worker dies, or its export is cancelled, at every moment: before and after each of its calls. Between two calls a worker
//! changes nothing that others can see, so these are all the moments that differ.

use std::ops::Range;
use std::pin::pin;

use chrono::TimeDelta;
use export_worker::Worker;
use futures::future::{Either, select};
use integration_tests::files::{keys_of, open_uploads};
use integration_tests::records::read_active;
use integration_tests::run;
use serde_json::{Value, json};

use crate::faults::{Moment, Pause, SENT, answer};
use crate::world::{World, let_pass, now};

const CSV: &str = "run_id,workspace_name,credit_cost\r\n\
                   run_1,Sales,0.5\r\nrun_2,Sales,0.5\r\nrun_3,Sales,0.5\r\n";

/// More deliveries than an export needs in which one worker dies.
const MAX_DELIVERIES: usize = 12;

/// Three runs on two pages. Each worker has time for one page, so there are checkpoints, tails and handovers.
async fn world() -> World {
    let world = World::new().await;
    on_all_calls(&world);
    world
}

fn on_all_calls(world: &World) {
    // The deployed worker must not get the message.
    world.faults.on("SendMessage", async |_, _| answer(200, SENT));
}

async fn deliver(world: &World) {
    world.process_until(1, now() + TimeDelta::seconds(30)).await;
}

/// Delivers the message until nothing is left to do. Each time the lease of the worker before has run out.
async fn deliver_until_settled(world: &World) -> Value {
    for _ in 0..MAX_DELIVERIES {
        deliver(world).await;
        let export = world.export().await;
        if export.get("unsettled").is_none() {
            return export;
        }
        let_pass(62);
    }
    panic!("it is not settled: {}", world.export().await);
}

/// Runs a worker to a moment of its life. False if it is done before.
async fn reaches(world: &World, pause: &Pause) -> bool {
    loop {
        tokio::select! {
            () = pause.reached.notified() => return true,
            () = deliver(world) => {}
        }
        if world.export().await.get("unsettled").is_none() {
            return false;
        }
    }
}

async fn assert_nothing_is_left(world: &World, kept: &[String]) {
    assert_eq!(keys_of(&world.org, &world.id).await, kept);
    assert_eq!(open_uploads(&world.org, &world.id).await, Vec::<String>::new());
    assert_eq!(read_active(&world.org).await, Vec::<String>::new());
}

async fn assert_completed(world: &World, export: &Value) {
    assert_eq!(export["state"], "COMPLETED", "{export}");
    assert_eq!(String::from_utf8(world.file().await.unwrap()).unwrap(), CSV);
    world.manifest().await;
    let manifest = export["manifest"]["key"].as_str().unwrap().split_once(".manifest.").unwrap().1;
    assert_nothing_is_left(world, &["csv".to_owned(), format!("manifest.{manifest}")]).await;
}

/// The calls of an export that nothing happens to.
async fn count_calls() -> usize {
    let world = world().await;
    let export = deliver_until_settled(&world).await;
    assert_eq!(export["epoch"], 3, "two handovers");
    world.faults.calls()
}

/// Each moment of a share of the calls.
async fn moments(share: Range<usize>) -> impl Iterator<Item = Moment> {
    let calls = count_calls().await;
    assert!(calls > 40, "{calls}");
    // A worker that goes on for another makes some more.
    (0..calls + 5)
        .filter(move |call| share.contains(&(call % 4)))
        .flat_map(|call| [false, true].map(|is_after| Moment { call, is_after }))
}

async fn die_at(moment: Moment) {
    let world = world().await;
    let pause = world.faults.pause_at(moment);
    if !reaches(&world, &pause).await {
        return;
    }
    let call = world.faults.last().operation.clone();
    // Who has claimed the email and dies before SES has it costs the email.
    let claimed = world.export().await.get("notified_ts").is_some();
    let emails = if claimed { world.subjects().await.len() } else { 1 };
    let_pass(62);
    let export = deliver_until_settled(&world).await;
    println!("died {moment:?}, at {call}: {emails} emails");
    assert_completed(&world, &export).await;
    assert_eq!(world.subjects().await.len(), emails, "{moment:?}, at {call}");
}

#[test]
fn a_worker_may_die_at_any_moment() {
    run(async {
        for moment in moments(0..2).await {
            Box::pin(die_at(moment)).await;
        }
    });
}

#[test]
fn a_worker_may_die_at_any_other_moment() {
    run(async {
        for moment in moments(2..4).await {
            Box::pin(die_at(moment)).await;
        }
    });
}

async fn cancel_at(moment: Moment) {
    let world = world().await;
    let Worker { exports, .. } = world.worker();
    let pause = world.faults.pause_at(moment);
    let cancelling = pin!(async {
        pause.reached.notified().await;
        let export = exports.cancel(&world.id, now()).await.unwrap().unwrap();
        pause.go_on.notify_one();
        export.is_cancelled()
    });
    let delivering = pin!(deliver_until_settled(&world));
    let Either::Left((is_cancelled, delivering)) = select(cancelling, delivering).await else { return };
    let export = delivering.await;
    if is_cancelled {
        assert_eq!(
            (&export["state"], &export["error"]),
            (&json!("FAILED"), &json!("cancelled")),
            "{moment:?}"
        );
        assert!(world.file().await.is_none());
        assert_nothing_is_left(&world, &[]).await;
    } else {
        assert_completed(&world, &export).await;
    }
    assert_eq!(world.subjects().await.len(), 1, "{moment:?}");
}

#[test]
fn an_export_may_be_cancelled_at_any_moment() {
    run(async {
        for moment in moments(0..4).await {
            Box::pin(cancel_at(moment)).await;
        }
    });
}
