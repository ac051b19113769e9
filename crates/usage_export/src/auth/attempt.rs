//! A request, and who turned out to make it.

use std::sync::OnceLock;

use chrono::{DateTime, Utc};
use http::{HeaderMap, Method, StatusCode, header};

use super::api_key::ApiKey;
use super::caller::Caller;
use crate::audit::AuditTrail;
use crate::audit::event::{Details, Event, EventType, Via, bounded};
use crate::id::new_id;
use crate::problem::Problem;

/// How much of the SHA-256 of a key's secret is recorded, in hexadecimal digits: enough to find the key with `cargo xtask key
/// list`, and of no use to anybody else.
const KEY_DIGITS: usize = 16;

/// One request. Who makes it becomes known while it is answered.
#[derive(Debug)]
pub struct Attempt {
    /// When it came.
    pub now: DateTime<Utc>,
    via: Via,
    /// Method and path, without the parameters.
    action: String,
    source_ip: Option<String>,
    user_agent: Option<String>,
    key: OnceLock<Key>,
    /// The user for whom it acts.
    acts_for: OnceLock<String>,
}

/// Whose key or session came with a request.
#[derive(Debug)]
struct Key {
    organization_id: String,
    owner: Option<String>,
    sha256: String,
}

impl Attempt {
    /// A request that came at `now`, from the address that the gateway saw.
    pub fn new(
        via: Via,
        method: &Method,
        path: &str,
        headers: &HeaderMap,
        source_ip: Option<&str>,
        now: DateTime<Utc>,
    ) -> Self {
        let user_agent = headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok()).map(bounded);
        Self {
            now,
            via,
            action: bounded(&format!("{method} {path}")),
            source_ip: source_ip.map(bounded),
            user_agent,
            key: OnceLock::new(),
            acts_for: OnceLock::new(),
        }
    }

    /// Tells whose key came with the request, valid or not. `sha256` is that of the secret; for a session, of the key that it was
    /// started with.
    pub fn has_key(&self, key: &ApiKey, sha256: &str) {
        let (organization_id, owner) = (key.organization_id.clone(), key.user_id.clone());
        let sha256 = sha256.get(..KEY_DIGITS).unwrap_or_default().to_owned();
        let _ = self.key.set(Key { organization_id, owner, sha256 });
    }

    /// Tells for which user the request wants to act.
    pub fn acts_for(&self, user_id: &str) {
        let _ = self.acts_for.set(user_id.to_owned());
    }

    /// An event of this request, which the caller was allowed.
    pub fn event(&self, caller: &Caller, event_type: EventType) -> Event {
        self.event_of(&caller.organization_id, Some(&caller.user_id), event_type)
    }

    /// Records why it was refused, if that says something about access: with a key or a session that is known, a 401, 403 or 404.
    ///
    /// A table that cannot be written changes no refusal.
    pub async fn record_refusal(&self, audit_trail: &AuditTrail, problem: &Problem) {
        const ABOUT_ACCESS: [StatusCode; 3] =
            [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN, StatusCode::NOT_FOUND];
        if ABOUT_ACCESS.contains(&problem.status)
            && let Some(event) = self.refused(problem)
            && let Err(error) = audit_trail.record(&event).await
        {
            tracing::error!(%error, "a refusal is missing in the audit trail: {error}");
        }
    }

    /// The event of its refusal: of the user to whom the key belongs or, with an organization's key, for whom it wants to act.
    /// `None` if nobody knows whose key or session it has.
    fn refused(&self, problem: &Problem) -> Option<Event> {
        let key = self.key.get()?;
        let acts_for = self.acts_for.get();
        let owner = key.owner.as_ref();
        let mut event = self.event_of(&key.organization_id, owner.or(acts_for), EventType::RequestRefused);
        let details = &mut event.details;
        details.acts_for = acts_for.filter(|user_id| owner.is_some_and(|owner| owner != *user_id)).cloned();
        details.status = Some(problem.status.as_u16());
        details.reason = Some(bounded(&problem.detail));
        Some(event)
    }

    fn event_of(&self, organization_id: &str, user_id: Option<&String>, event_type: EventType) -> Event {
        Event {
            organization_id: organization_id.to_owned(),
            log_id: new_id(self.now),
            timestamp: self.now,
            event_type,
            user_id: user_id.cloned(),
            source_ip: self.source_ip.clone(),
            data_export_id: None,
            details: Details {
                via: self.via,
                action: self.action.clone(),
                key: self.key.get().map(|key| key.sha256.clone()),
                user_agent: self.user_agent.clone(),
                acts_for: None,
                status: None,
                reason: None,
            },
        }
    }
}
