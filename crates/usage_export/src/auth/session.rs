//! Sessions of people on the settings page: a random token in a cookie, its SHA-256 in the directory.
//!
//! A session is stored as a personal API key with a short life, so the same code reads it and decides what it may do. It
//! is started with an API key and ends with that key. `docs/adr/0010-a-session-is-a-short-api-key.md` says why.

use std::fmt;

use chrono::{DateTime, TimeDelta, Utc};

use super::api_key::{ApiKey, random_text, sha256};
use super::caller::Caller;
use crate::directory::Directory;
use crate::dynamo::{condition_failed, number, text};
use crate::error::AwsError;
use crate::timestamp;

/// Prefix of the partition key of a session; the SHA-256 of its token follows. It differs from the prefix of API keys, so
/// the settings page's role may write sessions and no API key, and a token is not accepted as an API key.
const SESSION_PREFIX: &str = "SESSION#";

/// How long a session lasts at most: a working day.
pub const SESSION_LIFE: TimeDelta = TimeDelta::hours(12);

/// The secret of a session, for the cookie. `Debug` does not show it.
pub struct SessionToken(String);

impl SessionToken {
    /// 32 bytes from the operating system's random generator, in base64url.
    fn random() -> Result<Self, AwsError> {
        Ok(Self(random_text()?))
    }

    /// The token's text, for the cookie and for nothing else.
    pub fn secret(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SessionToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SessionToken(…)")
    }
}

impl Directory {
    /// Starts a session for a caller who has sent `key` with its secret. The session ends after [`SESSION_LIFE`], or when
    /// the key expires or is revoked.
    ///
    /// # Errors
    ///
    /// The session cannot be written, or there are no random bytes.
    pub async fn start_session(
        &self,
        caller: &Caller,
        key_secret: &str,
        key: &ApiKey,
        now: DateTime<Utc>,
    ) -> Result<SessionToken, AwsError> {
        let token = SessionToken::random()?;
        let expires_ts = key.expires_ts.unwrap_or(DateTime::<Utc>::MAX_UTC).min(now + SESSION_LIFE);
        self.client
            .put_item()
            .table_name(&self.table)
            .item("PK", text(format!("{SESSION_PREFIX}{}", sha256(token.secret()))))
            .item("SK", text("KEY"))
            .item("kind", text("personal"))
            .item("organization_id", text(&caller.organization_id))
            .item("user_id", text(&caller.user_id))
            .item("api_key_sha256", text(sha256(key_secret)))
            .item("expires_ts", text(timestamp::to_text(expires_ts)))
            .item("ttl", number(expires_ts.timestamp()))
            .condition_expression("attribute_not_exists(PK)")
            .send()
            .await
            .map_err(AwsError::from_sdk("dynamodb:PutItem"))?;
        Ok(token)
    }

    /// Reads the session with this token, as [`Directory::start_session`] wrote it. `None` if there is no such session.
    ///
    /// # Errors
    ///
    /// The read failed, or the record cannot be read.
    pub async fn session(&self, token: &str) -> Result<Option<ApiKey>, AwsError> {
        self.get(format!("{SESSION_PREFIX}{}", sha256(token)), "KEY".to_owned()).await
    }

    /// Ends the session with this token. A token without a session is no error.
    ///
    /// # Errors
    ///
    /// The session cannot be written: it may still be valid.
    pub async fn end_session(&self, token: &str, now: DateTime<Utc>) -> Result<(), AwsError> {
        let ended = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("PK", text(format!("{SESSION_PREFIX}{}", sha256(token))))
            .key("SK", text("KEY"))
            .update_expression("SET revoked_ts = :now")
            .condition_expression("attribute_exists(PK)")
            .expression_attribute_values(":now", text(timestamp::to_text(now)))
            .send()
            .await;
        match ended {
            Err(error) if condition_failed(&error) => Ok(()),
            Err(error) => Err(AwsError::from_sdk("dynamodb:UpdateItem")(error)),
            Ok(_) => Ok(()),
        }
    }
}
