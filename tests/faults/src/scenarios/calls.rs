//! AWS spoils calls.

use std::sync::Arc;
use std::time::Duration;

use super::{everything, flipped_bits, usage_records};
use crate::proxy::{Fault, Rule};
use crate::world::{Demands, Limits, Outcome, Size, World, post};

/// Operations that change something.
const WRITES: [&str; 14] = [
    "PutItem",
    "UpdateItem",
    "DeleteItem",
    "TransactWriteItems",
    "SendMessage",
    "ChangeMessageVisibility",
    "PutObject",
    "DeleteObject",
    "DeleteObjects",
    "CreateMultipartUpload",
    "UploadPart",
    "CompleteMultipartUpload",
    "AbortMultipartUpload",
    "SendEmail",
];

/// Every export completes; nothing else would say that the scenarios themselves are right.
pub async fn no_faults(world: World) -> Outcome {
    let orgs = world.orgs(&[Size::Small, Size::Medium, Size::Large]).await;
    let each = world.choose(2, 5);
    world.export_with(&orgs, each, Vec::new()).await.must(orgs.len() * each, Demands::default())
}

/// What an ordinary day brings: every export completes.
pub async fn one_percent(world: World) -> Outcome {
    spoiled(&world, world.choose(2, 10), everything(0.01), Demands::default()).await
}

/// A bad day: every export completes still.
pub async fn ten_percent(world: World) -> Outcome {
    spoiled(&world, world.choose(2, 10), everything(0.1), Demands::default()).await
}

/// AWS is all but down: every export ends, with the right file or with a reason.
pub async fn half(world: World) -> Outcome {
    let demands = Demands { may_fail: usize::MAX, ..Demands::default() };
    // The delay of a message doubles with each delivery, and here most deliveries fail.
    let limits = Limits { end: 3 * world.limits.end, settle: 3 * world.limits.settle, ..world.limits };
    let mut world = world;
    world.limits = limits;
    spoiled(&world, world.choose(1, 10), everything(0.5), demands).await
}

/// One of five writes takes place and nobody hears of it: every export completes.
pub async fn answers_lost(world: World) -> Outcome {
    let rules = vec![Rule::new(Fault::LoseAnswer).on(&WRITES).chance(0.2)];
    spoiled(&world, world.choose(2, 10), rules, Demands::default()).await
}

/// One of five answers of `Query` arrives with another bit: no cell of a file changes, and every export completes.
pub async fn corrupted_query(world: World) -> Outcome {
    spoiled(&world, world.choose(2, 10), vec![flipped_bits().chance(0.2)], Demands::default()).await
}

/// Every message is in the queue twice, and half of the other calls reach AWS twice.
pub async fn duplicates(world: World) -> Outcome {
    let rules = vec![
        Rule::new(Fault::Duplicate).on(&["SendMessage"]),
        Rule::new(Fault::Duplicate).except(&["SendEmail"]).chance(0.5),
    ];
    spoiled(&world, world.choose(2, 10), rules, Demands::default()).await
}

/// Three of four reads of usage records are throttled: exports take longer, and every export completes.
pub async fn trickle(world: World) -> Outcome {
    let rules = vec![Rule::new(Fault::Throttle).on(&["Query"]).about(usage_records()).chance(0.75)];
    spoiled(&world, world.choose(2, 10), rules, Demands::default()).await
}

/// Exports complete while SES refuses every email. When it is back, each export gets its email.
pub async fn ses_down(world: World) -> Outcome {
    let orgs = world.orgs(&[Size::Small, Size::Small]).await;
    let each = world.choose(2, 5);
    let (faults, down) = (world.faults.clone(), Duration::from_secs(world.choose(20, 120)));
    tokio::spawn(async move {
        tokio::time::sleep(down).await;
        faults.end();
    });
    let rules = vec![Rule::new(Fault::Throttle).on(&["SendEmail"])];
    world.export_with(&orgs, each, rules).await.must(orgs.len() * each, Demands::default())
}

/// S3 takes the first part of a file and no other: the export fails with a reason and leaves nothing behind.
pub async fn part_refused(world: World) -> Outcome {
    let orgs = world.orgs(&[Size::Large]).await;
    world.faults.set(vec![Rule::new(Fault::ServerError).on(&["UploadPart"]).from(2)]);
    let org = Arc::clone(&orgs[0]);
    let request = org.long_request();
    let posted = post(&world, vec![(org, request)]).await;
    let demands = Demands { must_fail: 1, ..Demands::default() };
    world.examine(&orgs, posted).await.must(1, demands)
}

/// Exports of all sizes with these faults.
async fn spoiled(world: &World, each: usize, rules: Vec<Rule>, demands: Demands) -> Outcome {
    let orgs = world.orgs(&[Size::Small, Size::Medium, Size::Medium, Size::Large]).await;
    world.export_with(&orgs, each, rules).await.must(orgs.len() * each, demands)
}
