//! API keys: who a request comes from. A session is stored as one with a short life; see [`super::session`].

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::directory::Directory;
use crate::error::AwsError;
use crate::timestamp;

/// Prefix of the partition key of an API key; the SHA-256 of its secret follows.
pub const KEY_PREFIX: &str = "KEY#";

/// The record of an API key or of a session. The secret is not in it: only its SHA-256 is stored, as the record's key.
#[derive(Debug, Clone, Deserialize)]
pub struct ApiKey {
    /// Which users a request with this key may act for.
    pub kind: KeyKind,
    /// The only organization whose data the key gives access to.
    pub organization_id: String,
    /// The user to whom a personal key belongs; absent for an organization's key.
    #[serde(default)]
    pub user_id: Option<String>,
    /// The instant from which the key is no longer valid; absent if it does not expire.
    #[serde(default, with = "timestamp::serde_text_option")]
    pub expires_ts: Option<DateTime<Utc>>,
    /// When the key was revoked, or the session ended; absent while neither has happened.
    #[serde(default, with = "timestamp::serde_text_option")]
    pub revoked_ts: Option<DateTime<Utc>>,
    /// For a session: the SHA-256, in hex, of the API key that it was started with.
    #[serde(default)]
    pub api_key_sha256: Option<String>,
}

impl ApiKey {
    /// Whether a request at `now` may use the key: it is neither revoked nor expired.
    ///
    /// ```
    /// use chrono::{DateTime, TimeDelta};
    /// use usage_export::auth::api_key::{ApiKey, KeyKind};
    /// let now = DateTime::from_timestamp(1_738_315_800, 0).unwrap();
    /// let mut key = ApiKey {
    ///     kind: KeyKind::Organization,
    ///     organization_id: "org_1".to_owned(),
    ///     user_id: None,
    ///     expires_ts: Some(now),
    ///     revoked_ts: None,
    ///     api_key_sha256: None,
    /// };
    /// assert!(!key.is_valid(now), "the instant of expiry is too late");
    /// assert!(key.is_valid(now - TimeDelta::milliseconds(1)));
    /// key.revoked_ts = Some(now - TimeDelta::hours(1));
    /// assert!(!key.is_valid(now - TimeDelta::milliseconds(1)));
    /// ```
    pub fn is_valid(&self, now: DateTime<Utc>) -> bool {
        self.revoked_ts.is_none() && self.expires_ts.is_none_or(|expires_ts| now < expires_ts)
    }
}

/// Which users a request with a key may act for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyKind {
    /// Only the user to whom the key belongs.
    Personal,
    /// Any member of the key's organization; the request says which.
    Organization,
}

impl Directory {
    /// Reads the API key with this secret. Only the secret's SHA-256 leaves this function. `None` if there is no such key;
    /// a key that is not valid any more is returned as it is.
    ///
    /// # Errors
    ///
    /// The read failed, or the record cannot be read.
    pub async fn api_key(&self, secret: &str) -> Result<Option<ApiKey>, AwsError> {
        self.api_key_by_sha256(&sha256(secret)).await
    }

    /// Reads the API key whose secret has this SHA-256, in hex.
    ///
    /// # Errors
    ///
    /// As for [`Directory::api_key`].
    pub async fn api_key_by_sha256(&self, sha256: &str) -> Result<Option<ApiKey>, AwsError> {
        self.get(format!("{KEY_PREFIX}{sha256}"), "KEY".to_owned()).await
    }
}

/// The SHA-256 of a secret in hex, the form in which secrets are stored.
///
/// ```
/// let sha256 = usage_export::auth::api_key::sha256("uex_example");
/// assert_eq!((sha256.len(), &sha256[..8]), (64, "698b2f02"));
/// ```
pub fn sha256(secret: &str) -> String {
    hex::encode(Sha256::digest(secret))
}

/// The secret of a new API key: `uex_` and 32 bytes from the operating system's random generator, in base64url.
///
/// ```
/// use usage_export::auth::api_key::new_secret;
/// let secret = new_secret()?;
/// assert!(secret.starts_with("uex_") && secret.len() == 47);
/// assert_ne!(secret, new_secret()?);
/// # Ok::<(), usage_export::error::AwsError>(())
/// ```
///
/// # Errors
///
/// The operating system has no random bytes.
pub fn new_secret() -> Result<String, AwsError> {
    Ok(format!("uex_{}", random_text()?))
}

/// 32 random bytes in base64url.
pub(super) fn random_text() -> Result<String, AwsError> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|error| AwsError::internal("random bytes", &error))?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}
