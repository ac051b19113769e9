//! What the proxy sees of the emails: a worker claims the email of an export, sends it, and gives the claim back if SES did
//! not take it. An email may be missing only if something happened in between.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::rule::Fault;

/// What a call does about an email.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Claims the email of the export with this id.
    Claim(String),
    /// Gives that claim back.
    GiveBack(String),
    /// Sends an email.
    Send,
}

impl Step {
    /// `None` for a call that has nothing to do with an email.
    pub(super) fn of(operation: &str, body: &[u8]) -> Option<Self> {
        match operation {
            "SendEmail" => Some(Self::Send),
            "UpdateItem" => {
                let update: Value = serde_json::from_slice(body).ok()?;
                let id = || update["Key"]["data_export_id"]["S"].as_str().map(str::to_owned);
                let expression = update["UpdateExpression"].as_str()?;
                if expression.contains("notified_by = :claimant") {
                    id().map(Self::Claim)
                } else if expression.contains("REMOVE notified_ts") {
                    id().map(Self::GiveBack)
                } else {
                    None
                }
            }
            _ => None,
        }
    }
}

/// The emails by the ids of their exports.
#[derive(Debug, Default)]
pub(super) struct Emails {
    /// Claimed and neither taken by SES nor given back, with the process of the worker; `None` for another function.
    open: BTreeMap<String, Option<i32>>,
    /// Those that somebody wanted to give back, in a call that did not arrive.
    kept: BTreeSet<String>,
    /// Those that may be missing.
    lost: BTreeSet<String>,
}

impl Emails {
    /// A fault hits a call. `names` tells whether the call names a text.
    pub(super) fn hit(&mut self, step: &Step, fault: Fault, names: impl Fn(&str) -> bool) {
        match (step, fault) {
            // Its sender learns what became of it.
            (_, Fault::Delay(_) | Fault::Duplicate | Fault::Freeze(_))
            | (Step::Send, Fault::Throttle | Fault::ServerError) => {}
            (Step::Send, _) => self.lost.extend(self.open.keys().filter(|id| names(id)).cloned()),
            (
                Step::GiveBack(id),
                Fault::Throttle | Fault::ServerError | Fault::LoseRequest | Fault::Refuse,
            ) => {
                self.kept.insert(id.clone());
            }
            (Step::Claim(id), Fault::KillAndSendLate(_)) => {
                self.lost.insert(id.clone());
            }
            // A worker finds out whether its claim took place, or gives it back.
            _ => {}
        }
    }

    /// The service has done what a call of this worker wanted.
    pub(super) fn done(&mut self, step: &Step, worker: Option<i32>, names: impl Fn(&str) -> bool) {
        match step {
            Step::Claim(id) => {
                self.open.insert(id.clone(), worker);
            }
            Step::GiveBack(id) => {
                self.open.remove(id);
                self.kept.remove(id);
            }
            Step::Send => self.open.retain(|id, _| !names(id)),
        }
    }

    /// A worker is killed.
    pub(super) fn died(&mut self, worker: i32) {
        let open = self.open.iter().filter(|(_, claimant)| **claimant == Some(worker));
        self.lost.extend(open.map(|(id, _)| id.clone()));
    }

    /// Whether the email of an export may be missing: its worker was killed after its claim and before SES took it, SES gave
    /// no certain answer, or the claim could not be given back.
    pub(super) fn may_miss(&self, id: &str) -> bool {
        self.lost.contains(id) || (self.kept.contains(id) && self.open.contains_key(id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORKER: Option<i32> = Some(7);

    fn step(expression: &str) -> Option<Step> {
        let body = serde_json::json!({
            "Key": {"data_export_id": {"S": "1"}},
            "UpdateExpression": expression,
        });
        Step::of("UpdateItem", body.to_string().as_bytes())
    }

    fn claimed() -> Emails {
        let mut emails = Emails::default();
        emails.done(&Step::Claim("1".to_owned()), WORKER, |_| true);
        emails
    }

    fn give_back() -> Step {
        Step::GiveBack("1".to_owned())
    }

    #[test]
    fn the_calls_about_an_email_are_recognised() {
        let claim = "SET notified_ts = :now, notified_by = :claimant";
        assert_eq!(step(claim), Some(Step::Claim("1".to_owned())));
        assert_eq!(step("SET check_ts = :check REMOVE notified_ts, notified_by"), Some(give_back()));
        assert_eq!(step("SET lease_until = :until"), None);
        assert_eq!(Step::of("SendEmail", b"{}"), Some(Step::Send));
        assert_eq!(Step::of("Query", b"{}"), None);
    }

    #[test]
    fn an_email_may_be_missing_if_its_worker_died_before_ses_took_it() {
        let mut emails = claimed();
        assert!(!emails.may_miss("1"));
        emails.died(8);
        assert!(!emails.may_miss("1"), "another worker");
        emails.died(7);
        assert!(emails.may_miss("1"));

        let mut emails = claimed();
        emails.done(&Step::Send, WORKER, |_| true);
        emails.died(7);
        assert!(!emails.may_miss("1"), "SES has it");
    }

    #[test]
    fn an_email_may_be_missing_if_the_claim_of_a_dead_worker_arrives() {
        let mut emails = Emails::default();
        let late = Fault::KillAndSendLate(std::time::Duration::ZERO);
        emails.hit(&Step::Claim("1".to_owned()), late, |_| true);
        emails.done(&Step::Claim("1".to_owned()), None, |_| true);
        assert!(emails.may_miss("1"));
    }

    #[test]
    fn an_email_may_be_missing_only_if_the_answer_of_ses_is_not_certain() {
        for (fault, may_miss) in [
            (Fault::Throttle, false),
            (Fault::ServerError, false),
            (Fault::LoseRequest, true),
            (Fault::LoseAnswer, true),
            (Fault::Truncate, true),
        ] {
            let mut emails = claimed();
            emails.hit(&Step::Send, fault, |_| true);
            assert_eq!(emails.may_miss("1"), may_miss, "{fault:?}");
        }
        let mut emails = claimed();
        emails.hit(&Step::Send, Fault::LoseAnswer, |_| false);
        assert!(!emails.may_miss("1"), "the email of another export");
    }

    #[test]
    fn an_email_may_be_missing_if_its_claim_cannot_be_given_back() {
        let mut emails = claimed();
        emails.hit(&give_back(), Fault::Throttle, |_| true);
        assert!(emails.may_miss("1"));
        emails.done(&give_back(), WORKER, |_| true);
        assert!(!emails.may_miss("1"), "the SDK tried again");
    }
}
