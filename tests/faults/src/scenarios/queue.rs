//! The queue delivers too often, nonsense, or nothing.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::future::join_all;
use integration_tests::outbox::{messages_in, send_message};
use integration_tests::random_id;
use integration_tests::system::system;
use serde_json::{Value, json};

use super::slow_queries;
use crate::proxy::{Fault, Rule};
use crate::world::{Demands, Outcome, Size, World, post, queue};

/// Ten workers get the same export at the same time: one file, one email.
pub async fn ten_deliveries(world: World) -> Outcome {
    let orgs = world.orgs(&vec![Size::Medium; world.choose(2, 5)]).await;
    world.faults.set(vec![slow_queries(Duration::from_millis(50))]);
    let requests = orgs.iter().map(|org| (Arc::clone(org), org.long_request())).collect();
    let posted = post(&world, requests).await;
    let again = posted.iter().flat_map(|export| (0..10).map(|_| send_message(&export.id)));
    join_all(again).await;
    world.examine(&orgs, posted).await.must(orgs.len(), Demands::default())
}

/// Messages that name no export leave the queue before the time is up, and the exports beside them complete.
pub async fn poison(world: World) -> Outcome {
    let orgs = world.orgs(&[Size::Small]).await;
    let mark = random_id("garbage");
    // Longer than a key may be, which the emulator does not mind:
    // https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html#limits-partition-sort-keys
    let long_id = mark.repeat(1_000);
    world.faults.set(vec![Rule::new(Fault::Refuse).about(&mark.repeat(2))]);
    for body in [
        format!("no JSON {mark}"),
        json!({"other": mark}).to_string(),
        json!({"data_export_id": "", "mark": mark}).to_string(),
        json!({"data_export_id": 7, "mark": mark}).to_string(),
        json!({"data_export_id": mark}).to_string(),
        json!({"data_export_id": long_id}).to_string(),
    ] {
        queue::send(&body).await;
    }
    let mut rng = world.rng();
    let requests = (0..3).map(|_| (Arc::clone(&orgs[0]), orgs[0].random_request(&mut rng)));
    let posted = post(&world, requests.collect()).await;
    let mut outcome = world.examine(&orgs, posted).await.must(3, Demands::default());
    let began = Instant::now();
    let mut is_left = is_waiting(&mark).await;
    while is_left && began.elapsed() < world.limits.end {
        tokio::time::sleep(Duration::from_secs(1)).await;
        is_left = is_waiting(&mark).await;
    }
    if is_left {
        outcome.broken.push(format!("garbage is in the queue after {:?}", world.limits.end));
    }
    outcome
}

async fn is_waiting(mark: &str) -> bool {
    let messages = messages_in(&system().outputs.queue_url).await;
    messages.iter().map(Value::to_string).any(|text| text.contains(mark))
}

/// All messages are deleted before a worker sees them: every export completes all the same.
pub async fn purged(world: World) -> Outcome {
    let orgs = world.orgs(&[Size::Small, Size::Medium]).await;
    let each = world.choose(2, 5);
    // So that the messages are still there when they are deleted.
    queue::set_times(world.limits.visibility, Duration::from_mins(1)).await;
    let mut rng = world.rng();
    let requests = orgs.iter().flat_map(|org| vec![org; each]);
    let requests: Vec<_> = requests.map(|org| (Arc::clone(org), org.random_request(&mut rng))).collect();
    let posted = post(&world, requests).await;
    queue::purge().await;
    queue::set_times(world.limits.visibility, Duration::ZERO).await;
    world.examine(&orgs, posted).await.must(orgs.len() * each, Demands::default())
}
