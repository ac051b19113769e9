//! Tests of the deployed system. They talk to the API, and look into the tables, the bucket, the queue and the outbox
//! of an emulator.
//!
//! `cargo xtask test` brings the system up and runs them. Each test makes an organization of its own, so they run side
//! by side. What a file must hold is computed by [`integration_tests::oracle`], which shares no code with the product.

#![expect(clippy::unwrap_used, reason = "a panic is how a test reports")]

mod access;
mod continuation;
mod dates;
mod download;
mod email;
mod export_data;
mod export_data_errors;
mod export_status;
mod fields;
mod fuzz;
mod history;
mod idempotency;
mod limit;
mod redelivery;
mod scope;
mod settings_page;
