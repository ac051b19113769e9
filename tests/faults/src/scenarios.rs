//! The scenarios. Each says in its documentation what must hold; what holds for all is in
//! [`Outcome::must`](crate::world::Outcome::must).

mod calls;
mod load;
mod queue;
mod workers;

use std::time::Duration;

use futures::FutureExt;

use crate::proxy::{Fault, Rule};
use crate::scenario::Scenario;
use crate::world::{World, queue::set_times};

/// All scenarios, in the order in which they run: those first that show a mistake soonest.
pub const SCENARIOS: [Scenario; 18] = [
    Scenario { name: "no faults", run: |world| calls::no_faults(world).boxed() },
    Scenario { name: "1% of everything", run: |world| calls::one_percent(world).boxed() },
    Scenario { name: "10% of everything", run: |world| calls::ten_percent(world).boxed() },
    Scenario { name: "50% of everything", run: |world| calls::half(world).boxed() },
    Scenario { name: "answers lost after the write", run: |world| calls::answers_lost(world).boxed() },
    Scenario { name: "corrupted answers of Query", run: |world| calls::corrupted_query(world).boxed() },
    Scenario { name: "duplicate deliveries", run: |world| calls::duplicates(world).boxed() },
    Scenario { name: "a table throttled to a trickle", run: |world| calls::trickle(world).boxed() },
    Scenario { name: "SES down for a while", run: |world| calls::ses_down(world).boxed() },
    Scenario { name: "one part refused for ever", run: |world| calls::part_refused(world).boxed() },
    Scenario {
        name: "a message delivered ten times at once",
        run: |world| queue::ten_deliveries(world).boxed(),
    },
    Scenario { name: "a poison message", run: |world| queue::poison(world).boxed() },
    Scenario { name: "queue purged behind our back", run: |world| queue::purged(world).boxed() },
    Scenario { name: "worker killed at random times", run: |world| workers::killed(world).boxed() },
    Scenario { name: "a dead worker's calls arrive late", run: |world| workers::late_calls(world).boxed() },
    Scenario { name: "worker frozen and woken", run: |world| workers::frozen(world).boxed() },
    Scenario { name: "small exports beside huge ones", run: |world| load::small_beside_huge(world).boxed() },
    Scenario { name: "load", run: |world| load::load(world).boxed() },
];

/// Ends the faults of the scenario before, and makes the queue as scenarios expect it.
pub async fn reset(world: &World) {
    world.faults.set(Vec::new());
    set_times(world.limits.visibility, Duration::ZERO).await;
}

/// Spoils about this share of all calls: each of seven faults hits a seventh of it. An email is never sent twice by the
/// network, and only the answers of `Query` on the usage records have a checksum that shows a changed bit; elsewhere TLS does.
fn everything(share: f64) -> Vec<Rule> {
    let chance = share / 7.0;
    let anywhere = [
        Fault::Throttle,
        Fault::ServerError,
        Fault::Truncate,
        Fault::LoseRequest,
        Fault::LoseAnswer,
        Fault::Delay(Duration::from_millis(300)),
    ];
    let mut rules = anywhere.map(|fault| Rule::new(fault).chance(chance)).to_vec();
    rules.push(Rule::new(Fault::Duplicate).except(&["SendEmail"]).chance(chance));
    rules.push(flipped_bits().chance(chance));
    rules
}

/// Changes a bit in answers of `Query` on the usage records.
fn flipped_bits() -> Rule {
    Rule::new(Fault::FlipBit).on(&["Query"]).about(usage_records())
}

/// Makes exports take long enough that something can happen to them.
fn slow_queries(delay: Duration) -> Rule {
    Rule::new(Fault::Delay(delay)).on(&["Query"]).about(usage_records())
}

fn usage_records() -> &'static str {
    &integration_tests::system::system().outputs.tables.usage_records
}
