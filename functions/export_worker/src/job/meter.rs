//! Measures what a worker uses for an export.

use std::time::Instant;

use usage_export::export::Cost;

use crate::sink::request_count::RequestCount;

/// What a worker uses from the beginning of its work on an export.
#[derive(Debug)]
pub struct Meter {
    began: Instant,
    requests: RequestCount,
    requests_before: u64,
}

impl Meter {
    /// Begins to measure. The worker works on nothing else meanwhile.
    pub fn begin(requests: &RequestCount) -> Self {
        Self { began: Instant::now(), requests: requests.clone(), requests_before: requests.so_far() }
    }

    /// What was used so far.
    pub fn cost(&self) -> Cost {
        Cost {
            s3_requests: self.requests.so_far() - self.requests_before,
            worker_ms: u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX),
        }
    }
}
