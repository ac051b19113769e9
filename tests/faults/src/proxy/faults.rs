//! The rules that are set, and the counts of calls and faults.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use fastrand::Rng;

use super::emails::{Emails, Step};
use super::operation::Operation;
use super::rule::{Fault, Rule};

/// Calls of one operation and what happened to them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// All calls, also those that a fault hit.
    pub calls: u64,
    /// How often each fault hit one, by its name.
    pub faults: BTreeMap<String, u64>,
}

/// The handle by which a scenario sets rules and reads counts. Clones are the same handle.
#[derive(Clone, Debug)]
pub struct Faults(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    rules: Vec<Rule>,
    counts: BTreeMap<String, Counts>,
    rng: Rng,
    emails: Emails,
    /// The paths of objects that were written after their worker had died.
    late_objects: Vec<String>,
}

/// What happens to one call: first the delay, then the fault.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Decision {
    pub delay: Duration,
    pub fault: Option<Fault>,
}

impl Faults {
    /// No rules. The same seed makes the same decisions for the same calls in the same order.
    pub fn new(seed: u64) -> Self {
        let (rules, counts) = (Vec::new(), BTreeMap::new());
        Self(Arc::new(Mutex::new(State {
            rules,
            counts,
            rng: Rng::with_seed(seed),
            emails: Emails::default(),
            late_objects: Vec::new(),
        })))
    }

    /// Makes the decisions follow from this number from now on.
    pub fn seed(&self, seed: u64) {
        self.lock().rng.seed(seed);
    }

    /// Sets the rules in place of those before, and begins to count. If several rules hit a call, the first one counts;
    /// delays add up.
    pub fn set(&self, rules: Vec<Rule>) {
        let mut state = self.lock();
        state.rules = rules;
        state.counts.clear();
    }

    /// Ends all faults. The counts stay until rules are set again.
    pub fn end(&self) {
        self.lock().rules.clear();
    }

    /// The counts since rules were last set, by operation.
    pub fn counts(&self) -> BTreeMap<String, Counts> {
        self.lock().counts.clone()
    }

    /// How many faults of these names hit calls of an operation.
    pub fn count(&self, operation: &str, faults: &[Fault]) -> u64 {
        let state = self.lock();
        let Some(counts) = state.counts.get(operation) else { return 0 };
        faults.iter().filter_map(|fault| counts.faults.get(&fault.name())).sum()
    }

    /// How many faults hit any call. A delay is no fault.
    pub fn total(&self) -> u64 {
        let delay = Fault::Delay(Duration::ZERO).name();
        let counts = self.counts();
        let faults = counts.values().flat_map(|counts| &counts.faults);
        faults.filter(|(name, _)| **name != delay).map(|(_, count)| count).sum()
    }

    /// How many workers were killed.
    pub fn kills(&self) -> u64 {
        let kills = [Fault::KillBefore, Fault::KillAfter, Fault::KillAndSendLate(Duration::ZERO)];
        self.counts().into_keys().map(|operation| self.count(&operation, &kills)).sum()
    }

    /// Whether the email of an export may be missing, because of what happened between its claim and the answer of SES: its
    /// worker was killed, the answer was lost, or the claim could not be given back after it.
    pub fn may_miss_email(&self, data_export_id: &str) -> bool {
        self.lock().emails.may_miss(data_export_id)
    }

    /// Whether the object with this key may be left over, because S3 got it after its worker had died: then the export may have
    /// ended before, and nobody knows of the object until the bucket's lifecycle rule deletes it.
    pub fn may_leave(&self, key: &str) -> bool {
        self.lock().late_objects.iter().any(|path| path.ends_with(key))
    }

    /// A dead worker's object has arrived.
    pub(super) fn wrote_late(&self, path: &str) {
        self.lock().late_objects.push(path.to_owned());
    }

    /// A call about an email is hit. `names` tells whether it names a text.
    pub(super) fn email_hit(&self, step: &Step, fault: Fault, names: impl Fn(&str) -> bool) {
        self.lock().emails.hit(step, fault, names);
    }

    /// A call about an email has taken place.
    pub(super) fn email_done(&self, step: &Step, worker: Option<i32>, names: impl Fn(&str) -> bool) {
        self.lock().emails.done(step, worker, names);
    }

    /// A worker is killed.
    pub(super) fn died(&self, worker: i32) {
        self.lock().emails.died(worker);
    }

    /// Says what happens to a call, and counts it. `is_worker` tells whether a worker makes the call: only workers are
    /// killed and frozen. It is asked only if such a rule would hit.
    pub(super) fn decide(
        &self,
        operation: &Operation,
        names: impl Fn(&str) -> bool,
        is_worker: impl Fn() -> bool,
    ) -> Decision {
        let mut state = self.lock();
        let State { rules, counts, rng, .. } = &mut *state;
        let counts = counts.entry(operation.name.clone()).or_default();
        counts.calls += 1;
        let mut decision = Decision::default();
        for rule in rules {
            let is_for_workers = rule.fault.kills() || matches!(rule.fault, Fault::Freeze(_));
            if decision.fault.is_some()
                || (is_for_workers && !is_worker())
                || !rule.hits(&operation.name, &names, rng)
            {
                continue;
            }
            *counts.faults.entry(rule.fault.name()).or_default() += 1;
            match rule.fault {
                Fault::Delay(delay) => decision.delay += delay,
                fault => decision.fault = Some(fault),
            }
        }
        decision
    }

    /// A random number below `end`.
    pub(super) fn random_below(&self, end: usize) -> usize {
        self.lock().rng.usize(..end)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::super::operation::Service;
    use super::*;

    fn call(faults: &Faults, name: &str, text: &str) -> Decision {
        let operation = Operation { service: Service::DynamoDb, name: name.to_owned() };
        faults.decide(&operation, |wanted| text.contains(wanted), || false)
    }

    fn hits(faults: &Faults, name: &str, calls: usize) -> Vec<usize> {
        (1..=calls).filter(|_| call(faults, name, "").fault.is_some()).collect()
    }

    #[test]
    fn a_rule_hits_the_nth_call_of_its_operation() {
        let faults = Faults::new(1);
        faults.set(vec![Rule::new(Fault::LoseAnswer).on(&["Query"]).nth(3)]);
        assert_eq!(hits(&faults, "GetItem", 5), Vec::<usize>::new());
        assert_eq!(hits(&faults, "Query", 5), [3]);
        assert_eq!((faults.count("Query", &[Fault::LoseAnswer]), faults.total()), (1, 1));
        assert_eq!(faults.counts()["GetItem"].calls, 5);
    }

    #[test]
    fn a_rule_ends_after_its_last_hit() {
        let faults = Faults::new(1);
        faults.set(vec![Rule::new(Fault::Throttle).except(&["Query"]).from(2).at_most(2)]);
        assert_eq!(hits(&faults, "GetItem", 9), [2, 3]);
        assert_eq!(hits(&faults, "Query", 9), Vec::<usize>::new());
    }

    #[test]
    fn a_chance_is_met_and_follows_from_the_seed() {
        let run = |seed| {
            let faults = Faults::new(seed);
            faults.set(vec![Rule::new(Fault::ServerError).chance(0.1)]);
            hits(&faults, "Query", 10_000)
        };
        let hit = run(7);
        assert!((800..1_200).contains(&hit.len()), "{}", hit.len());
        assert_eq!(hit, run(7));
        assert_ne!(hit, run(8));
    }

    #[test]
    fn a_rule_may_be_about_a_text() {
        let faults = Faults::new(1);
        faults.set(vec![Rule::new(Fault::FlipBit).about("UsageRecords")]);
        assert_eq!(call(&faults, "Query", "Directory").fault, None);
        assert_eq!(call(&faults, "Query", "a-UsageRecords-1").fault, Some(Fault::FlipBit));
    }

    #[test]
    fn delays_add_up_with_one_fault() {
        let faults = Faults::new(1);
        let second = Duration::from_secs(1);
        let rules = [Fault::Delay(second), Fault::Delay(second), Fault::Throttle, Fault::Truncate];
        faults.set(rules.map(Rule::new).to_vec());
        let expected = Decision { delay: 2 * second, fault: Some(Fault::Throttle) };
        assert_eq!(call(&faults, "Query", ""), expected);
        assert_eq!(faults.total(), 1);
        faults.end();
        assert_eq!(call(&faults, "Query", ""), Decision::default());
    }

    #[test]
    fn only_workers_are_killed() {
        let faults = Faults::new(1);
        faults.set(vec![Rule::new(Fault::KillBefore).nth(1)]);
        assert_eq!(call(&faults, "Query", "").fault, None);
        let operation = Operation { service: Service::DynamoDb, name: "Query".to_owned() };
        assert_eq!(faults.decide(&operation, |_| false, || true).fault, Some(Fault::KillBefore));
        assert_eq!(faults.kills(), 1);
    }
}
