//! An export that is cancelled before a worker has it, while it is made, and when it is too late.

use std::sync::Arc;
use std::time::Duration;

use export_worker::{Disposition, Worker};
use integration_tests::files::{keys_of, open_uploads};
use integration_tests::records::read_active;
use integration_tests::run;
use tokio::sync::Notify;
use usage_export::export::State;

use crate::world::{World, let_pass, now};

async fn cancel(world: &World) -> State {
    let Worker { exports, .. } = world.worker();
    exports.cancel(&world.id, now()).await.unwrap().unwrap().state
}

async fn assert_cancelled(world: &World) {
    let export = world.export().await;
    assert_eq!((&export["state"], &export["error"]), (&"FAILED".into(), &"cancelled".into()));
    assert!(export["finished_ts"].is_string() && export.get("unsettled").is_none(), "{export}");
    assert!(export.get("lease_owner").is_none() && export.get("checkpoint").is_none(), "{export}");
    assert_eq!(world.subjects().await, ["Your usage data export was cancelled: 01/01/2025 – 01/31/2025"]);
    assert_eq!(read_active(&world.org).await, Vec::<String>::new());
    assert_eq!(keys_of(&world.org, &world.id).await, Vec::<String>::new());
    assert_eq!(open_uploads(&world.org, &world.id).await, Vec::<String>::new());
}

#[test]
fn an_export_that_waits_is_cancelled_at_once() {
    run(async {
        let world = World::new().await;
        for _ in 0..2 {
            assert_eq!(cancel(&world).await, State::Failed);
        }
        assert_eq!(read_active(&world.org).await, Vec::<String>::new(), "its slot is free");
        assert_eq!(world.process(1).await, Disposition::Acknowledge);
        assert_cancelled(&world).await;
        assert!(world.faults.sent("Query").is_empty(), "nothing is read");
    });
}

#[test]
fn a_worker_stops_within_seconds_and_leaves_nothing_behind() {
    run(async {
        let world = World::new().await;
        let reads = Arc::new(Notify::new());
        let reading = Arc::clone(&reads);
        world.faults.on("Query", move |_, _| {
            reading.notify_one();
            std::future::pending()
        });
        let cancelled = async {
            reads.notified().await;
            assert_eq!(cancel(&world).await, State::Failed);
            // The message that follows finds that its worker has not noticed yet.
            let waits = world.process(2).await;
            assert!(
                matches!(waits, Disposition::Retry(after) if after <= Duration::from_secs(62)),
                "{waits:?}"
            );
            assert!(world.subjects().await.is_empty());
        };
        let (disposition, ()) = tokio::join!(world.process(1), cancelled);
        assert_eq!(disposition, Disposition::Acknowledge);
        assert_cancelled(&world).await;
        assert_eq!(world.process(2).await, Disposition::Acknowledge);
        assert_cancelled(&world).await;
    });
}

#[test]
fn what_a_dead_worker_of_a_cancelled_export_left_is_deleted_after_its_lease() {
    run(async {
        let world = World::new().await;
        world.give_to_another(30).await;
        assert_eq!(cancel(&world).await, State::Failed);
        assert_eq!(world.process(1).await, Disposition::Retry(Duration::from_secs(32)));
        let_pass(32);
        assert_eq!(world.process(1).await, Disposition::Acknowledge);
        let export = world.export().await;
        assert!(export.get("unsettled").is_none(), "{export}");
        assert_eq!(world.subjects().await.len(), 1);
    });
}

#[test]
fn a_completed_export_stays_completed() {
    run(async {
        let world = World::new().await;
        world.process(1).await;
        let export = world.export().await;
        assert_eq!(cancel(&world).await, State::Completed);
        assert_eq!(world.export().await, export);
        assert!(world.file().await.is_some());
    });
}
