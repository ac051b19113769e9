//! The callers: the columns of the matrix.

use integration_tests::api::Call;
use integration_tests::system::system;

use crate::targets::World;

/// Who makes a request, and with what. At the API it is a key, at the page a session.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Caller {
    NoKey,
    Malformed,
    Unknown,
    Expired,
    Revoked,
    Personal,
    /// A personal key that acts as another administrator than its owner.
    PersonalOfAnother,
    Organization,
    OrganizationOfAnother,
    /// No administrator.
    Member,
    /// An administrator who has left.
    Deleted,
    /// An administrator of an organization on another tier.
    OtherTier,
    Session,
    SessionWithoutOrigin,
    SessionOfRevokedKey,
}

use Caller::{
    Deleted, Expired, Malformed, Member, NoKey, Organization, OrganizationOfAnother, OtherTier, Personal,
    PersonalOfAnother, Revoked, Session, SessionOfRevokedKey, SessionWithoutOrigin, Unknown,
};

/// In the order of the columns, with the head of each.
pub const CALLERS: [(Caller, &str); 15] = [
    (NoKey, "none"),
    (Malformed, "malf"),
    (Unknown, "unkn"),
    (Expired, "expi"),
    (Revoked, "revo"),
    (Personal, "personal"),
    (PersonalOfAnother, "another's"),
    (Organization, "org-key"),
    (OrganizationOfAnother, "other-org-key"),
    (Member, "member"),
    (Deleted, "deleted"),
    (OtherTier, "tier"),
    (Session, "session"),
    (SessionWithoutOrigin, "no-origin"),
    (SessionOfRevokedKey, "key-revoked"),
];

impl Caller {
    pub fn name(self) -> String {
        format!("{self:?}")
    }

    /// The user for whom the request acts.
    pub fn user_id(self, world: &World) -> &str {
        match self {
            Member => &world.member.user_id,
            Deleted => &world.deleted.user_id,
            OtherTier => &world.other_tier.caller.user_id,
            _ => &world.org.caller.user_id,
        }
    }

    /// The key that the caller has; for one with a session that with which it was started.
    pub fn key(self, world: &World) -> &str {
        match self {
            NoKey => "",
            Malformed => "uex_%00 and more",
            Unknown => "uex_0000000000000000000000000000000000000000000",
            Expired => &world.expired_key,
            Revoked | SessionOfRevokedKey => &world.revoked_key,
            PersonalOfAnother => &world.another.key,
            Organization => &world.organization_key,
            OrganizationOfAnother => &world.other_organization_key,
            Member => &world.member.key,
            Deleted => &world.deleted.key,
            OtherTier => &world.other_tier.caller.key,
            Personal | Session | SessionWithoutOrigin => &world.org.caller.key,
        }
    }

    /// A request to the API as this caller sends it.
    pub fn at_api(self, world: &World, call: Call) -> Call {
        match self {
            NoKey => call,
            Malformed => call.with_header("authorization", self.key(world)),
            Session | SessionWithoutOrigin | SessionOfRevokedKey => {
                let origin = call.with_header("origin", &system().outputs.api_url);
                origin.with_header("cookie", "usage_export_session=of-the-page")
            }
            _ => call.with_key(self.key(world)),
        }
    }

    /// A request to the page as this caller sends it. A key is no session, so those who have a key alone are strangers.
    pub async fn at_page(self, world: &World, call: Call) -> Call {
        let call = match self {
            SessionWithoutOrigin => call,
            _ => call.with_header("origin", &system().outputs.api_url),
        };
        let cookie = match self {
            NoKey => return call,
            Personal | PersonalOfAnother | Organization | OrganizationOfAnother => {
                return call.with_key(self.key(world));
            }
            Malformed => "%FF;=;\"".to_owned(),
            Unknown => "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA".to_owned(),
            Expired | Revoked | Member | Deleted | OtherTier | Session | SessionWithoutOrigin
            | SessionOfRevokedKey => world.session(self).await,
        };
        call.with_header("cookie", &format!("usage_export_session={cookie}"))
    }
}
