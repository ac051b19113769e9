//! Tests of the settings page in Chromium, used as people use it: they click, type and read.
//!
//! `cargo xtask test` brings the system and a `WebDriver` up and runs them. Each test has an organization and a browser
//! session of its own, so that tests can run at the same time. They leave pictures of the page in `target/screenshots`.

#![expect(clippy::unwrap_used, reason = "a panic is how a test reports")]

mod support;

mod access;
mod accessibility;
mod dates;
mod details;
mod flow;
mod form;
mod harness;
mod history;
mod live;
mod looks;
mod readme;
mod saved;
mod scale;
mod workspaces;
