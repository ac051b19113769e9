//! Logs in JSON, one object a line, for CloudWatch. `docs/logging.md` lists fields, levels and what is never logged.

use tracing_subscriber::EnvFilter;

/// Starts logging to standard output. `RUST_LOG` sets the filter, `info` by default.
///
/// Call it once, at the start of `main`.
///
/// # Panics
///
/// Logging was started before.
pub fn init() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    // CloudWatch adds the time to each line.
    tracing_subscriber::fmt().json().flatten_event(true).without_time().with_env_filter(filter).init();
}
