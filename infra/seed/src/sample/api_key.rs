//! API keys of the sample users.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use fastrand::Rng;
use sha2::{Digest, Sha256};

use super::organization::{Member, Organization};
use crate::SeededUser;
use crate::records::{Item, ItemBuilder};

/// A key and whom it may act as.
pub struct ApiKey {
    secret: String,
    organization_id: String,
    /// The user of a personal key; `None` for an organization key.
    user_id: Option<String>,
    expires: Option<DateTime<Utc>>,
    revoked: Option<DateTime<Utc>>,
}

impl ApiKey {
    /// Makes a key that acts only as `member`.
    pub fn personal(organization: &Organization, member: &Member, rng: &mut Rng) -> Self {
        Self { user_id: Some(member.user_id.clone()), ..Self::organization(organization, rng) }
    }

    /// Makes a key that acts as any member of the organization.
    pub fn organization(organization: &Organization, rng: &mut Rng) -> Self {
        let mut bytes = [0; 32];
        rng.fill(&mut bytes);
        Self {
            secret: format!("uex_{}", URL_SAFE_NO_PAD.encode(bytes)),
            organization_id: organization.id.clone(),
            user_id: None,
            expires: None,
            revoked: None,
        }
    }

    /// The same key, valid until `time`.
    pub fn expiring(self, time: DateTime<Utc>) -> Self {
        Self { expires: Some(time), ..self }
    }

    /// The same key, revoked at `time`.
    pub fn revoked(self, time: DateTime<Utc>) -> Self {
        Self { revoked: Some(time), ..self }
    }

    /// The key's item in `Directory`: it is found by the secret's SHA-256 and does not contain the secret.
    pub fn to_item(&self) -> Item {
        let sha256 = hex::encode(Sha256::digest(&self.secret));
        let kind = if self.user_id.is_some() { "personal" } else { "organization" };
        ItemBuilder::new(format!("KEY#{sha256}"), "KEY".to_owned())
            .text("kind", kind)
            .text("organization_id", &self.organization_id)
            .optional_text("user_id", self.user_id.as_deref())
            .optional_time("expires_ts", self.expires)
            .optional_time("revoked_ts", self.revoked)
            .build()
    }

    /// What `member` needs to know to use this key.
    pub fn seeded_user(&self, member: &Member) -> SeededUser {
        SeededUser {
            organization_id: self.organization_id.clone(),
            user_id: member.user_id.clone(),
            email: member.email.clone(),
            role: member.role().to_owned(),
            api_key: self.secret.clone(),
        }
    }
}
