//! Tests of the deployed system. They call the API, and look into the tables, the bucket, the queue and the sent emails
//! of an emulator.
//!
//! `cargo xtask test` brings the system up and runs them. Each test makes an organization of its own, so that tests can
//! run at the same time. What a file must contain is computed by [`integration_tests::oracle`], which shares no code with
//! the product.

#![expect(clippy::unwrap_used, reason = "a panic is how a test reports")]

mod access;
mod api_document;
mod audit;
mod cancel;
mod client;
mod continuation;
mod dates;
mod download;
mod email;
mod emulator;
mod events;
mod export_data;
mod export_data_errors;
mod export_form;
mod export_status;
mod fields;
mod history;
mod idempotency;
mod limit;
mod long_ids;
mod metrics;
mod operations;
mod random_requests;
mod redelivery;
mod saved_exports;
mod scope;
mod settings_page;
