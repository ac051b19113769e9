//! Logs in JSON, one object a line, for CloudWatch. `docs/logging.md` lists fields, levels and what is never logged.

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// Starts logging to standard output. `RUST_LOG` sets the filter, such as `warn` or `info,export_worker=debug`; it is `info` by
/// default, and if `RUST_LOG` cannot be read.
///
/// Call it once, at the start of `main`.
///
/// # Panics
///
/// Logging was started before.
pub fn init() {
    let by_default = || Targets::new().with_default(LevelFilter::INFO);
    let filter = std::env::var("RUST_LOG").ok().and_then(|text| text.parse().ok()).unwrap_or_else(by_default);
    // CloudWatch adds the time to each line.
    let lines = tracing_subscriber::fmt::layer().json().flatten_event(true).without_time();
    tracing_subscriber::registry().with(lines).with(filter).init();
}
