//! How a worker keeps an export, and what happens when it cannot.

use std::time::{Duration, Instant};

use export_worker::Disposition;
use integration_tests::records::{read_record, set_in_record};
use integration_tests::run;

use crate::faults::no_answer;
use crate::world::World;

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
