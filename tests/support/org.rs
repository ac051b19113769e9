//! The organization of a test, written directly into the table `Directory`.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex};

use aws_sdk_dynamodb::types::AttributeValue;
use sha2::{Digest, Sha256};

use crate::export::PostedExports;
use crate::random_id;
use crate::system::system;

/// An item of a table.
pub type Item = HashMap<String, AttributeValue>;

pub fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

/// A user and a key that may act as them.
#[derive(Clone, Debug)]
pub struct Caller {
    pub user_id: String,
    pub key: String,
}

/// A user in the directory.
#[derive(Clone, Debug)]
pub struct Member {
    pub user_id: String,
    pub email: String,
    /// Id of the workspace that is theirs alone.
    pub personal_workspace_id: String,
}

/// An organization on the enterprise tier, with one administrator.
#[derive(Clone)]
pub struct TestOrg {
    pub id: String,
    pub admin: Member,
    /// The administrator, with a personal key.
    pub caller: Caller,
    /// The partitions of the usage records that the test has written to.
    pub(super) partitions: Arc<Mutex<BTreeSet<String>>>,
    pub(super) posted: PostedExports,
}

impl TestOrg {
    pub async fn create() -> Self {
        Self::create_for(Caller { user_id: random_id("usr"), key: random_key() }).await
    }

    /// Makes this caller the administrator of a new organization.
    pub async fn create_for(caller: Caller) -> Self {
        let id = random_id("org");
        put_organization(&id, "enterprise").await;
        let admin = put_member(&id, &caller.user_id, "admin").await;
        put_key(&id, &caller.key, Some(&admin.user_id), &[]).await;
        Self { id, admin, caller, partitions: Arc::default(), posted: PostedExports::default() }
    }

    /// The exports that the test has asked for.
    pub fn exports(&self) -> PostedExports {
        self.posted.clone()
    }

    pub async fn set_name(&self, name: &str) {
        set(&format!("ORG#{}", self.id), "ORG", "name", name).await;
    }

    pub async fn set_tier(&self, tier: &str) {
        put_organization(&self.id, tier).await;
    }

    pub async fn add_member(&self, role: &str) -> Member {
        put_member(&self.id, &random_id("usr"), role).await
    }

    /// Adds another administrator, with a personal key.
    pub async fn add_admin(&self) -> Caller {
        let member = self.add_member("admin").await;
        let key = self.add_personal_key(&member.user_id).await;
        Caller { user_id: member.user_id, key }
    }

    pub async fn add_personal_key(&self, user_id: &str) -> String {
        add_key(&self.id, Some(user_id), &[]).await
    }

    /// Adds a key that may act as every member.
    pub async fn add_organization_key(&self) -> String {
        add_key(&self.id, None, &[]).await
    }

    /// Adds a personal key whose item has one more attribute, such as `expires_ts`.
    pub async fn add_key_with(&self, user_id: &str, name: &str, value: &str) -> String {
        add_key(&self.id, Some(user_id), &[(name, value)]).await
    }

    pub async fn revoke_key(&self, key: &str) {
        set(&format!("KEY#{}", sha256(key)), "KEY", "revoked_ts", "2025-06-30T12:00:00.000Z").await;
    }

    pub async fn add_workspace(&self, name: &str) -> String {
        let id = random_id("wsp");
        put_workspace(&self.id, &id, name, None).await;
        id
    }

    pub async fn add_workspace_with_id(&self, id: &str, name: &str) {
        put_workspace(&self.id, id, name, None).await;
    }

    pub async fn add_workbook(&self, workspace_id: &str, name: &str) -> String {
        let id = random_id("wbk");
        let key = format!("WORKBOOK#{id}");
        let attributes = [
            ("organization_id", self.id.as_str()),
            ("workspace_id", workspace_id),
            ("name", name),
            ("created_ts", "2024-02-29T23:59:59.999Z"),
        ];
        put_directory(&key, "WORKBOOK", &attributes).await;
        id
    }

    pub async fn delete_workspace(&self, workspace_id: &str) {
        set(&format!("ORG#{}", self.id), &format!("WORKSPACE#{workspace_id}"), "deleted_ts", DELETED).await;
    }

    pub async fn delete_workbook(&self, workbook_id: &str) {
        set(&format!("WORKBOOK#{workbook_id}"), "WORKBOOK", "deleted_ts", DELETED).await;
    }

    pub async fn delete_member(&self, user_id: &str) {
        set(&format!("ORG#{}", self.id), &format!("MEMBER#{user_id}"), "deleted_ts", DELETED).await;
    }

    pub async fn set_email(&self, user_id: &str, email: &str) {
        set(&format!("ORG#{}", self.id), &format!("MEMBER#{user_id}"), "email", email).await;
    }

    /// Removes the item of the organization. Members and keys stay.
    pub async fn remove_organization(&self) {
        remove(&self.id, "ORG").await;
    }

    /// Leaves nothing of the item of the organization but its key.
    pub async fn strip_organization(&self) {
        put_directory(&format!("ORG#{}", self.id), "ORG", &[]).await;
    }

    /// Takes the item of a member away, who is then as if never known.
    pub async fn remove_member(&self, user_id: &str) {
        remove(&self.id, &format!("MEMBER#{user_id}")).await;
    }

    /// Takes the item of a workspace away, which is then as if never known.
    pub async fn remove_workspace(&self, workspace_id: &str) {
        remove(&self.id, &format!("WORKSPACE#{workspace_id}")).await;
    }
}

/// Takes an item of an organization out of the directory.
async fn remove(organization_id: &str, sk: &str) {
    let sent = system()
        .dynamodb
        .delete_item()
        .table_name(&system().outputs.tables.directory)
        .key("PK", text(format!("ORG#{organization_id}")))
        .key("SK", text(sk));
    sent.send().await.unwrap();
}

const DELETED: &str = "2025-06-30T12:00:00.000Z";

async fn put_organization(id: &str, tier: &str) {
    put_directory(&format!("ORG#{id}"), "ORG", &[("name", "Test & Söhne"), ("tier", tier)]).await;
}

async fn put_member(organization_id: &str, user_id: &str, role: &str) -> Member {
    let email = format!("{user_id}@example.com");
    let personal_workspace_id = random_id("wsp");
    put_workspace(organization_id, &personal_workspace_id, "Personal", Some(user_id)).await;
    let attributes =
        [("email", email.as_str()), ("role", role), ("personal_workspace_id", &personal_workspace_id)];
    put_directory(&format!("ORG#{organization_id}"), &format!("MEMBER#{user_id}"), &attributes).await;
    Member { user_id: user_id.to_owned(), email, personal_workspace_id }
}

async fn put_workspace(organization_id: &str, id: &str, name: &str, owner: Option<&str>) {
    let kind = if owner.is_some() { "personal" } else { "organization" };
    let mut attributes = vec![("name", name), ("kind", kind)];
    attributes.extend(owner.map(|owner| ("owner_user_id", owner)));
    put_directory(&format!("ORG#{organization_id}"), &format!("WORKSPACE#{id}"), &attributes).await;
}

/// Adds a key, and returns its secret.
async fn add_key(organization_id: &str, owner: Option<&str>, more: &[(&str, &str)]) -> String {
    let secret = random_key();
    put_key(organization_id, &secret, owner, more).await;
    secret
}

fn random_key() -> String {
    format!("uex_{}", (0..43).map(|_| fastrand::alphanumeric()).collect::<String>())
}

/// Puts a personal key if it has an owner, else an organization key.
async fn put_key(organization_id: &str, secret: &str, owner: Option<&str>, more: &[(&str, &str)]) {
    let kind = if owner.is_some() { "personal" } else { "organization" };
    let mut attributes = vec![("kind", kind), ("organization_id", organization_id)];
    attributes.extend(owner.map(|owner| ("user_id", owner)));
    attributes.extend(more);
    put_directory(&format!("KEY#{}", sha256(secret)), "KEY", &attributes).await;
}

/// The SHA-256 of a secret, which the directory has in its place.
pub(super) fn sha256(secret: &str) -> String {
    hex::encode(Sha256::digest(secret))
}

pub(super) async fn put_directory(pk: &str, sk: &str, attributes: &[(&str, &str)]) {
    let mut item: Item = attributes.iter().map(|(name, value)| ((*name).to_owned(), text(*value))).collect();
    item.insert("PK".to_owned(), text(pk));
    item.insert("SK".to_owned(), text(sk));
    let sent = system()
        .dynamodb
        .put_item()
        .table_name(&system().outputs.tables.directory)
        .set_item(Some(item))
        .send()
        .await;
    sent.unwrap();
}

/// Sets one attribute of an item of the directory.
async fn set(pk: &str, sk: &str, name: &str, value: &str) {
    let sent = system()
        .dynamodb
        .update_item()
        .table_name(&system().outputs.tables.directory)
        .key("PK", text(pk))
        .key("SK", text(sk))
        .update_expression("SET #name = :value")
        .condition_expression("attribute_exists(PK)")
        .expression_attribute_names("#name", name)
        .expression_attribute_values(":value", text(value));
    sent.send().await.unwrap();
}
