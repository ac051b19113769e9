//! Many organizations at the same time.

use std::sync::Arc;
use std::time::Duration;

use integration_tests::records::read_record;

use super::{everything, slow_queries};
use crate::world::{Demands, Outcome, Posted, Size, World, post};

/// Exports of one organization at the same time, which is the limit of the local system.
const EACH: usize = 5;
/// How long a small export may wait and run while those of others keep every worker busy.
const SMALL_LIMIT: Duration = Duration::from_secs(10);
/// Between two looks at a small export.
const POLL_INTERVAL: Duration = Duration::from_millis(100);

/// 200 exports of all sizes from 20 organizations with faults in 5% of the calls (`--quick`: 30 from 5): every export
/// completes.
pub async fn load(world: World) -> Outcome {
    let sizes: Vec<_> = (0..world.choose(5, 20))
        .map(|number| match number % 10 {
            0 => Size::Large,
            1..=4 => Size::Medium,
            _ => Size::Small,
        })
        .collect();
    let orgs = world.orgs(&sizes).await;
    let each = world.choose(6, 10);
    world.export_with(&orgs, each, everything(0.05)).await.must(orgs.len() * each, Demands::default())
}

/// Two organizations ask for more long exports than there are workers: those of a third, one after the other, end soon.
pub async fn small_beside_huge(world: World) -> Outcome {
    let orgs = world.orgs(&[Size::Medium, Size::Medium, Size::Small]).await;
    world.faults.set(vec![slow_queries(Duration::from_millis(world.choose(300, 1_000)))]);
    let (huge, small) = orgs.split_at(2);
    let requests = huge.iter().flat_map(|org| vec![(Arc::clone(org), org.long_request()); EACH]);
    let mut posted = post(&world, requests.collect()).await;
    let (mut times, mut rng) = (Vec::new(), world.rng());
    for _ in 0..world.choose(10, 50) {
        let request = small[0].random_request(&mut rng);
        let one = post(&world, vec![(Arc::clone(&small[0]), request)]).await;
        for export in &one {
            times.push(time_to_end(&world, export).await);
        }
        posted.extend(one);
    }
    times.sort_unstable();
    let asked_for = posted.len();
    let mut outcome = world.examine(&orgs, posted).await.must(asked_for, Demands::default());
    let p99 = times.get((times.len() * 99).div_ceil(100).saturating_sub(1)).copied().unwrap_or_default();
    println!("   small exports beside huge ones: p99 of {} is {:.1} s", times.len(), p99.as_secs_f64());
    if p99 > SMALL_LIMIT {
        outcome.broken.push(format!("p99 of small exports is {p99:.1?}, {SMALL_LIMIT:?} is the limit"));
    }
    outcome
}

async fn time_to_end(world: &World, export: &Posted) -> Duration {
    while export.at.elapsed() < world.limits.end {
        let state = read_record(&export.id).await["state"].clone();
        if state == "COMPLETED" || state == "FAILED" {
            break;
        }
        tokio::time::sleep(POLL_INTERVAL).await;
    }
    export.at.elapsed()
}
