//! A table of usage records that throttles, or is not to be read faster: exports become slow and do not fail.

use chrono::TimeDelta;
use export_worker::Disposition;
use export_worker::job::attempts::MAX_ATTEMPTS;
use integration_tests::run;
use serde_json::json;

use crate::faults::{Answer, SENT, answer, error};
use crate::world::{World, now};

fn throttled() -> Answer {
    error(400, "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException")
}

#[test]
fn reads_that_are_throttled_use_up_no_attempts() {
    run(async {
        let mut world = World::new().await;
        world.page_size = 9;
        // Another attempt that fails would be the last.
        world.set("attempts", MAX_ATTEMPTS - 1).await;
        let refusals = fastrand::usize(8..12);
        world.faults.on("Query", move |call, nth| async move {
            if nth < refusals { throttled() } else { call.send().await }
        });
        assert_eq!(world.process(1).await, Disposition::Acknowledge);
        assert_eq!(world.faults.sent("Query").len(), refusals + 1, "the SDK repeats none of them");
        let export = world.export().await;
        assert_eq!((&export["state"], &export["epoch"]), (&json!("COMPLETED"), &json!(1)), "{export}");
        assert_eq!(export["row_count"], 3);
    });
}

#[test]
fn a_worker_that_is_throttled_after_its_first_page_hands_over_what_it_has() {
    run(async {
        let mut world = World::new().await;
        world.page_size = 1;
        world.faults.on("SendMessage", async |_, _| answer(200, SENT));
        world.faults.on("Query", async |call, nth| if nth == 0 { call.send().await } else { throttled() });
        // A second before it hands over.
        let handed_over = world.process_until(1, now() + TimeDelta::seconds(61)).await;
        assert_eq!(handed_over, Disposition::Acknowledge);
        let export = world.export().await;
        assert_eq!((&export["attempts"], &export["checkpoint"]["counts"]["written"]), (&json!(0), &json!(1)));
        assert_eq!(world.faults.sent("SendMessage").len(), 1);
        world.recover();
        assert_eq!(world.process(1).await, Disposition::Acknowledge);
        assert_eq!(world.export().await["row_count"], 3);
    });
}

/// It takes ten seconds, for as long as a worker waits for its first page at least.
#[test]
fn a_worker_that_reads_nothing_hands_over_and_was_an_attempt() {
    run(async {
        let world = World::new().await;
        world.faults.on("SendMessage", async |_, _| answer(200, SENT));
        world.faults.on("Query", async |_, _| throttled());
        assert_eq!(world.process_until(1, now()).await, Disposition::Acknowledge);
        let export = world.export().await;
        assert_eq!((&export["state"], &export["attempts"]), (&json!("IN_PROGRESS"), &json!(1)));
        assert!(export.get("lease_owner").is_none() && export.get("checkpoint").is_none(), "{export}");
        assert_eq!(world.faults.sent("SendMessage").len(), 1);
        world.recover();
        assert_eq!(world.process(1).await, Disposition::Acknowledge);
        assert_eq!(world.export().await["row_count"], 3);
    });
}

#[test]
fn a_small_export_takes_nothing_of_the_read_budget() {
    run(async {
        let world = World::new().await;
        assert_eq!(world.process(1).await, Disposition::Acknowledge);
        assert_eq!(world.export().await["state"], "COMPLETED");
        let updates = world.faults.sent("UpdateItem");
        let is_of_budget = |key: &str| key.starts_with("READ_UNITS#");
        let keys = updates
            .iter()
            .map(|update| update.json()["Key"]["data_export_id"]["S"].as_str().unwrap().to_owned());
        assert!(keys.into_iter().all(|key| !is_of_budget(&key)));
    });
}
