//! What making a file costs, in what AWS asks money for.

use std::ops::{Add, AddAssign};

use serde::{Deserialize, Serialize};

/// What the workers of an export have used, beside the table's read units. A worker that dies takes its figures with it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Cost {
    /// Requests to S3, repeated ones included.
    #[serde(default)]
    pub s3_requests: u64,
    /// Milliseconds for which workers were busy with the export: what Lambda bills, but for their start.
    #[serde(default)]
    pub worker_ms: u64,
}

impl Add for Cost {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            s3_requests: self.s3_requests + other.s3_requests,
            worker_ms: self.worker_ms + other.worker_ms,
        }
    }
}

impl AddAssign for Cost {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}
