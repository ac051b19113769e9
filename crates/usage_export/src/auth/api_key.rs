//! API keys, and sessions, which are API keys with a short life.

use chrono::{DateTime, Utc};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::directory::Directory;
use crate::error::AwsError;
use crate::timestamp;

/// In front of the SHA-256 of an API key.
const KEY_PREFIX: &str = "KEY#";

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
    pub api_key_sha256: Option<String>,
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

impl Directory {
    /// The API key with this secret. Only its SHA-256 leaves this function.
    pub async fn api_key(&self, secret: &str) -> Result<Option<ApiKey>, AwsError> {
        self.api_key_by_sha256(&sha256(secret)).await
    }

    /// The API key whose secret has this SHA-256, in hex.
    pub async fn api_key_by_sha256(&self, sha256: &str) -> Result<Option<ApiKey>, AwsError> {
        self.get(format!("{KEY_PREFIX}{sha256}"), "KEY".to_owned()).await
    }
}

/// SHA-256 in hex: the form in which secrets are stored.
pub(super) fn sha256(secret: &str) -> String {
    hex::encode(Sha256::digest(secret))
}
