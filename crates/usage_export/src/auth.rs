//! Who sends a request, and whether they may export.
//!
//! There are two steps, because the caller's user id is inside the request: [`authenticate`] finds the API key before the
//! request is parsed, [`authorize`] makes sure afterwards that the key may act for that user and that the user may export.
//! The settings page has a session instead of a key: [`resume_session`] does both steps.

use http::{HeaderMap, header};

use crate::directory::{Directory, ENTERPRISE_TIER, Role};
use crate::problem::{RequestError, refusal};
use crate::rate_limit::RateLimit;

pub mod api_key;
pub mod attempt;
mod caller;
pub mod session;

use api_key::{ApiKey, KeyKind, sha256};
use attempt::Attempt;
pub use caller::Caller;

/// The longest secret that is hashed and looked up, in bytes. Ours have 47.
const MAX_SECRET_BYTES: usize = 512;

/// Finds the API key in `Authorization: Bearer …` and makes sure that it is valid now.
///
/// # Errors
///
/// 401 without a key, and for a key that is unknown, expired or revoked; the answer does not tell which of the three. 429 for a
/// key that makes too many requests. An internal error if the directory cannot be read.
pub async fn authenticate(
    directory: &Directory,
    rate_limit: &RateLimit,
    headers: &HeaderMap,
    attempt: &Attempt,
) -> Result<ApiKey, RequestError> {
    let Some(secret) = bearer(headers) else {
        return Err(refusal::no_key().into());
    };
    authenticate_secret(directory, rate_limit, secret, attempt).await
}

/// Finds the API key with this secret and makes sure that it is valid now.
///
/// # Errors
///
/// 401 for a key that is unknown, expired or revoked, 429 for one that makes too many requests. An internal error if the
/// directory cannot be read.
pub async fn authenticate_secret(
    directory: &Directory,
    rate_limit: &RateLimit,
    secret: &str,
    attempt: &Attempt,
) -> Result<ApiKey, RequestError> {
    let key = if secret.len() <= MAX_SECRET_BYTES { directory.api_key(secret).await? } else { None };
    let key = key.ok_or_else(refusal::invalid_key)?;
    let sha256 = sha256(secret);
    attempt.has_key(&key, &sha256);
    // Only of a key that there is: guessing one would fill the counts with others. Also of one that is not valid any more, because
    // each of its refusals is an event.
    rate_limit.take(&sha256, attempt.now).await?;
    if key.is_valid(attempt.now) { Ok(key) } else { Err(refusal::invalid_key().into()) }
}

/// Finds the caller of a session. `None` if the session, or the API key that it was started with, is no longer valid.
///
/// # Errors
///
/// As for [`authorize`]: what the caller may do is looked up for each request. 429 if too many requests are made with the API key,
/// in its sessions or without.
pub async fn resume_session(
    directory: &Directory,
    rate_limit: &RateLimit,
    token: &str,
    attempt: &Attempt,
) -> Result<Option<Caller>, RequestError> {
    if token.is_empty() || token.len() > MAX_SECRET_BYTES {
        return Ok(None);
    }
    let is_valid = |key: &ApiKey| key.is_valid(attempt.now);
    let Some(session) = directory.session(token).await?.filter(is_valid) else {
        return Ok(None);
    };
    let (Some(user_id), Some(api_key_sha256)) = (&session.user_id, &session.api_key_sha256) else {
        return Ok(None);
    };
    attempt.has_key(&session, api_key_sha256);
    if !directory.api_key_by_sha256(api_key_sha256).await?.as_ref().is_some_and(is_valid) {
        return Ok(None);
    }
    rate_limit.take(api_key_sha256, attempt.now).await?;
    authorize(directory, &session, &HeaderMap::new(), user_id, attempt).await.map(Some)
}

/// Makes sure that the key may act for `user_id` and that this user may export.
///
/// # Errors
///
/// 403 if the key may not act for this user, the user is not an administrator, or the organization is on another tier
/// than [`ENTERPRISE_TIER`]. 404 if the key's organization does not exist. An internal error if the directory cannot be
/// read.
pub async fn authorize(
    directory: &Directory,
    key: &ApiKey,
    headers: &HeaderMap,
    user_id: &str,
    attempt: &Attempt,
) -> Result<Caller, RequestError> {
    attempt.acts_for(user_id);
    if headers.get("x-auth-key").is_some_and(|acting_as| acting_as.as_bytes() != user_id.as_bytes()) {
        return Err(refusal::two_users().into());
    }
    if key.kind == KeyKind::Personal && key.user_id.as_deref() != Some(user_id) {
        return Err(refusal::not_the_owner_of_the_key().into());
    }
    let organization_id = &key.organization_id;
    let Some(organization) = directory.organization(organization_id).await? else {
        return Err(refusal::no_organization().into());
    };
    let member = directory.member(organization_id, user_id).await?;
    let Some(member) = member.filter(|member| member.deleted_ts.is_none()) else {
        return Err(refusal::not_a_member().into());
    };
    if member.role != Role::Admin {
        return Err(refusal::not_an_administrator().into());
    }
    if organization.tier != ENTERPRISE_TIER {
        return Err(refusal::other_tier().into());
    }
    Ok(Caller {
        organization_id: organization_id.clone(),
        organization_name: organization.name,
        user_id: user_id.to_owned(),
        email: member.email,
    })
}

/// The token of `Authorization: Bearer <token>`. The scheme's case does not matter:
/// <https://www.rfc-editor.org/rfc/rfc9110#section-11.1>
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_bearer_token_is_read() {
        let token = |value: &str| {
            let headers = HeaderMap::from_iter([(header::AUTHORIZATION, value.parse().unwrap())]);
            bearer(&headers).map(str::to_owned)
        };
        assert_eq!(token("Bearer uex_1").as_deref(), Some("uex_1"));
        assert_eq!(token("bearer  uex_1 ").as_deref(), Some("uex_1"));
        for other in ["uex_1", "Bearer", "Bearer ", "Basic dXNlcg=="] {
            assert_eq!(token(other), None, "{other}");
        }
        assert_eq!(bearer(&HeaderMap::new()), None);
    }
}
