//! Asking for exports as a careful program does: with an `Idempotency-Key`, again after an answer that says to.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::StreamExt;
use futures::stream;
use integration_tests::api::Call;
use integration_tests::random_id;
use serde_json::Value;

use super::{SeededOrg, World};

/// Before a request is sent again.
const PAUSE: Duration = Duration::from_millis(500);
/// Requests at a time. Those that wait for a slot of their organization count too.
const CONCURRENT_REQUESTS: usize = 64;

/// An export that the API has accepted.
#[derive(Clone)]
pub struct Posted {
    /// Its id.
    pub id: String,
    /// Whose it is.
    pub org: Arc<SeededOrg>,
    /// The body of the request.
    pub request: Value,
    /// When the request was sent that was accepted.
    pub at: Instant,
}

/// Sends the requests at the same time. A request that is not accepted in `limits.end` is left out, and counts as missing.
pub async fn post(world: &World, requests: Vec<(Arc<SeededOrg>, Value)>) -> Vec<Posted> {
    let limit = world.limits.end;
    let sent = stream::iter(requests).map(|(org, request)| post_one(org, request, limit));
    let posted: Vec<_> = sent.buffer_unordered(CONCURRENT_REQUESTS).collect().await;
    posted.into_iter().flatten().collect()
}

async fn post_one(org: Arc<SeededOrg>, request: Value, limit: Duration) -> Option<Posted> {
    let key = random_id("key");
    let began = Instant::now();
    while began.elapsed() < limit {
        let at = Instant::now();
        let answer = Call::export(&org.org.caller, &request).with_idempotency_key(&key).send().await;
        match answer.status {
            200 => {
                let id = answer.json()["data_export_id"].as_str()?.to_owned();
                return Some(Posted { id, org, request, at });
            }
            // No slot is free, or something failed on the way.
            429 | 500.. => tokio::time::sleep(PAUSE).await,
            _ => panic!("the request {request} is refused: {answer:?}"),
        }
    }
    None
}
