//! The organizations of the matrix, and what in them a request can be about.

use integration_tests::api::Call;
use integration_tests::export::{request, wait_until_final};
use integration_tests::org::{Caller as User, TestOrg};
use integration_tests::page::{SessionRecord, Visitor};
use integration_tests::random_id;
use integration_tests::records::{completed, id_of, new_export_id, new_record, put_record};
use integration_tests::runs::Run;
use integration_tests::system::now;
use serde_json::json;

use crate::callers::Caller;
use crate::matrix::Whose;

const PAST: &str = "2025-01-01T00:00:00.000Z";

/// Everybody and everything. What belongs to "another" belongs to none of those whose keys are used.
pub struct World {
    pub org: TestOrg,
    /// An administrator whose personal key is used for somebody else.
    pub another: User,
    /// The administrator to whom another user's things belong.
    colleague: User,
    pub member: User,
    pub deleted: User,
    pub expired_key: String,
    pub revoked_key: String,
    pub organization_key: String,
    pub other_organization_key: String,
    pub other_tier: TestOrg,
    /// To which another organization's things belong.
    neighbour: TestOrg,
    workspace_id: String,
    /// An export of the caller that has a file.
    completed_id: String,
}

impl World {
    pub async fn create() -> Self {
        let (org, neighbour, other_tier) =
            (TestOrg::create().await, TestOrg::create().await, TestOrg::create().await);
        other_tier.set_tier("team").await;
        let member = org.add_member("member").await;
        let member = User { key: org.add_personal_key(&member.user_id).await, user_id: member.user_id };
        let deleted = org.add_admin().await;
        org.delete_member(&deleted.user_id).await;
        let user_id = &org.caller.user_id;
        let workspace_id = org.add_workspace("Sales").await;
        org.write_runs(&[Run::new(&workspace_id, "2025-01-10T08:00:00.000Z")]).await;
        let completed_id = org.post_export(&request(&json!({"include_all_workspaces": true}))).await;
        wait_until_final(&org.caller, &completed_id).await;
        Self {
            another: org.add_admin().await,
            colleague: org.add_admin().await,
            expired_key: org.add_key_with(user_id, "expires_ts", PAST).await,
            revoked_key: org.add_key_with(user_id, "revoked_ts", PAST).await,
            organization_key: org.add_organization_key().await,
            other_organization_key: TestOrg::create().await.add_organization_key().await,
            member,
            deleted,
            other_tier,
            neighbour,
            workspace_id,
            completed_id,
            org,
        }
    }

    /// The organization of a caller.
    fn org_of(&self, caller: Caller) -> &TestOrg {
        if caller == Caller::OtherTier { &self.other_tier } else { &self.org }
    }

    /// The token of a new session that a caller has.
    pub async fn session(&self, caller: Caller) -> String {
        let mut session = SessionRecord::new(self.org_of(caller), caller.user_id(self), caller.key(self));
        match caller {
            // Sessions that have ended themselves, whatever became of their key.
            Caller::Expired => {
                session =
                    SessionRecord { api_key: &self.org.caller.key, expires_ts: PAST.to_owned(), ..session }
            }
            Caller::Revoked => {
                session = SessionRecord { api_key: &self.org.caller.key, revoked_ts: Some(PAST), ..session }
            }
            _ => {}
        }
        session.put().await
    }

    /// The id of a user.
    pub fn user(&self, whose: Whose, caller: Caller) -> String {
        match whose {
            Whose::Own => caller.user_id(self).to_owned(),
            Whose::Users => self.colleague.user_id.clone(),
            Whose::Organizations => self.neighbour.caller.user_id.clone(),
            Whose::Missing => random_id("usr"),
        }
    }

    /// The id of a workspace. Another user's is the one that is theirs alone.
    pub fn workspace(&self, whose: Whose) -> String {
        match whose {
            Whose::Own => self.workspace_id.clone(),
            Whose::Users => self.org.admin.personal_workspace_id.clone(),
            Whose::Organizations => self.neighbour.admin.personal_workspace_id.clone(),
            Whose::Missing => random_id("wsp"),
        }
    }

    /// The id of an export: one with a file, or one that is still to be made.
    pub async fn export(&self, whose: Whose, caller: Caller, is_finished: bool) -> String {
        let user = |user_id: &str| User { user_id: user_id.to_owned(), key: String::new() };
        let record = match whose {
            Whose::Missing => return new_export_id(now()),
            Whose::Own if is_finished && caller.user_id(self) == self.org.caller.user_id => {
                return self.completed_id.clone();
            }
            Whose::Own => new_record(self.org_of(caller), &user(caller.user_id(self)), now()),
            Whose::Users => new_record(self.org_of(caller), &self.colleague, now()),
            Whose::Organizations => new_record(&self.neighbour, &self.neighbour.caller, now()),
        };
        let record = if is_finished { completed(record, 1, 100) } else { record };
        put_record(&record).await;
        id_of(&record)
    }

    /// The id of a new saved export of an organization, whoever in it has saved it.
    pub async fn saved(&self, whose: Whose) -> String {
        let caller = match whose {
            Whose::Missing => return "0".repeat(32),
            Whose::Organizations => &self.neighbour.caller,
            Whose::Own | Whose::Users => &self.org.caller,
        };
        let name = random_id("saved");
        let mut form = crate::requests::FORM.to_vec();
        form.push(("name", &name));
        let saved = Visitor::sign_in(caller).await.post("/saved", &form).await;
        let location = saved.header("location");
        let id = location.split_once("?saved=").unwrap_or_else(|| panic!("{}", saved.text())).1;
        id.split('#').next().unwrap().to_owned()
    }

    /// The script of the page, at the address that the page names.
    pub async fn script(&self) -> String {
        let page = Call::get(integration_tests::page::PAGE, &[]).send().await.text();
        page.split_once("<script src=\"").unwrap().1.split('"').next().unwrap().to_owned()
    }
}
