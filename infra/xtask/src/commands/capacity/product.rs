//! What the product does that costs something: its own numbers, with the files that have them.

/// Memory of the worker in MB: `template.yaml`.
pub const WORKER_MB: u128 = 512;
/// `MaxReadUnits`, its default: `template.yaml`.
pub const READ_BUDGET: u128 = 20_000;
/// Units that a worker takes of the budget by one write: `crates/usage_records/src/budget.rs`.
pub const BUDGET_CHUNK: u128 = 2_560;
/// Units that a worker reads before it asks the budget: `crates/usage_records/src/pace.rs`.
pub const FREE_UNITS: u128 = 4_096;
/// Segments that a worker reads at the same time: `functions/export_worker/src/lib.rs`.
pub const LANES: u128 = 6;
/// Pages that a segment has at least, unless it is one of the first split: half of the default of `crates/usage_export/src/config/limits.rs`.
pub const SEGMENT_PAGES: u128 = 8;
/// Full pages of an export, at least, that make it worth a split: two segments of the default of the same file.
pub const SPLIT_FROM_PAGES: u128 = 32;
/// Partitions whose first pages one lane asks for at the same time: `READ_AHEAD` of `crates/usage_export/src/config/tables.rs`.
pub const READ_AHEAD: u128 = 4;
/// How many small pages are read at the same time, and count as a full one: `crates/usage_records/src/read_ahead.rs`,
/// `functions/export_worker/src/job/density.rs`.
pub const SMALL_PAGES: u128 = 64;
/// Records that a small partition has at most: `crates/usage_records/src/query.rs`.
pub const MAX_SMALL_RECORDS: u128 = 50;
/// Segments at most: `crates/usage_export/src/export/store/segments.rs`.
pub const MAX_SEGMENTS: u128 = 10_000;

/// How long a worker reads before it hands over: 15 minutes less one, `functions/export_worker/src/job/handover.rs`.
pub const LIFE_MS: u128 = 840_000;
/// How long an invited worker looks for segments when there are none left: `functions/export_worker/src/job/lanes.rs`.
pub const IDLE_MS: u128 = 5_000;
/// How often a worker looks at the segments: the same file.
pub const LOOK_MS: u128 = 600;
/// How often a lease is renewed, and how often a message is hidden: `functions/export_worker/src/job/heartbeat.rs`.
pub const RENEWAL_MS: u128 = 2_000;
/// The same file.
pub const HIDE_MS: u128 = 30_000;
/// When it is hidden first: the same file.
pub const HIDE_FROM_MS: u128 = 2_000;
/// Time between the checkpoints of two parts at least: `functions/export_worker/src/lib.rs`.
pub const PART_CHECKPOINT_MS: u128 = 1_000;
/// Parts that have no checkpoint, at most: `crates/usage_export/src/export/checkpoint.rs`.
pub const MAX_UNSAVED_PARTS: u128 = 8;
/// Time between two checkpoints at most: `functions/export_worker/src/job/writer.rs`.
pub const CHECKPOINT_MS: u128 = 10_000;

/// Bytes of a MiB.
pub const MIB: u128 = 1024 * 1024;
/// A part of the first segment: `functions/export_worker/src/sink/upload.rs`.
pub const FIRST_PART: u128 = 8 * MIB;
/// A part of another segment: the same file.
pub const SEGMENT_PART: u128 = 5 * MIB;
/// From this many parts on, parts are larger: the same file.
pub const LARGE_PARTS_FROM: u128 = 4_000;
/// The size of those: the same file.
pub const LARGE_PART: u128 = 32 * MIB;
/// The most that is copied as one part: `functions/export_worker/src/sink/join.rs`.
pub const MAX_COPY: u128 = 512 * MIB;
/// Parts that are copied at the same time: the same file.
pub const COPIES_IN_FLIGHT: u128 = 16;

/// Start of a worker, claim, directory, plan, completion and email, in milliseconds: an assumption.
pub const START_AND_END_MS: u128 = 1_500;
/// Write units of one update of an export: an item of up to 3 KB, the same in two indexes with all attributes, and two writes of
/// a key in the third (`template.yaml`). The size is an assumption.
pub const EXPORT_WRITE: u128 = 11;
/// Write units of one update of a segment: up to 2 KB. The size is an assumption.
pub const SEGMENT_WRITE: u128 = 2;
/// Write units of an export from its creation to its end, without renewals and checkpoints: some ten updates.
pub const WRITES_OF_EXPORT: u128 = 120;
/// Read units of the same, with directory and status: an assumption.
pub const READS_OF_EXPORT: u128 = 100;
