//! API keys, and sessions, which are API keys with a short life.

use chrono::{DateTime, Utc};
use serde::Deserialize;

use crate::timestamp;

/// An API key, without its secret.
#[derive(Debug, Clone, Deserialize)]
pub struct ApiKey {
    /// Whom it may act as.
    pub kind: KeyKind,
    /// The organization whose data it opens.
    pub organization_id: String,
    /// The owner of a personal key.
    #[serde(default)]
    pub user_id: Option<String>,
    /// From then on it is worth nothing.
    #[serde(default, with = "timestamp::serde_text_option")]
    pub expires_ts: Option<DateTime<Utc>>,
    /// Set once it was revoked.
    #[serde(default, with = "timestamp::serde_text_option")]
    pub revoked_ts: Option<DateTime<Utc>>,
    /// Of a session: the SHA-256 of the API key that it was started with.
    #[serde(default)]
    pub made_with: Option<String>,
}

impl ApiKey {
    /// Whether it opens anything at `now`.
    pub fn is_valid(&self, now: DateTime<Utc>) -> bool {
        self.revoked_ts.is_none() && self.expires_ts.is_none_or(|expires_ts| now < expires_ts)
    }
}

/// Whom a key may act as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyKind {
    /// Only its owner.
    Personal,
    /// Any member of the organization.
    Organization,
}
