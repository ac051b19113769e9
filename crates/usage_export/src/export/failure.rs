//! Why an export failed: a reason of a closed set, for whoever runs the system, and a sentence, for its owner.

use serde::{Deserialize, Serialize};

/// Why an export failed. It has no ids and no names, so it can be counted, shown and compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureReason {
    /// Its workers died too often without progress.
    Interrupted,
    /// Calls to AWS failed too often.
    Technical,
    /// A stored record cannot be read.
    BadRecord,
    /// The ids that its request names are gone.
    IdsLost,
    /// The file and what was counted do not agree.
    Integrity,
    /// The file would be larger than one object of S3 can be.
    TooLarge,
    /// It made no progress for hours, and the reconciler gave it up.
    GivenUp,
    /// Its owner cancelled it. Nothing is wrong.
    Cancelled,
    /// A reason of a later version of this program.
    #[serde(other)]
    Other,
}

impl FailureReason {
    /// Every reason that this version gives.
    pub const ALL: [Self; 8] = [
        Self::Interrupted,
        Self::Technical,
        Self::BadRecord,
        Self::IdsLost,
        Self::Integrity,
        Self::TooLarge,
        Self::GivenUp,
        Self::Cancelled,
    ];

    /// Its name in the table and in metrics.
    ///
    /// ```
    /// assert_eq!(usage_export::export::FailureReason::BadRecord.name(), "bad_record");
    /// ```
    pub fn name(self) -> &'static str {
        match self {
            Self::Interrupted => "interrupted",
            Self::Technical => "technical",
            Self::BadRecord => "bad_record",
            Self::IdsLost => "ids_lost",
            Self::Integrity => "integrity",
            Self::TooLarge => "too_large",
            Self::GivenUp => "given_up",
            Self::Cancelled => "cancelled",
            Self::Other => "other",
        }
    }
}

/// How an export ends that fails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What it is counted as.
    pub reason: FailureReason,
    /// A sentence for the export owner. It may have names and ids.
    pub told: String,
}

impl Failure {
    /// A failure for this reason, of which the owner is told this.
    pub fn new(reason: FailureReason, told: impl Into<String>) -> Self {
        Self { reason, told: told.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_has_one_name_everywhere_and_a_later_one_hides_no_export() {
        for reason in FailureReason::ALL {
            assert_eq!(serde_json::to_value(reason).unwrap(), reason.name());
            assert_eq!(serde_json::from_value::<FailureReason>(reason.name().into()).unwrap(), reason);
        }
        let later: FailureReason = serde_json::from_value("of_tomorrow".into()).unwrap();
        assert_eq!(later, FailureReason::Other);
    }
}
