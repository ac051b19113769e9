//! A worker that reads an export in segments dies at any moment, and another one goes on.

use export_worker::Disposition;
use integration_tests::run;

use crate::faults::Moment;
use crate::segments::{assert_completed, deliver_until_settled, unsplit_file, world};
use crate::world::let_pass;

/// Runs a worker until a call of it, and lets it die there. Another one goes on.
async fn die_at(moment: Moment) {
    let world = world().await;
    let expected = unsplit_file(&world).await;
    let pause = world.faults.pause_at(moment);
    tokio::select! {
        () = pause.reached.notified() => {}
        // It made fewer calls this time.
        _ = world.process(1) => {}
    }
    // Later calls do not stop there.
    pause.go_on.notify_one();
    let call = world.faults.last().operation.clone();
    let claimed = world.export().await.get("notified_ts").is_some();
    let emails = if claimed { world.subjects().await.len() } else { 1 };
    let_pass(62);
    deliver_until_settled(&world).await;
    println!("died {moment:?}, at {call}: {emails} emails");
    assert_completed(&world, &expected).await;
    assert_eq!(world.subjects().await.len(), emails, "{moment:?}, at {call}");
}

/// Some moments in each run of the test, so that all are met sooner or later: there are some hundred.
async fn die_at_some(moments: usize) {
    let world = world().await;
    assert_eq!(world.process(1).await, Disposition::Acknowledge);
    let (calls, mut rng) = (world.faults.calls(), fastrand::Rng::new());
    assert!(calls > 80, "{calls}");
    for _ in 0..moments {
        let moment = Moment { call: rng.usize(..calls), is_after: rng.bool() };
        Box::pin(die_at(moment)).await;
    }
}

#[test]
fn a_worker_may_die_at_any_moment() {
    run(die_at_some(6));
}

#[test]
fn a_worker_may_die_at_any_other_moment() {
    run(die_at_some(6));
}
