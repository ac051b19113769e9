//! How often an export or a segment is tried, and how long a try waits for the next.

use std::time::Duration;

use usage_export::export::{Failure, FailureReason};

/// How many workers may claim an export without progress before it becomes FAILED. A worker that was killed counts.
pub const MAX_ATTEMPTS: u32 = 5;

/// The longest delay of a redelivery.
pub const MAX_DELAY: Duration = Duration::from_mins(15);

/// The end of an export, or of a segment, after [`MAX_ATTEMPTS`].
pub fn interrupted() -> Failure {
    Failure::new(FailureReason::Interrupted, "The export was interrupted too often.")
}

/// Its end after calls have failed too often.
pub fn technical_problem() -> Failure {
    let told = "The export could not be finished because of a technical problem on our side.";
    Failure::new(FailureReason::Technical, told)
}

/// The delay after so many failures: 5, 10, 20 … seconds.
pub fn delay(failures: u32) -> Duration {
    Duration::from_secs(5 << failures.saturating_sub(1).min(10)).min(MAX_DELAY)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_grow_and_end() {
        assert_eq!(delay(0).as_secs(), 5);
        assert_eq!(delay(1).as_secs(), 5);
        assert_eq!(delay(3).as_secs(), 20);
        assert_eq!(delay(u32::MAX), MAX_DELAY);
    }
}
