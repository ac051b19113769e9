//! What a worker does when DynamoDB throttles it: it asks again, with pauses that grow, for as long as anybody wants the page, and
//! asks less often from then on.
//!
//! Each partition has its own interval, because DynamoDB throttles one partition more often than a table.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_sdk_dynamodb::config::interceptors::InterceptorContext;
use aws_sdk_dynamodb::config::retry::{ClassifyRetry, RetryAction};
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::query::QueryError;
use tokio::time::Instant;
use usage_export::error::AwsError;

use self::spacing::Spacing;

mod spacing;

/// How long after a line of the log the next one may come.
const LOG_INTERVAL: Duration = Duration::from_secs(10);

/// The codes by which DynamoDB says that it is asked for too much.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html>
const CODES: [&str; 3] =
    ["ProvisionedThroughputExceededException", "ThrottlingException", "RequestLimitExceeded"];

/// What a page costs at most, if it is read consistently: 1 MB, of which each 4 KB are a unit.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html>
pub const UNITS_OF_PAGE: u32 = 256;

/// How far apart the first reads of a partition are after it was throttled: pages of 256 units, of which a partition has 3,000 a second.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html>
const INTERVAL_OF_PARTITION: Duration = Duration::from_millis(85);

/// The same with a table, which has more than ten times as much, and other workers read it too.
const INTERVAL_OF_TABLE: Duration = Duration::from_millis(10);

/// What DynamoDB gives no more of in this second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// The partition, or DynamoDB does not say which. More reads of the partition at a time would not be faster.
    Partition,
    /// The table, or the account.
    Table,
}

impl Limit {
    /// The limit by which DynamoDB refused the call, if that is why.
    /// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_ThrottlingReason.html>
    pub(crate) fn of(error: &SdkError<QueryError>) -> Option<Self> {
        let error = error.as_service_error()?;
        let reasons = match error {
            QueryError::ProvisionedThroughputExceededException(error) => error.throttling_reasons(),
            QueryError::RequestLimitExceeded(error) => error.throttling_reasons(),
            QueryError::ThrottlingException(error) => error.throttling_reasons(),
            _ => return error.code().is_some_and(|code| CODES.contains(&code)).then_some(Self::Partition),
        };
        let reasons = reasons.iter().map(|reason| reason.reason().unwrap_or_default());
        let is_of_partition = reasons.clone().any(|reason| reason.contains("KeyRange"));
        Some(if is_of_partition || reasons.count() == 0 { Self::Partition } else { Self::Table })
    }
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

/// What was throttled lately.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Throttled {
    Table,
    /// By its key.
    Partition(String),
}

/// How far apart reads are of what was throttled lately.
#[derive(Debug, Default)]
pub(crate) struct Throttling {
    spacings: Mutex<HashMap<Throttled, Spacing>>,
    log: Seldom,
}

impl Throttling {
    /// Waits until a page of the partition may be read that costs so many units. Returns whether the partition was throttled lately.
    pub(crate) async fn turn(&self, partition_key: &str, units: u32) -> bool {
        let (now, mut turn, mut is_throttled) = (Instant::now(), None, false);
        {
            let mut spacings = self.spacings();
            for throttled in both(partition_key) {
                if let Some(spacing) = spacings.get_mut(&throttled) {
                    turn = turn.max(Some(spacing.turn(part_of_page(units), now)));
                    is_throttled = throttled != Throttled::Table && spacing.is_throttled(now);
                }
            }
        }
        if let Some(turn) = turn {
            tokio::time::sleep_until(turn).await;
        }
        is_throttled
    }

    /// Pauses after a page of the partition was refused by a limit, which had been refused so often before.
    pub(crate) async fn pause(&self, limit: Limit, partition_key: &str, before: u32, error: &AwsError) {
        if self.log.may_tell() {
            tracing::warn!(error = %error, "reads of usage records wait, because they are throttled: {error}");
        }
        let now = Instant::now();
        let (throttled, interval) = match limit {
            Limit::Table => (Throttled::Table, INTERVAL_OF_TABLE),
            Limit::Partition => (Throttled::Partition(partition_key.to_owned()), INTERVAL_OF_PARTITION),
        };
        let pause = {
            let mut spacings = self.spacings();
            let spacing = spacings.entry(throttled.clone()).or_insert_with(|| Spacing::new(interval, now));
            spacing.refused(before, now)
        };
        // Half of it at random, so that those who were throttled together do not come back together.
        tokio::time::sleep(pause.mul_f64(0.5 + 0.5 * fastrand::f64())).await;
        if let Some(spacing) = self.spacings().get_mut(&throttled) {
            spacing.paused(Instant::now());
        }
    }

    /// Brings reads nearer together, because a page of the partition was read that cost so many units.
    pub(crate) fn succeeded(&self, partition_key: &str, units: u32) {
        let mut spacings = self.spacings();
        if spacings.is_empty() {
            return;
        }
        for throttled in both(partition_key) {
            let is_over = |spacing: &mut Spacing| spacing.succeeded(part_of_page(units), Instant::now());
            if spacings.get_mut(&throttled).is_some_and(is_over) {
                spacings.remove(&throttled);
            }
        }
    }

    fn spacings(&self) -> MutexGuard<'_, HashMap<Throttled, Spacing>> {
        self.spacings.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a page of so many units is of a full one.
fn part_of_page(units: u32) -> f64 {
    f64::from(units.clamp(1, UNITS_OF_PAGE)) / f64::from(UNITS_OF_PAGE)
}

/// What a read of the partition takes units of.
fn both(partition_key: &str) -> [Throttled; 2] {
    [Throttled::Table, Throttled::Partition(partition_key.to_owned())]
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::config::http::HttpResponse;
    use aws_sdk_dynamodb::types::ThrottlingReason;
    use aws_sdk_dynamodb::types::error::ProvisionedThroughputExceededException;
    use aws_smithy_types::body::SdkBody;
    use futures::StreamExt;

    use super::*;

    fn refused(reasons: &[&str]) -> Option<Limit> {
        let reason = |reason: &&str| ThrottlingReason::builder().reason(*reason).build();
        let reasons = reasons.iter().map(reason).collect();
        let error =
            ProvisionedThroughputExceededException::builder().set_throttling_reasons(Some(reasons)).build();
        let response = HttpResponse::new(400_u16.try_into().unwrap(), SdkBody::empty());
        Limit::of(&SdkError::service_error(
            QueryError::ProvisionedThroughputExceededException(error),
            response,
        ))
    }

    #[test]
    fn dynamodb_says_by_which_limit_it_refuses() {
        assert_eq!(refused(&[]), Some(Limit::Partition), "it may be");
        assert_eq!(refused(&["TableReadKeyRangeThroughputExceeded"]), Some(Limit::Partition));
        assert_eq!(refused(&["TableReadAccountLimitExceeded"]), Some(Limit::Table));
        assert_eq!(refused(&["TableReadProvisionedThroughputExceeded"]), Some(Limit::Table));
        let both = ["TableReadMaxOnDemandThroughputExceeded", "TableReadKeyRangeThroughputExceeded"];
        assert_eq!(refused(&both), Some(Limit::Partition));
        assert_eq!(Limit::of(&SdkError::timeout_error("no answer")), None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_partition_slows_down_itself_and_the_table_all() {
        let throttling = Throttling::default();
        let error = AwsError::unexpected("page", "refused");
        let waited = async |partition_key: &str| {
            let began = Instant::now();
            let is_throttled = throttling.turn(partition_key, UNITS_OF_PAGE).await;
            (is_throttled, began.elapsed() > Duration::from_millis(5))
        };
        throttling.pause(Limit::Partition, "wsp_1#2025-01", 0, &error).await;
        assert_eq!(waited("wsp_1#2025-01").await, (true, true));
        assert_eq!([waited("wsp_2#2025-01").await, waited("wsp_2#2025-01").await], [(false, false); 2]);
        throttling.pause(Limit::Table, "wsp_1#2025-01", 0, &error).await;
        assert_eq!(waited("wsp_2#2025-01").await, (false, true), "it may be divided");
        for _ in 0..5_000 {
            throttling.succeeded("wsp_1#2025-01", UNITS_OF_PAGE);
        }
        assert!(throttling.spacings().is_empty(), "nothing is kept of what is over");
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
}
