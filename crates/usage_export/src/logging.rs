//! JSON logs, one object a line, for CloudWatch.
//!
//! Ids go into messages and fields; an email address, a key or a page of records never does.

use tracing_subscriber::EnvFilter;

/// Starts logging. `RUST_LOG` sets the filter; the default is `info` for everything.
///
/// Call once, first thing in `main`.
pub fn init() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    // CloudWatch stamps each line with its own time.
    tracing_subscriber::fmt().json().flatten_event(true).without_time().with_env_filter(filter).init();
}
