//! When a worker stops reading, so that another one goes on.

use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::time::Instant;

use crate::Worker;

/// How long before its end a worker stops reading. It has to finish the part in flight, save the tail and a checkpoint, and
/// send a message: seconds, unless AWS is slow.
const HANDOVER_MARGIN: Duration = Duration::from_mins(1);

/// How long before its end a worker that has read nothing, because DynamoDB throttles it, gives up. It has nothing to save.
const GIVE_UP_MARGIN: Duration = Duration::from_secs(30);

/// How long a worker waits for its first page at least, if it began too late.
const FIRST_PAGE: Duration = Duration::from_secs(10);

/// When a worker stops reading.
#[derive(Debug, Clone, Copy)]
pub struct Handover {
    /// If it has read something.
    pub at: Instant,
    /// If it has not: a worker that begins too late reads one page nevertheless, otherwise the export would never end.
    pub without_a_page: Instant,
}

impl Handover {
    /// That of a worker that ends at `deadline`.
    pub fn before(deadline: DateTime<Utc>, worker: &Worker) -> Self {
        let left = (deadline - (worker.clock)()).to_std().unwrap_or_default();
        let at = Instant::now() + left.saturating_sub(HANDOVER_MARGIN);
        Self { at, without_a_page: Instant::now() + left.saturating_sub(GIVE_UP_MARGIN).max(FIRST_PAGE) }
    }
}
