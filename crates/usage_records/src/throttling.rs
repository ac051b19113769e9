//! What a worker does when DynamoDB throttles it: it asks again, with pauses that grow, for as long as anybody wants the page.
//!
//! Each partition has a pause of its own, because DynamoDB throttles one partition more often than a table.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_sdk_dynamodb::config::interceptors::InterceptorContext;
use aws_sdk_dynamodb::config::retry::{ClassifyRetry, RetryAction};
use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_sdk_dynamodb::operation::query::QueryError;
use tokio::time::Instant;
use usage_export::error::AwsError;

/// The first pause. Each pause after it is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(50);

/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// After so many doublings the pause is the longest.
const MAX_DOUBLINGS: u32 = 6;

/// How long after a line of the log the next one may come.
const LOG_INTERVAL: Duration = Duration::from_secs(10);

/// The codes by which DynamoDB says that it is asked for too much.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html>
const CODES: [&str; 3] =
    ["ProvisionedThroughputExceededException", "ThrottlingException", "RequestLimitExceeded"];

/// Whether DynamoDB throttled the call.
pub(crate) fn is_throttled(error: &AwsError) -> bool {
    matches!(error, AwsError::Refused { code, .. } if CODES.contains(&code.as_str()))
}

/// Forbids the SDK to repeat a `Query` that was throttled, so that there is one pause after it and not two.
#[derive(Debug)]
pub(crate) struct ThrottlingIsWaitedOut;

impl ClassifyRetry for ThrottlingIsWaitedOut {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        let error = context.output_or_error().and_then(Result::err);
        let error = error.and_then(|error| error.as_operation_error()?.downcast_ref::<QueryError>());
        let code = error.and_then(ProvideErrorMetadata::code);
        if code.is_some_and(|code| CODES.contains(&code)) {
            RetryAction::RetryForbidden
        } else {
            RetryAction::NoActionIndicated
        }
    }

    fn name(&self) -> &'static str {
        "ThrottlingIsWaitedOut"
    }
}

/// Lets a line of the log pass every ten seconds.
#[derive(Debug, Default)]
pub(crate) struct Seldom(Mutex<Option<Instant>>);

impl Seldom {
    /// Whether a line may be logged now.
    pub(crate) fn may_tell(&self) -> bool {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let may = told.is_none_or(|told| told.elapsed() >= LOG_INTERVAL);
        if may {
            *told = Some(Instant::now());
        }
        may
    }
}

/// How long to pause, for each partition that was throttled lately.
#[derive(Debug, Default)]
pub(crate) struct Throttling {
    /// How often the pause of a partition was doubled, by partition key.
    doublings: Mutex<HashMap<String, u32>>,
    log: Seldom,
}

impl Throttling {
    /// Pauses after a page of the partition was throttled, and makes the next pause longer.
    pub(crate) async fn pause(&self, partition_key: &str, error: &AwsError) {
        if self.log.may_tell() {
            tracing::warn!(error = %error, "reads of usage records wait, because they are throttled: {error}");
        }
        let doublings = self.doublings().get(partition_key).copied().unwrap_or_default();
        // Half of it at random, so that those who were throttled together do not come back together.
        tokio::time::sleep(pause_of(doublings).mul_f64(0.5 + 0.5 * fastrand::f64())).await;
        // Of several pages that were throttled at the same time, one makes it longer.
        let longer = (doublings + 1).min(MAX_DOUBLINGS);
        let mut known = self.doublings();
        let known = known.entry(partition_key.to_owned()).or_default();
        *known = longer.max(*known);
    }

    /// Makes the next pause of the partition shorter, because a page was read.
    pub(crate) fn succeeded(&self, partition_key: &str) {
        let mut known = self.doublings();
        match known.get_mut(partition_key) {
            Some(doublings) if *doublings > 1 => *doublings -= 1,
            Some(_) => drop(known.remove(partition_key)),
            None => {}
        }
    }

    fn doublings(&self) -> MutexGuard<'_, HashMap<String, u32>> {
        self.doublings.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn pause_of(doublings: u32) -> Duration {
    (FIRST_PAUSE * (1 << doublings.min(MAX_DOUBLINGS))).min(LONGEST_PAUSE)
}

#[cfg(test)]
mod tests {
    use futures::StreamExt;

    use super::*;

    fn refused(code: &str) -> AwsError {
        AwsError::Refused { operation: "dynamodb:Query", code: code.to_owned(), message: String::new() }
    }

    #[test]
    fn only_throttling_is_waited_out() {
        assert!(CODES.iter().all(|code| is_throttled(&refused(code))));
        assert!(!is_throttled(&refused("AccessDeniedException")));
        assert!(!is_throttled(&AwsError::unexpected("ThrottlingException", "no")));
    }

    #[test]
    fn pauses_grow_to_the_longest() {
        let pauses: Vec<_> = (0..=MAX_DOUBLINGS).map(pause_of).collect();
        assert_eq!(pauses[..3], [50, 100, 200].map(Duration::from_millis));
        assert!(pauses.is_sorted());
        assert_eq!(pauses.last(), Some(&LONGEST_PAUSE));
        assert_eq!(pause_of(u32::MAX), LONGEST_PAUSE);
    }

    /// The longest that the next pause of a partition can be.
    fn next_pause(throttling: &Throttling, partition_key: &str) -> Duration {
        pause_of(throttling.doublings().get(partition_key).copied().unwrap_or_default())
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_grows_with_each_refusal_and_falls_with_each_page() {
        let throttling = Throttling::default();
        let error = refused("ThrottlingException");
        for longest in [50, 100, 200] {
            let began = Instant::now();
            throttling.pause("wsp_1#2025-01", &error).await;
            let (pause, longest) = (began.elapsed(), Duration::from_millis(longest));
            // The clock of the runtime has milliseconds.
            let a_tick = Duration::from_millis(2);
            assert!(longest / 2 <= pause && pause <= longest + a_tick, "{pause:?}, {longest:?}");
        }
        assert_eq!(next_pause(&throttling, "wsp_2#2025-01"), FIRST_PAUSE, "others are not slowed down");
        for expected in [200, 100, 50, 50] {
            throttling.succeeded("wsp_1#2025-01");
            assert_eq!(next_pause(&throttling, "wsp_1#2025-01"), Duration::from_millis(expected));
        }
        assert!(throttling.doublings().is_empty(), "nothing is kept of what is over");
    }

    #[tokio::test(start_paused = true)]
    async fn a_line_of_the_log_passes_every_ten_seconds() {
        let log = Seldom::default();
        let passed: Vec<_> = futures::stream::iter(0..25)
            .then(async |_| {
                tokio::time::sleep(Duration::from_secs(1)).await;
                log.may_tell()
            })
            .collect()
            .await;
        assert_eq!(passed.iter().filter(|passed| **passed).count(), 3, "{passed:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn pages_that_are_throttled_together_make_the_pause_longer_once() {
        let (throttling, error) = (Throttling::default(), refused("ThrottlingException"));
        futures::future::join_all((0..5).map(|_| throttling.pause("wsp_1#2025-01", &error))).await;
        assert_eq!(next_pause(&throttling, "wsp_1#2025-01"), FIRST_PAUSE * 2);
    }
}
