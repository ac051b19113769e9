//! API keys of sample users.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use fastrand::Rng;
use sha2::{Digest, Sha256};

use super::{
    SeededUser,
    item::{Item, ItemBuilder},
    organization::{Member, Organization},
};

/// A key and whom it lets in.
pub struct ApiKey {
    secret: String,
    organization_id: String,
    /// Set for a personal key; an organization key belongs to no one.
    owner_user_id: Option<String>,
    expires: Option<DateTime<Utc>>,
    revoked: Option<DateTime<Utc>>,
}

impl ApiKey {
    /// A key that only acts as `member`.
    pub fn personal(organization: &Organization, member: &Member, rng: &mut Rng) -> Self {
        Self { owner_user_id: Some(member.user_id.clone()), ..Self::organization(organization, rng) }
    }

    /// A key that acts as any member of the organization.
    pub fn organization(organization: &Organization, rng: &mut Rng) -> Self {
        let mut bytes = [0; 32];
        rng.fill(&mut bytes);
        Self {
            secret: format!("uex_{}", URL_SAFE_NO_PAD.encode(bytes)),
            organization_id: organization.id.clone(),
            owner_user_id: None,
            expires: None,
            revoked: None,
        }
    }

    /// The same key, valid up to `time`.
    pub fn expiring(self, time: DateTime<Utc>) -> Self {
        Self { expires: Some(time), ..self }
    }

    /// The same key, revoked at `time`.
    pub fn revoked(self, time: DateTime<Utc>) -> Self {
        Self { revoked: Some(time), ..self }
    }

    /// The key's item: the digest finds it, and the key itself is not in it.
    pub fn to_item(&self) -> Item {
        let digest = hex::encode(Sha256::digest(&self.secret));
        let kind = if self.owner_user_id.is_some() { "personal" } else { "organization" };
        ItemBuilder::new(format!("KEY#{digest}"), "KEY".to_owned())
            .text("kind", kind)
            .text("organization_id", &self.organization_id)
            .optional_text("user_id", self.owner_user_id.as_deref())
            .optional_time("expires_ts", self.expires)
            .optional_time("revoked_ts", self.revoked)
            .build()
    }

    /// `member` with this key in hand.
    pub fn in_hand_of(&self, member: &Member) -> SeededUser {
        SeededUser {
            organization_id: self.organization_id.clone(),
            user_id: member.user_id.clone(),
            email: member.email.clone(),
            role: member.role().to_owned(),
            api_key: self.secret.clone(),
        }
    }
}
