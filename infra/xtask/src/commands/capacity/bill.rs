//! What an export uses, and what that costs.

use super::aws::{
    EMAIL, EXECUTION, GB_SECOND, LISTED, MB_PER_VCPU, READ_UNIT, S3_GB_MONTH, S3_READ, S3_WRITE, SQS_REQUEST,
    WRITE_UNIT,
};
use super::money::Money;
use super::product::{
    BUDGET_CHUNK, CHECKPOINT_MS, EXPORT_WRITE, FREE_UNITS, HIDE_FROM_MS, HIDE_MS, IDLE_MS, LIFE_MS, LOOK_MS,
    MAX_UNSAVED_PARTS, PART_CHECKPOINT_MS, READS_OF_EXPORT, RENEWAL_MS, SEGMENT_WRITE, START_AND_END_MS,
    WORKER_MB, WRITES_OF_EXPORT,
};
use super::time::{Limit, Times};
use super::workload::Workload;

/// Bytes of a GB, as Lambda and S3 count.
const GB: u128 = 1024 * 1024 * 1024;

/// Requests of S3, by kind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Requests {
    /// `CreateMultipartUpload`, and as many `CompleteMultipartUpload`.
    pub uploads: u128,
    /// `UploadPart`.
    pub parts: u128,
    /// `UploadPartCopy`.
    pub copies: u128,
    /// `PutObject`: manifests and tails of checkpoints, and the plan.
    pub puts: u128,
    /// `ListParts`, `ListObjectsV2`, `ListMultipartUploads`.
    pub lists: u128,
    /// `GetObject`, and `HeadObject` in the end.
    pub gets: u128,
    /// `DeleteObject`, and `DeleteObjects` in the end.
    pub deletes: u128,
}

/// What an export uses, by what is charged.
#[derive(Debug, Clone)]
pub struct Usage {
    /// Read units of usage records.
    pub units: u128,
    /// Other read units: workers look at the segments, all the time that they read.
    pub other_units: u128,
    /// Write units: leases, checkpoints, segments, the read budget.
    pub write_units: u128,
    /// Milliseconds of all workers.
    pub worker_ms: u128,
    /// How many of these the CPU works, at the share of a vCPU that a worker has. In the others a worker waits, for the table above all.
    pub busy_ms: u128,
    /// Executions of the worker.
    pub executions: u128,
    /// Requests of S3.
    pub s3: Requests,
    /// Bytes that are kept for 30 days.
    pub stored: u128,
    /// Requests of SQS.
    pub messages: u128,
}

impl Usage {
    /// What an export uses that takes this long.
    pub fn new(work: &Workload, times: &Times) -> Self {
        let executions = (times.reading_ms + times.joining_ms).div_ceil(LIFE_MS).max(1)
            + (times.workers - 1) * times.reading_ms.div_ceil(LIFE_MS);
        let idle_ms = (times.workers - 1) * IDLE_MS;
        let worker_ms =
            executions * START_AND_END_MS + times.workers * times.reading_ms + times.joining_ms + idle_ms;
        let checkpoints = Checkpoints::new(times);
        // Each look reads the export and each segment, strongly consistent: a unit each.
        let looks =
            if times.files.segments > 1 { times.workers * times.reading_ms.div_ceil(LOOK_MS) } else { 0 };
        Self {
            units: work.units,
            other_units: looks * (1 + times.files.segments) + READS_OF_EXPORT,
            write_units: write_units(work, times, &checkpoints),
            worker_ms,
            busy_ms: (work.cpu_ms * MB_PER_VCPU).div_ceil(WORKER_MB),
            executions,
            s3: requests(times, &checkpoints, executions),
            stored: work.file,
            // Sent, received and deleted, and hidden again and again.
            messages: 3 * executions + worker_ms.saturating_sub(HIDE_FROM_MS).div_ceil(HIDE_MS),
        }
    }

    /// Seconds of one GB, rounded up.
    pub fn gb_seconds(&self) -> u128 {
        (self.worker_ms * WORKER_MB).div_ceil(1_024 * 1_000)
    }

    /// The lines of the bill.
    pub fn bill(&self) -> [(&'static str, Money); 7] {
        let written = 2 * self.s3.uploads + self.s3.parts + self.s3.copies + self.s3.puts + self.s3.lists;
        [
            ("DynamoDB, reads of usage records", READ_UNIT.times(self.units)),
            ("DynamoDB, other reads", READ_UNIT.times(self.other_units)),
            ("DynamoDB, writes", WRITE_UNIT.times(self.write_units)),
            (
                "Lambda",
                GB_SECOND.share(self.worker_ms * WORKER_MB, 1_024 * 1_000) + EXECUTION.times(self.executions),
            ),
            ("S3, requests", S3_WRITE.times(written) + S3_READ.times(self.s3.gets)),
            ("S3, the file for 30 days", S3_GB_MONTH.share(self.stored, GB)),
            ("SQS and one email", SQS_REQUEST.times(self.messages) + EMAIL),
        ]
    }

    /// The sum of the bill.
    pub fn total(&self) -> Money {
        self.bill().into_iter().map(|(_, money)| money).sum()
    }
}

/// Checkpoints, of the export itself and of its other segments.
struct Checkpoints {
    of_export: u128,
    of_segments: u128,
    /// How many of all were saved by time and not after a part: these have a tail.
    by_time: u128,
}

impl Checkpoints {
    fn new(times: &Times) -> Self {
        if times.files.is_one_request {
            return Self { of_export: 0, of_segments: 0, by_time: 0 };
        }
        let by_time = times.reading_ms / CHECKPOINT_MS;
        let other_lanes = times.lanes - 1;
        let after_parts = |parts: u128, lanes: u128| {
            parts.min((lanes * times.reading_ms / PART_CHECKPOINT_MS).max(parts / MAX_UNSAVED_PARTS))
        };
        let timed_of_export = by_time.saturating_sub(times.files.first_parts);
        let timed_of_segments = (by_time * other_lanes).saturating_sub(times.files.other_parts);
        Self {
            // And when all is read, when files are joined, when they are.
            of_export: after_parts(times.files.first_parts, 1) + timed_of_export + 3,
            of_segments: after_parts(times.files.other_parts, other_lanes)
                + timed_of_segments
                + times.files.segments
                - 1,
            by_time: timed_of_export + timed_of_segments,
        }
    }
}

fn write_units(work: &Workload, times: &Times, checkpoints: &Checkpoints) -> u128 {
    let renewals_of_export = times.total_ms / RENEWAL_MS;
    let renewals_of_segments = (times.lanes - 1) * (times.reading_ms / RENEWAL_MS);
    // Put, claimed and completed; and whatever was split names it.
    let steps_of_segments = 4 * (times.files.segments - 1);
    let chunks = work.units.saturating_sub(FREE_UNITS * times.workers).div_ceil(BUDGET_CHUNK);
    // A worker that waits for the budget is refused once a second, and a refused write is charged, too.
    let refused = if times.limit == Limit::Budget { times.workers * times.reading_ms / 1_000 } else { 0 };
    WRITES_OF_EXPORT
        + EXPORT_WRITE * (renewals_of_export + checkpoints.of_export)
        + SEGMENT_WRITE * (renewals_of_segments + checkpoints.of_segments + steps_of_segments)
        + chunks
        + refused
}

fn requests(times: &Times, checkpoints: &Checkpoints, executions: u128) -> Requests {
    let files = &times.files;
    if files.is_one_request {
        // The file and its manifest, and a comparison.
        return Requests { uploads: 0, parts: 0, copies: 0, puts: 2, lists: 0, gets: 1, deletes: 0 };
    }
    let others = files.segments - 1;
    let saved = checkpoints.of_export + checkpoints.of_segments;
    // The file and the manifest of each segment.
    let left = 2 * files.segments;
    Requests {
        uploads: files.uploads,
        parts: files.first_parts + files.other_parts + files.sent_again,
        copies: files.copies,
        // A manifest each, and a tail of those that were saved by time; the plan.
        puts: saved + checkpoints.by_time + 1,
        // The parts of a file that is joined, what is left, and uploads.
        lists: if others > 0 { files.parts().div_ceil(LISTED) } else { 0 } + left.div_ceil(LISTED) + 1,
        // Manifests of segments, what goes through memory, plan, manifest and tail of whoever goes on, and a comparison.
        gets: others + 2 * files.sent_again + 3 * executions + 1,
        deletes: saved - files.segments + checkpoints.by_time + left.div_ceil(LISTED),
    }
}
