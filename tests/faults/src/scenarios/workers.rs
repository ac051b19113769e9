//! Workers die, or stand still and go on.
//!
//! They die at calls of AWS: just before the service gets the request, or when it has done what it asks for. Between two calls
//! a worker changes nothing that others can see, so these are all moments that differ.

use std::sync::Arc;
use std::time::Duration;

use super::{slow_queries, usage_records};
use crate::proxy::{Fault, Rule};
use crate::world::{Demands, Outcome, SeededOrg, Size, World, post};

/// Calls of a worker for one long request of a medium organization, at least: a `Query` for each of 60 months in each of five
/// workspaces, two of which are personal.
const CALLS: u64 = 300;
/// Those that are no `Query`, at least: they claim, renew, save, upload, finish, notify and clean up.
const OTHER_CALLS: u64 = 18;
/// Slow enough that an export runs for some seconds.
const QUERY_DELAY: Duration = Duration::from_millis(50);
/// How often exports are asked for until there were enough kills.
const MAX_ROUNDS: u64 = 40;

/// Workers are killed at random calls: every export completes. Kills are fewer than exports, because an export whose worker
/// dies again and again without progress may fail.
pub async fn killed(world: World) -> Outcome {
    let (wanted, per_round) = (world.choose(6, 200), world.choose(6, 16));
    let (mut outcome, mut kills) = (Outcome::default(), 0);
    for round in 1..=MAX_ROUNDS {
        let orgs = world.orgs(&vec![Size::Medium; world.choose(2, 10)]).await;
        let exports = (orgs.len() * each(&world)) as u64;
        let mut rng = world.rng();
        let mut rules = vec![slow_queries(QUERY_DELAY)];
        rules.extend((0..per_round.min(wanted - kills)).map(|number| {
            let kill = Rule::new(if rng.bool() { Fault::KillBefore } else { Fault::KillAfter });
            // Every other one at any call, and those between at one that changes something or may.
            if number % 2 == 0 {
                kill.nth(rng.u64(1..exports * CALLS))
            } else {
                kill.except(&["Query"]).nth(rng.u64(1..exports * OTHER_CALLS))
            }
        }));
        outcome.add(export_long(&world, &orgs, rules).await);
        kills += world.faults.kills();
        outcome.notes.push(format!("round {round}: {kills} of {wanted} kills"));
        if kills >= wanted || !outcome.unfinished.is_empty() {
            break;
        }
    }
    if kills < wanted {
        outcome.broken.push(format!("only {kills} of {wanted} kills took place"));
    }
    outcome.must(1, Demands::default())
}

/// Workers are killed while a call is on its way, and AWS gets it only after another worker has taken over: every export
/// completes, because a call of a former lease owner changes nothing.
pub async fn late_calls(world: World) -> Outcome {
    let late = Fault::KillAndSendLate(world.limits.beyond_lease);
    let rules = vec![
        Rule::new(late).on(&["UploadPart"]).nth(2),
        Rule::new(late).on(&["UpdateItem"]).nth(5),
        Rule::new(late).on(&["CompleteMultipartUpload"]).nth(1),
        Rule::new(late).on(&["PutObject"]).nth(2),
    ];
    one_large_and_some(&world, rules).await
}

/// Workers are stopped for longer than their lease, so that others take over, and go on then: every export completes.
pub async fn frozen(world: World) -> Outcome {
    let freeze = Fault::Freeze(world.limits.beyond_lease);
    let rules = vec![
        Rule::new(freeze).on(&["UploadPart"]).nth(2),
        Rule::new(freeze).on(&["Query"]).about(usage_records()).nth(CALLS),
        Rule::new(freeze).on(&["UpdateItem"]).nth(5),
        Rule::new(freeze).on(&["CompleteMultipartUpload"]).nth(2),
    ];
    one_large_and_some(&world, rules).await
}

/// Exports of several parts and exports of one.
async fn one_large_and_some(world: &World, mut rules: Vec<Rule>) -> Outcome {
    let orgs = world.orgs(&[Size::Large, Size::Medium]).await;
    rules.push(slow_queries(QUERY_DELAY));
    let outcome = export_long(world, &orgs, rules).await;
    let mut outcome = outcome.must(orgs.len() * each(world), Demands::default());
    if outcome.faults == 0 {
        outcome.broken.push("no worker was hit".to_owned());
    }
    outcome
}

/// Exports of each organization at the same time: as many as the local system lets it have, or fewer.
fn each(world: &World) -> usize {
    world.choose(4, 5)
}

async fn export_long(world: &World, orgs: &[Arc<SeededOrg>], rules: Vec<Rule>) -> Outcome {
    world.faults.set(rules);
    let requests = orgs.iter().flat_map(|org| vec![(Arc::clone(org), org.long_request()); each(world)]);
    let posted = post(world, requests.collect()).await;
    world.examine(orgs, posted).await
}
