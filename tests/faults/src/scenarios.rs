//! The scenarios. Each says in its documentation what must hold; what holds for all is in
//! [`Outcome::must`](crate::world::Outcome::must).

mod calls;
mod load;
mod queue;
mod workers;

use std::time::Duration;

use futures::FutureExt;

use crate::proxy::{Fault, Rule};
use crate::scenario::{Run, Scenario};
use crate::world::{World, queue::set_times};

/// All scenarios, in the order of the table. The one that takes longest begins first.
pub const SCENARIOS: [Scenario; 18] = [
    waits("50% of everything", |world| calls::half(world).boxed()),
    quick("no faults", |world| calls::no_faults(world).boxed()),
    quick("1% of everything", |world| calls::one_percent(world).boxed()),
    quick("10% of everything", |world| calls::ten_percent(world).boxed()),
    quick("answers lost after the write", |world| calls::answers_lost(world).boxed()),
    quick("corrupted answers of Query", |world| calls::corrupted_query(world).boxed()),
    waits("duplicate deliveries", |world| calls::duplicates(world).boxed()),
    waits("a table throttled to a trickle", |world| calls::trickle(world).boxed()),
    quick("SES down for a while", |world| calls::ses_down(world).boxed()),
    waits("one part refused for ever", |world| calls::part_refused(world).boxed()),
    waits("a message delivered ten times at once", |world| queue::ten_deliveries(world).boxed()),
    quick("a poison message", |world| queue::poison(world).boxed()),
    waits("queue purged behind our back", |world| queue::purged(world).boxed()),
    waits("worker killed at random times", |world| workers::killed(world).boxed()),
    waits("a dead worker's calls arrive late", |world| workers::late_calls(world).boxed()),
    waits("worker frozen and woken", |world| workers::frozen(world).boxed()),
    quick("small exports beside huge ones", |world| load::small_beside_huge(world).boxed()),
    quick("load", |world| load::load(world).boxed()),
];

/// A scenario that takes some seconds.
const fn quick(name: &'static str, run: Run) -> Scenario {
    Scenario { name, waits: false, run }
}

/// A scenario that takes a minute or more, because it waits for a lease, a schedule or a delay of a queue.
const fn waits(name: &'static str, run: Run) -> Scenario {
    Scenario { name, waits: true, run }
}

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
