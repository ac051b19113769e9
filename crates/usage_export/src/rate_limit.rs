//! How many requests an API key may make, so that one noisy program does not take what all callers share.
//! `docs/adr/0032-a-key-has-a-number-of-requests.md` says why it is done like this.
//!
//! Each execution environment of a function counts in memory, window by window. Only a key that makes many requests is counted
//! in the table too, once for each share of its limit; so who asks now and then costs no write, and whoever asks from many
//! connections at once is found all the same.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::ReturnValue;
use chrono::{DateTime, Utc};

use crate::dynamo::{number, text};
use crate::error::AwsError;
use crate::problem::{Problem, refusal};

/// How long a window is. A key may make its requests at the end of one and at the beginning of the next, no faster.
pub const WINDOW_SECONDS: i64 = 10;

/// An execution environment tells the table after this part of the limit: the fewer requests it keeps to itself, the closer many
/// environments together keep to the limit, and the more writes a busy key costs.
const SHARES: u32 = 50;

/// How long after its window a count can be deleted.
const KEPT_SECONDS: i64 = 3600;

/// Counts the requests of API keys, and refuses those above the limit.
#[derive(Debug)]
pub struct RateLimit {
    client: Client,
    table: String,
    /// Requests of one key in one window.
    limit: u32,
    window: Mutex<Window>,
}

/// What one execution environment knows of the present window. The counts of former ones are forgotten, so memory is bounded by
/// the requests of a window.
#[derive(Debug, Default)]
struct Window {
    number: i64,
    /// By the SHA-256 of the key.
    counts: HashMap<String, Count>,
}

/// The requests of a key.
#[derive(Debug, Default, Clone, Copy)]
struct Count {
    /// Answered here, and not told to the table yet.
    untold: u32,
    /// What the table had when it was told last, from every execution environment.
    told: u32,
}

impl RateLimit {
    /// Counts in this table, that of the exports. It makes no call.
    pub fn new(client: Client, table: String, limit: u32) -> Self {
        Self { client, table, limit, window: Mutex::default() }
    }

    /// Counts one request of the API key whose secret has this SHA-256.
    ///
    /// A table that cannot be written refuses nobody: the limit protects callers from each other, and is no reason to fail them.
    ///
    /// # Errors
    ///
    /// 429 with the seconds until the next window, if the key has made more requests than it may.
    pub async fn take(&self, key_sha256: &str, now: DateTime<Utc>) -> Result<(), Problem> {
        let window = now.timestamp().div_euclid(WINDOW_SECONDS);
        let untold = {
            let mut counts = self.counts(window);
            let count = counts.counts.entry(key_sha256.to_owned()).or_default();
            if count.told + count.untold >= self.limit {
                return Err(self.refusal(now));
            }
            count.untold += 1;
            if count.untold < self.limit.div_ceil(SHARES) {
                return Ok(());
            }
            std::mem::take(&mut count.untold)
        };
        match self.tell(key_sha256, window, untold).await {
            Ok(told) => {
                let mut counts = self.counts(window);
                // The next window may have begun meanwhile, or a later answer may have come first.
                if counts.number == window {
                    let count = counts.counts.entry(key_sha256.to_owned()).or_default();
                    count.told = count.told.max(told);
                }
                drop(counts);
                if told > self.limit { Err(self.refusal(now)) } else { Ok(()) }
            }
            Err(error) => {
                tracing::warn!(%error, "requests of an API key were not counted: {error}");
                Ok(())
            }
        }
    }

    /// The counts of this window, which are empty when it has just begun, or of a later one that has begun meanwhile.
    fn counts(&self, window: i64) -> MutexGuard<'_, Window> {
        let mut counts = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.number < window {
            *counts = Window { number: window, counts: HashMap::new() };
        }
        counts
    }

    /// Adds requests to the table's count of the window, and returns it.
    async fn tell(&self, key_sha256: &str, window: i64, requests: u32) -> Result<u32, AwsError> {
        let output = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("data_export_id", text(format!("RATE#{key_sha256}#{window}")))
            .update_expression("SET #ttl = :ttl ADD requests :requests")
            .expression_attribute_names("#ttl", "ttl")
            .expression_attribute_values(":ttl", number((window + 1) * WINDOW_SECONDS + KEPT_SECONDS))
            .expression_attribute_values(":requests", number(requests))
            .return_values(ReturnValue::UpdatedNew)
            .send()
            .await
            .map_err(AwsError::from_sdk("dynamodb:UpdateItem"))?;
        let told =
            output.attributes.as_ref().and_then(|item| item.get("requests")?.as_n().ok()?.parse().ok());
        told.ok_or_else(|| AwsError::corrupt("a count of requests", "no number"))
    }

    fn refusal(&self, now: DateTime<Utc>) -> Problem {
        let limit = self.limit;
        let left = WINDOW_SECONDS - now.timestamp().rem_euclid(WINDOW_SECONDS);
        refusal::too_many_requests(limit, WINDOW_SECONDS, left)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use aws_sdk_dynamodb::operation::update_item::{UpdateItemError, UpdateItemOutput};
    use aws_sdk_dynamodb::types::error::InternalServerError;
    use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};
    use chrono::TimeDelta;

    use super::*;

    const LIMIT: u32 = 500;
    const SHARE: u32 = LIMIT / SHARES;

    /// The third second of a window.
    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_763_900_003, 0).unwrap()
    }

    /// A table that adds, whichever the key.
    fn table() -> Rule {
        let total = Arc::new(Mutex::new(0));
        mock!(Client::update_item).then_compute_output(move |request| {
            let values = request.expression_attribute_values().unwrap();
            let requests: u32 = values[":requests"].as_n().unwrap().parse().unwrap();
            let mut total = total.lock().unwrap();
            *total += requests;
            UpdateItemOutput::builder().attributes("requests", number(*total)).build()
        })
    }

    fn environment(table: &Rule) -> RateLimit {
        let client = mock_client!(aws_sdk_dynamodb, RuleMode::MatchAny, [table]);
        RateLimit::new(client, "exports".to_owned(), LIMIT)
    }

    /// How many of so many requests are answered.
    async fn answered(limit: &RateLimit, key: &str, requests: u32, now: DateTime<Utc>) -> u32 {
        let mut answered = 0;
        for _ in 0..requests {
            answered += u32::from(limit.take(key, now).await.is_ok());
        }
        answered
    }

    #[tokio::test]
    async fn a_key_that_asks_now_and_then_costs_no_write() {
        let table = table();
        let limit = environment(&table);
        for window in 0..50 {
            let now = now() + TimeDelta::seconds(window * WINDOW_SECONDS);
            assert_eq!(answered(&limit, "a", SHARE - 1, now).await, SHARE - 1);
        }
        assert_eq!(table.num_calls(), 0);
    }

    #[tokio::test]
    async fn a_noisy_key_gets_its_limit_and_no_other_key_notices() {
        let table = table();
        let limit = environment(&table);
        assert_eq!(answered(&limit, "a", 3 * LIMIT, now()).await, LIMIT);
        assert_eq!(table.num_calls(), SHARES as usize, "what is refused costs no write");
        let refused = limit.take("a", now()).await.unwrap_err();
        assert_eq!((refused.status.as_u16(), refused.retry_after), (429, Some(7)));
        assert_eq!(answered(&limit, "b", SHARE - 1, now()).await, SHARE - 1);
        assert_eq!(limit.take("a", now() + TimeDelta::seconds(6)).await.unwrap_err().retry_after, Some(1));
        assert!(limit.take("a", now() + TimeDelta::seconds(7)).await.is_ok(), "the next window");
    }

    #[tokio::test]
    async fn many_execution_environments_count_together() {
        let table = table();
        let mut total = 0;
        for environment in [(); 8].map(|()| environment(&table)) {
            total += answered(&environment, "a", LIMIT, now()).await;
        }
        assert!((LIMIT..LIMIT + 8 * SHARE).contains(&total), "{total}");
    }

    #[tokio::test]
    async fn an_answer_of_the_last_window_leaves_the_present_one_alone() {
        let limit = environment(&table());
        assert_eq!(answered(&limit, "a", SHARE - 1, now()).await, SHARE - 1);
        let next = now() + TimeDelta::seconds(WINDOW_SECONDS);
        assert_eq!(answered(&limit, "a", SHARE - 1, next).await, SHARE - 1);
        // A request that began in the last window, and that the table is told of now.
        assert!(limit.take("a", now()).await.is_ok());
        let number = next.timestamp().div_euclid(WINDOW_SECONDS);
        assert_eq!(limit.counts(number).number, number);
        assert_eq!(limit.counts(number).counts.len(), 1, "the counts of the present window are kept");
    }

    #[tokio::test]
    async fn a_table_that_cannot_be_written_refuses_nobody() {
        let broken = mock!(Client::update_item)
            .then_error(|| UpdateItemError::InternalServerError(InternalServerError::builder().build()));
        assert_eq!(answered(&environment(&broken), "a", LIMIT, now()).await, LIMIT);
    }
}
