//! What is told of an export while its file is made.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use integration_tests::records::read_record;
use integration_tests::run;
use serde_json::{Value, json};

use crate::world::World;

/// Processes the export, and returns its record as it is while the second page does not come.
async fn record_in_between(world: &World) -> Value {
    let seen = Arc::new(Mutex::new(Value::Null));
    let (record, id) = (Arc::clone(&seen), world.id.clone());
    world.faults.on("Query", move |call, nth| {
        let (record, id) = (Arc::clone(&record), id.clone());
        async move {
            if nth == 1 {
                // The lease is renewed every two seconds, and the progress with it.
                tokio::time::sleep(Duration::from_secs(5)).await;
                *record.lock().unwrap() = read_record(&id).await;
            }
            call.send().await
        }
    });
    world.process(1).await;
    seen.lock().unwrap().clone()
}

async fn a_month() -> World {
    let world = World::without_runs(1, |request| request["fields"] = json!(["run_id"])).await;
    let days = [1, 16, 31].map(|day| world.run(0, &format!("2025-01-{day:02}T12:00:00.000Z")));
    world.org.write_runs(&days).await;
    world
}

#[test]
fn progress_is_the_time_that_is_read_also_within_a_month() {
    run(async {
        let world = a_month().await;
        let record = record_in_between(&world).await;
        // Two runs are read, up to the noon of the 16th.
        assert_eq!((&record["progress"], &record["row_count"]), (&json!(50), &json!(2)), "{record}");
        let export = world.export().await;
        assert_eq!((&export["state"], &export["progress"]), (&json!("COMPLETED"), &json!(100)));
        assert_eq!(export["row_count"], 3);
    });
}

#[test]
fn progress_does_not_go_back_to_the_checkpoint_of_a_worker_that_died() {
    run(async {
        let world = a_month().await;
        world.set("progress", 70).await;
        world.set("row_count", 1000).await;
        world.set("rows_per_second", 5).await;
        world.set("estimated_finish_ts", "2025-01-01T00:00:00.000Z").await;
        let record = record_in_between(&world).await;
        assert_eq!((&record["progress"], &record["row_count"]), (&json!(70), &json!(1000)), "{record}");
        assert!(record.get("estimated_finish_ts").is_none() && record.get("rows_per_second").is_none());
        assert_eq!(world.export().await["row_count"], 3);
    });
}
