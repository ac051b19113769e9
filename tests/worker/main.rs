//! Tests of the worker that need faults: its library runs in the test's process, against the tables, the bucket and the
//! outbox of the emulator, and the calls that a test picks fail.
//!
//! `cargo xtask test` brings the system up and runs them.

#![expect(clippy::unwrap_used, reason = "a panic is how a test reports")]

mod batch;
mod cancel;
mod checkpoints;
mod failing;
mod faults;
mod handover;
mod job;
mod joining;
mod lease;
mod mail;
mod moments;
mod page_size;
mod preview;
mod progress;
mod read_ahead;
mod reader;
mod reconcile;
mod request;
mod resume;
mod saved_export;
mod segment_claims;
mod segment_moments;
mod segments;
mod sent;
mod share;
mod small;
mod strict;
mod throttling;
mod turn;
mod world;
