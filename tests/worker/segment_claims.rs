//! A segment that is being claimed when its worker stops.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use integration_tests::run;
use tokio::sync::Notify;

use crate::segments::{assert_nothing_is_open, deliver_until_settled, segments, world};
use crate::world::now;

/// The claim takes place, and its answer comes when the worker knows that the export was cancelled. Who would give the segment back
/// if not this worker? Its lease would keep the export from being cleaned up for a minute.
#[test]
fn a_claim_that_is_answered_when_the_worker_stops_is_given_back() {
    run(async {
        let world = world().await;
        let is_claimed = Arc::new(AtomicBool::new(false));
        let (claimed, learned) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let id = world.id.clone();
        let (tell_claimed, tell_learned) = (Arc::clone(&claimed), Arc::clone(&learned));
        world.faults.on("UpdateItem", move |call, _| {
            let (claimed, learned) = (Arc::clone(&tell_claimed), Arc::clone(&tell_learned));
            let update = call.sent.json();
            let is_export = update["Key"]["data_export_id"]["S"] == id;
            let is_segment = update["Key"].to_string().contains("SEGMENT#");
            let is_claim = update["UpdateExpression"].to_string().contains("ADD attempts :one, epoch :one");
            let is_first = is_segment && is_claim && !is_claimed.swap(true, Ordering::SeqCst);
            async move {
                let answer = call.send().await;
                if is_first {
                    claimed.notify_one();
                    learned.notified().await;
                } else if is_export && answer.as_ref().is_ok_and(|answer| answer.status().as_u16() == 400) {
                    learned.notify_one();
                }
                answer
            }
        });
        let cancelled = async {
            claimed.notified().await;
            world.worker().exports.cancel(&world.id, now()).await.unwrap().unwrap()
        };
        let (_, cancelled) = tokio::join!(world.process(1), cancelled);
        assert!(cancelled.is_cancelled());
        for segment in segments(&world).await {
            assert_eq!(segment.get("lease_owner"), None, "{segment}");
        }
        deliver_until_settled(&world).await;
        assert_nothing_is_open(&world).await;
    });
}
