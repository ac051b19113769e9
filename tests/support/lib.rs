//! What the tests share: the system, an organization for each test, functions for what callers do, and the oracle, which
//! computes what a file must contain.

#![expect(clippy::unwrap_used, reason = "a panic is how a test reports")]
#![expect(
    missing_docs,
    reason = "most helpers are named by what they do, and a comment would only repeat it"
)]

pub mod api;
pub mod cargo_lambda;
pub mod export;
pub mod files;
pub mod logs;
pub mod manifest;
pub mod oracle;
pub mod org;
pub mod outbox;
pub mod page;
pub mod records;
pub mod runs;
pub mod system;
pub mod terminal;

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, Runtime};

use org::TestOrg;

/// One runtime for all tests, so that they share connections.
static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| Builder::new_multi_thread().enable_all().build().unwrap());

/// Between two looks at whether something has happened.
pub const POLL_INTERVAL: Duration = Duration::from_millis(120);

/// How long a test waits for something to happen. It is long, because many tests share a few cores.
pub const WAIT_TIMEOUT: Duration = Duration::from_secs(90);

/// Runs a test on the runtime that all tests share.
pub fn run(test: impl Future<Output = ()>) {
    RUNTIME.block_on(test);
}

/// Runs a test with an organization of its own, then waits until all of its exports are finished.
pub fn with_org(test: impl AsyncFnOnce(TestOrg)) {
    run(async {
        let org = TestOrg::create().await;
        let exports = org.exports();
        test(org).await;
        exports.assert_finished().await;
    });
}

/// Calls `look` again and again until it returns something. `what` names it if the time is up.
pub async fn wait_for<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let began = Instant::now();
    while began.elapsed() < WAIT_TIMEOUT {
        if let Some(seen) = look().await {
            return seen;
        }
        tokio::time::sleep(POLL_INTERVAL).await;
    }
    panic!("waited {WAIT_TIMEOUT:?} for {what}");
}

/// A random id such as `org_0123456789abcdef`, which no other test has.
pub fn random_id(kind: &str) -> String {
    format!("{kind}_{}", hex::encode(fastrand::u64(..).to_be_bytes()))
}
