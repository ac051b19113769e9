//! The clients and settings that every request handler borrows.

use chrono::{DateTime, Utc};
use usage_export::audit::AuditTrail;
use usage_export::config::{Origin, Sharing};
use usage_export::directory::Directory;
use usage_export::export::download::ExportFiles;
use usage_export::export::store::Exports;
use usage_export::export::submit::Submitter;
use usage_export::rate_limit::RateLimit;
use usage_records::query::UsageRecords;

/// What `main` makes once and every request uses.
pub struct AppState {
    /// Organizations, members, workspaces, API keys and sessions.
    pub directory: Directory,
    /// How many requests an API key may make, in its sessions or without.
    pub rate_limit: RateLimit,
    /// The table of usage records, for previews of what will be exported.
    pub usage_records: UsageRecords,
    /// The exports of every organization.
    pub exports: Exports,
    /// Makes an export of what a form asks for.
    pub submitter: Submitter,
    /// The CSV files, for download.
    pub files: ExportFiles,
    /// Whether administrators may have each other's files.
    pub sharing: Sharing,
    /// The origin at which people open the page.
    pub origin: Origin,
    /// Tells the time: the wall clock in `main`, a fixed instant in tests.
    pub clock: fn() -> DateTime<Utc>,
}

impl AppState {
    /// Where it is recorded who did what.
    pub fn audit_trail(&self) -> &AuditTrail {
        &self.submitter.audit_trail
    }

    /// The current time.
    pub fn now(&self) -> DateTime<Utc> {
        (self.clock)()
    }

    /// Whether people open the page over TLS. Only the local system does without.
    pub fn is_secure(&self) -> bool {
        self.origin.is_https()
    }
}
