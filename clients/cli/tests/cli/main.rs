//! The program as people run it, against a server in this process that fails as networks do.
//!
//! `tests/integration/cli.rs` runs it against the deployed system.

#![expect(clippy::unwrap_used, reason = "a panic is how a test reports")]

mod connection;
mod download;
mod generate;
mod output;
mod program;
mod resume;
mod server;
mod start;
mod wait;
mod world;
