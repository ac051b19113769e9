//! What became of the exports of a scenario, and whether that is what must hold.

use std::time::Duration;

/// Counts of a scenario's exports.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// Faults that the proxy has made.
    pub faults: u64,
    /// Exports, also those whose request had no answer but made one.
    pub exports: usize,
    /// In the state COMPLETED.
    pub completed: usize,
    /// Reasons of those in the state FAILED.
    pub failed: Vec<String>,
    /// Those that have not ended, with their states.
    pub unfinished: Vec<String>,
    /// Completed exports whose file is not the one that must come out, with the first difference.
    pub wrong_files: Vec<String>,
    /// How many exports have no email, one, and more.
    pub emails: [usize; 3],
    /// Exports without an email, though nothing happened between its claim and the answer of SES.
    pub missing_emails: Vec<String>,
    /// Uploads, objects and slots that nothing needs any more.
    pub left_overs: Vec<String>,
    /// From the request to the end.
    pub times: Vec<Duration>,
    /// What a scenario has to say beside that.
    pub notes: Vec<String>,
    /// What a scenario found broken itself.
    pub broken: Vec<String>,
}

/// What must hold beyond what must always hold.
#[derive(Clone, Copy, Debug, Default)]
pub struct Demands {
    /// Exports that may be FAILED, with a reason.
    pub may_fail: usize,
    /// Exports that must be FAILED, with a reason.
    pub must_fail: usize,
}

impl Outcome {
    /// Adds what became of other exports.
    pub fn add(&mut self, other: Self) {
        self.faults += other.faults;
        self.exports += other.exports;
        self.completed += other.completed;
        self.failed.extend(other.failed);
        self.unfinished.extend(other.unfinished);
        self.wrong_files.extend(other.wrong_files);
        for (sum, count) in self.emails.iter_mut().zip(other.emails) {
            *sum += count;
        }
        self.missing_emails.extend(other.missing_emails);
        self.notes.extend(other.notes);
        self.left_overs.extend(other.left_overs);
        self.times.extend(other.times);
        self.broken.extend(other.broken);
    }

    /// Notes what does not hold. What must always hold: `expected` exports have ended, every file is right, no export has two
    /// emails, one is missing only where something happened between its claim and the answer of SES
    /// ([`Faults::may_miss_email`](crate::proxy::Faults::may_miss_email)), and nothing is left over.
    #[must_use]
    pub fn must(mut self, expected: usize, demands: Demands) -> Self {
        let mut broken = Vec::new();
        let mut check = |holds: bool, text: String| {
            if !holds {
                broken.push(text);
            }
        };
        check(self.exports >= expected, format!("{expected} exports were asked for, {} made", self.exports));
        check(self.unfinished.is_empty(), format!("not ended: {}", list(&self.unfinished)));
        check(self.wrong_files.is_empty(), format!("wrong files: {}", list(&self.wrong_files)));
        let (failed, most) = (self.failed.len(), demands.may_fail.max(demands.must_fail));
        check(failed <= most, format!("{failed} failed, {most} may: {}", list(&self.failed)));
        check(failed >= demands.must_fail, format!("{failed} failed, {} must", demands.must_fail));
        check(self.failed.iter().all(|reason| !reason.is_empty()), "FAILED without a reason".to_owned());
        let several = self.emails[2];
        check(several == 0, format!("{several} exports have several emails"));
        check(self.missing_emails.is_empty(), format!("no email of {}", list(&self.missing_emails)));
        check(self.left_overs.is_empty(), format!("left over: {}", list(&self.left_overs)));
        self.broken.extend(broken);
        self
    }

    /// The time that half of the exports took, and the longest; zero if there are none.
    pub fn median_and_max(&self) -> (Duration, Duration) {
        let mut times = self.times.clone();
        times.sort_unstable();
        let at = |index: usize| times.get(index).copied().unwrap_or_default();
        (at(times.len() / 2), at(times.len().saturating_sub(1)))
    }
}

/// The first few, and how many more there are.
fn list(texts: &[String]) -> String {
    const SHOWN: usize = 3;
    let mut shown: Vec<_> = texts.iter().take(SHOWN).cloned().collect();
    if texts.len() > SHOWN {
        shown.push(format!("and {} more", texts.len() - SHOWN));
    }
    shown.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good() -> Outcome {
        Outcome { exports: 2, completed: 2, emails: [0, 2, 0], ..Outcome::default() }
    }

    fn broken(outcome: Outcome, demands: Demands) -> Vec<String> {
        outcome.must(2, demands).broken
    }

    #[test]
    fn a_good_outcome_breaks_nothing() {
        assert_eq!(broken(good(), Demands::default()), Vec::<String>::new());
    }

    #[test]
    fn each_broken_promise_is_noted() {
        let text = || vec!["text".to_owned()];
        for outcome in [
            Outcome { exports: 1, ..good() },
            Outcome { unfinished: text(), ..good() },
            Outcome { wrong_files: text(), ..good() },
            Outcome { failed: text(), ..good() },
            Outcome { emails: [0, 1, 1], ..good() },
            Outcome { emails: [1, 1, 0], missing_emails: text(), ..good() },
            Outcome { left_overs: text(), ..good() },
        ] {
            assert_eq!(broken(outcome.clone(), Demands::default()).len(), 1, "{outcome:?}");
        }
    }

    #[test]
    fn an_email_may_be_missing_where_something_happened_to_it() {
        let outcome = Outcome { emails: [1, 1, 0], ..good() };
        assert_eq!(broken(outcome, Demands::default()), Vec::<String>::new());
    }

    #[test]
    fn an_export_that_must_fail_needs_a_reason() {
        let demands = Demands { must_fail: 1, ..Demands::default() };
        assert_eq!(broken(good(), demands), ["0 failed, 1 must"]);
        let outcome = Outcome { failed: vec![String::new()], ..good() };
        assert_eq!(broken(outcome, demands), ["FAILED without a reason"]);
    }

    #[test]
    fn the_median_is_a_time_of_the_middle() {
        let times = [5, 1, 3].map(Duration::from_secs).to_vec();
        let outcome = Outcome { times, ..good() };
        assert_eq!(outcome.median_and_max(), (Duration::from_secs(3), Duration::from_secs(5)));
    }
}
