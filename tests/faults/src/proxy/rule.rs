//! A rule says which calls a fault hits.

use std::time::Duration;

use fastrand::Rng;

/// What happens to a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The service refuses the call because there are too many.
    Throttle,
    /// The service refuses the call as one that can never succeed.
    Refuse,
    /// The service answers 500 and does nothing.
    ServerError,
    /// The service does its work, and the connection ends in the middle of the answer.
    Truncate,
    /// The service does its work, and one bit of the answer is changed on the way.
    FlipBit,
    /// The connection ends before the service has got the request: nothing is done.
    LoseRequest,
    /// The service does its work, and the connection ends without an answer.
    LoseAnswer,
    /// The service gets the request twice, one after the other, and the second answer is returned.
    Duplicate,
    /// The call takes this much longer. Other rules may hit it too.
    Delay(Duration),
    /// The worker that makes the call gets SIGKILL before the service has got the request.
    KillBefore,
    /// The worker that makes the call gets SIGKILL when the service has done its work.
    KillAfter,
    /// The worker that makes the call gets SIGKILL, and the service gets the request only after this time.
    KillAndSendLate(Duration),
    /// The service does its work, and the worker that makes the call is stopped for this long with the answer on its way.
    Freeze(Duration),
}

impl Fault {
    /// The name in reports: the variant's.
    pub fn name(self) -> String {
        let text = format!("{self:?}");
        text.split('(').next().unwrap_or_default().to_owned()
    }

    /// Whether it kills a worker.
    pub fn kills(self) -> bool {
        matches!(self, Self::KillBefore | Self::KillAfter | Self::KillAndSendLate(_))
    }
}

/// Which of the calls that a rule is about are hit.
#[derive(Clone, Copy, Debug)]
enum When {
    /// Each with this probability.
    Chance(f64),
    /// The nth, counted from 1.
    Nth(u64),
    /// The nth and all after it.
    From(u64),
}

/// A fault, and the calls that it hits. Without further conditions these are all calls.
#[derive(Clone, Debug)]
pub struct Rule {
    pub(super) fault: Fault,
    operations: Vec<&'static str>,
    except: Vec<&'static str>,
    about: Option<String>,
    when: When,
    /// How many calls it may still hit.
    left: u64,
    /// How many calls of its operations there were.
    seen: u64,
}

impl Rule {
    /// A rule that hits every call.
    pub fn new(fault: Fault) -> Self {
        Self {
            fault,
            operations: Vec::new(),
            except: Vec::new(),
            about: None,
            when: When::From(1),
            left: u64::MAX,
            seen: 0,
        }
    }

    /// Only calls of these operations.
    #[must_use]
    pub fn on(self, operations: &[&'static str]) -> Self {
        Self { operations: operations.to_vec(), ..self }
    }

    /// Only calls of other operations.
    #[must_use]
    pub fn except(self, operations: &[&'static str]) -> Self {
        Self { except: operations.to_vec(), ..self }
    }

    /// Only calls that name this: a table or an id in a body of JSON, a key in a path.
    #[must_use]
    pub fn about(self, text: &str) -> Self {
        Self { about: Some(text.to_owned()), ..self }
    }

    /// Each call with this probability.
    #[must_use]
    pub fn chance(self, probability: f64) -> Self {
        Self { when: When::Chance(probability), ..self }
    }

    /// Only the nth call, counted from 1 when the rule is set.
    #[must_use]
    pub fn nth(self, nth: u64) -> Self {
        Self { when: When::Nth(nth), ..self }
    }

    /// The nth call and all after it.
    #[must_use]
    pub fn from(self, nth: u64) -> Self {
        Self { when: When::From(nth), ..self }
    }

    /// At most this many calls.
    #[must_use]
    pub fn at_most(self, count: u64) -> Self {
        Self { left: count, ..self }
    }

    /// Whether it hits this call. `names` tells whether the call names a text.
    pub(super) fn hits(&mut self, operation: &str, names: impl Fn(&str) -> bool, rng: &mut Rng) -> bool {
        let is_about_it = (self.operations.is_empty() || self.operations.contains(&operation))
            && !self.except.contains(&operation)
            && self.about.as_deref().is_none_or(names);
        if !is_about_it || self.left == 0 {
            return false;
        }
        self.seen += 1;
        let hits = match self.when {
            When::Chance(probability) => rng.f64() < probability,
            When::Nth(nth) => self.seen == nth,
            When::From(nth) => self.seen >= nth,
        };
        self.left -= u64::from(hits);
        hits
    }
}
