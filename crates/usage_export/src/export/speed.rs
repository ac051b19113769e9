//! How fast an export gets on.

use chrono::{DateTime, Utc};

/// How fast an export gets on, as far as that is known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Speed {
    /// Rows that were written per second lately.
    pub rows_per_second: Option<u64>,
    /// When the export will be finished.
    pub estimated_finish_ts: Option<DateTime<Utc>>,
}
