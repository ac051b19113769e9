//! How a worker keeps an export, and what happens when it cannot.

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use export_worker::{Delivery, Disposition, Worker};
use integration_tests::records::{read_record, set_in_record};
use integration_tests::run;

use tokio::sync::Notify;

use crate::faults::no_answer;
use crate::world::{World, let_pass, now};

/// A clock that is wrong by a bit more than a lease.
fn a_minute_ahead() -> DateTime<Utc> {
    now() + TimeDelta::seconds(61)
}

/// Processes the export's message in a worker whose clock is a minute ahead of the others'.
async fn process_a_minute_ahead(world: &World) -> Disposition {
    let worker = Worker { clock: a_minute_ahead, ..world.worker() };
    let deadline = a_minute_ahead() + TimeDelta::minutes(15);
    let delivery = Delivery { receives: 2, deadline, receipt_handle: None };
    export_worker::job::process(&worker, &world.id, &delivery).await
}

/// The renewals among the updates that were sent.
fn renewals(world: &World) -> usize {
    let updates = world.faults.sent("UpdateItem");
    let is_renewal = |expression: &str| expression.starts_with("SET lease_until");
    updates.iter().filter(|sent| sent.json()["UpdateExpression"].as_str().is_some_and(is_renewal)).count()
}

#[test]
fn a_lease_is_renewed_while_a_page_does_not_come() {
    run(async {
        let world = World::new().await;
        world.faults.on("Query", async |call, nth| {
            if nth == 0 {
                tokio::time::sleep(Duration::from_secs(5)).await;
            }
            call.send().await
        });
        assert_eq!(world.process(1).await, Disposition::Acknowledge);
        assert!(renewals(&world) >= 2, "{}", renewals(&world));
        assert_eq!(world.export().await["state"], "COMPLETED");
    });
}

#[test]
fn a_worker_that_waits_stops_when_another_has_its_export() {
    run(async {
        let world = World::new().await;
        let id = world.id.clone();
        world.faults.on("Query", move |_, _| {
            let id = id.clone();
            async move {
                set_in_record(&id, "lease_owner", &"another".into()).await;
                std::future::pending().await
            }
        });
        let started = Instant::now();
        assert_eq!(world.process(1).await, Disposition::Retry(Duration::from_secs(10)));
        assert!(started.elapsed() < Duration::from_secs(30), "it does not wait for the page");
        assert_eq!(world.export().await["lease_owner"], "another");
    });
}

#[test]
fn a_claim_whose_answer_is_lost_is_used() {
    run(async {
        let world = World::new().await;
        world.faults.on("UpdateItem", async |call, nth| {
            let answer = call.send().await;
            if nth == 0 { no_answer() } else { answer }
        });
        assert_eq!(world.process(1).await, Disposition::Acknowledge);
        let export = world.export().await;
        assert_eq!((&export["state"], &export["epoch"]), (&"COMPLETED".into(), &1.into()));
    });
}

#[test]
fn every_step_whose_answer_is_lost_is_taken_once() {
    run(async {
        // Every other update takes place and is answered by a closed connection.
        let world = World::new().await;
        world.faults.on("UpdateItem", async |call, nth| {
            let answer = call.send().await;
            if nth % 2 == 0 { no_answer() } else { answer }
        });
        assert_eq!(world.process(1).await, Disposition::Acknowledge);
        assert_eq!(world.export().await["state"], "COMPLETED");
        assert_eq!(world.subjects().await.len(), 1);
        world.manifest().await;
        let active = read_record(&format!("ACTIVE#{}", world.org.id)).await;
        assert!(active.get("unfinished").is_none(), "{active}");
    });
}

#[test]
fn a_worker_whose_clock_is_a_minute_ahead_takes_a_live_export_and_nothing_is_doubled() {
    run(async {
        let world = World::new().await;
        let expected = {
            let other = world.another_export(|_| ()).await;
            assert_eq!(other.process(1).await, Disposition::Acknowledge);
            other.file().await
        };
        // The first worker waits for its first page while the second one makes the file.
        let (waits, goes_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let (begun, go) = (Arc::clone(&waits), Arc::clone(&goes_on));
        world.faults.on("Query", move |call, nth| {
            let (begun, go) = (Arc::clone(&begun), Arc::clone(&go));
            async move {
                if nth == 0 {
                    begun.notify_one();
                    go.notified().await;
                }
                call.send().await
            }
        });
        let second = async {
            waits.notified().await;
            let disposition = Box::pin(process_a_minute_ahead(&world)).await;
            goes_on.notify_one();
            disposition
        };
        let (first, second) = tokio::join!(world.process(1), second);
        assert_eq!(second, Disposition::Acknowledge);
        assert_eq!(first, Disposition::Acknowledge, "its file is refused, and the export is completed");
        assert_eq!(world.process(2).await, Disposition::Acknowledge);
        let export = world.export().await;
        assert_eq!((&export["state"], &export["epoch"]), (&"COMPLETED".into(), &2.into()));
        assert_eq!((world.file().await, world.subjects().await.len()), (expected, 1));
    });
}

#[test]
fn the_export_of_a_dead_worker_whose_clock_was_a_minute_ahead_goes_on_a_minute_later() {
    run(async {
        let world = World::new().await;
        let worker = Worker { clock: a_minute_ahead, ..world.worker() };
        worker.exports.claim(&world.id, "dead", a_minute_ahead()).await.unwrap();
        let_pass(61);
        assert_eq!(world.process(2).await, Disposition::Retry(Duration::from_secs(62)));
        let_pass(61);
        assert_eq!(world.process(3).await, Disposition::Acknowledge);
        assert_eq!(world.export().await["state"], "COMPLETED");
    });
}
