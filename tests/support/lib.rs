//! What the tests share: the system, an organization for each test, verbs for what callers do, the oracle.

#![expect(clippy::unwrap_used, reason = "a panic is how a test reports")]
#![expect(missing_docs, reason = "the helpers are verbs and the data is plain: most need no words")]

pub mod api;
pub mod export;
pub mod files;
pub mod oracle;
pub mod org;
pub mod outbox;
pub mod page;
pub mod records;
pub mod runs;
pub mod system;

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, Runtime};

use org::TestOrg;

/// One for all tests, so that they share connections.
static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| Builder::new_multi_thread().enable_all().build().unwrap());

/// How often a test looks whether something has happened.
pub const LOOK_EVERY: Duration = Duration::from_millis(120);

/// How long a test waits for it. Tests share two or more cores, so it is generous.
pub const PATIENCE: Duration = Duration::from_secs(90);

/// Runs a test on the threads that all tests share.
pub fn run(test: impl Future<Output = ()>) {
    RUNTIME.block_on(test);
}

/// Runs a test with an organization of its own, then makes sure that none of its exports is left unfinished.
pub fn with_org(test: impl AsyncFnOnce(TestOrg)) {
    run(async {
        let org = TestOrg::create().await;
        let exports = org.exports();
        test(org).await;
        exports.assert_finished().await;
    });
}

/// Looks again and again until there is something.
pub async fn wait_for<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let began = Instant::now();
    while began.elapsed() < PATIENCE {
        if let Some(seen) = look().await {
            return seen;
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    panic!("waited {PATIENCE:?} for {what}");
}

/// A random id that no other test has.
pub fn random_id(kind: &str) -> String {
    format!("{kind}_{}", hex::encode(fastrand::u64(..).to_be_bytes()))
}
