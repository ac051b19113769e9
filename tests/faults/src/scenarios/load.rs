//! Many organizations at the same time.

use std::sync::Arc;
use std::time::Duration;

use integration_tests::records::read_record;

use super::everything;
use crate::proxy::{Fault, Rule};
use crate::world::{Demands, Outcome, Posted, Size, World, post};

/// Exports of one organization at the same time, which is the limit of the local system.
const EACH: usize = 5;
/// How long a small export may wait and run while those of others keep every worker busy.
const SMALL_LIMIT: Duration = Duration::from_secs(10);
/// How long each `Query` of a huge export takes, so that it lasts some minutes.
const HUGE_DELAY: Duration = Duration::from_secs(20);
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

/// Two organizations ask for as many long exports as there are workers: those of a third, one after the other, end soon.
pub async fn small_beside_huge(world: World) -> Outcome {
    let orgs = world.orgs(&[Size::Medium, Size::Medium, Size::Small]).await;
    let (huge, small) = orgs.split_at(2);
    let workspaces = huge.iter().flat_map(|org| org.workspaces());
    let slow =
        workspaces.map(|workspace| Rule::new(Fault::Delay(HUGE_DELAY)).on(&["Query"]).about(workspace));
    world.faults.set(slow.collect());
    let requests = huge.iter().flat_map(|org| vec![(Arc::clone(org), org.long_request()); EACH]);
    let mut posted = post(&world, requests.collect()).await;
    let (mut times, mut rng) = (Vec::new(), world.rng());
    let (huge, wanted) = (posted.clone(), world.choose(10, 50));
    while times.len() < wanted {
        let request = small[0].random_request(&mut rng);
        let one = post(&world, vec![(Arc::clone(&small[0]), request)]).await;
        let mut took = Duration::ZERO;
        for export in &one {
            took = took.max(time_to_end(&world, export).await);
        }
        posted.extend(one);
        times.push(took);
        if !are_all_running(&huge).await {
            break;
        }
    }
    world.faults.end();
    times.sort_unstable();
    let asked_for = posted.len();
    let mut outcome = world.examine(&orgs, posted).await.must(asked_for, Demands::default());
    let p99 = times.get((times.len() * 99).div_ceil(100).saturating_sub(1)).copied().unwrap_or_default();
    // Those of the huge ones are of no interest.
    outcome.times.clone_from(&times);
    outcome.notes.push(format!("p99 of {} small exports is {:.1} s", times.len(), p99.as_secs_f64()));
    if p99 > SMALL_LIMIT {
        outcome.broken.push(format!("p99 of small exports is {p99:.1?}, {SMALL_LIMIT:?} is the limit"));
    }
    if times.len() < wanted / 2 {
        outcome.broken.push(format!("only {} small exports ended before a huge one", times.len()));
    }
    outcome
}

async fn are_all_running(exports: &[Posted]) -> bool {
    for export in exports {
        if has_ended(&export.id).await {
            return false;
        }
    }
    true
}

async fn time_to_end(world: &World, export: &Posted) -> Duration {
    while export.at.elapsed() < world.limits.end {
        if has_ended(&export.id).await {
            break;
        }
        tokio::time::sleep(POLL_INTERVAL).await;
    }
    export.at.elapsed()
}

async fn has_ended(id: &str) -> bool {
    let state = read_record(id).await["state"].clone();
    state == "COMPLETED" || state == "FAILED"
}
