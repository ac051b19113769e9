//! `cargo xtask key`: keys of a deployment.

use std::process::{Command, Output};

use integration_tests::api::Call;
use integration_tests::org::{Caller, TestOrg};
use integration_tests::page::Visitor;
use integration_tests::system::given;
use integration_tests::with_org;

/// Runs the command with these arguments.
fn key(args: &[&str]) -> Output {
    Command::new(given("USAGE_EXPORT_XTASK")).arg("key").args(args).output().unwrap()
}

/// What the command prints, which must succeed: the key of `create` and `rotate`, or the list.
fn printed(args: &[&str]) -> String {
    let output = key(args);
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
}

/// What the command says when it fails.
fn refused(args: &[&str]) -> String {
    let output = key(args);
    assert!(!output.status.success(), "{args:?}");
    String::from_utf8(output.stderr).unwrap()
}

async fn status(user_id: &str, key: &str) -> u16 {
    Call::get("/exports", &[("user_id", user_id)]).with_key(key).send().await.status
}

fn list(org: &TestOrg) -> String {
    printed(&["list", "--organization", &org.id])
}

/// The name of the key with this label.
fn named(org: &TestOrg, label: &str) -> String {
    let list = list(org);
    let line = list
        .lines()
        .find(|line| line.contains(&format!("\u{2068}{label}\u{2069}")))
        .unwrap_or_else(|| panic!("{list}"));
    line.split_whitespace().next().unwrap().to_owned()
}

#[test]
fn a_key_lives_from_create_to_revoke() {
    with_org(async |org| {
        let (id, user_id) = (org.id.as_str(), org.caller.user_id.as_str());
        let personal = printed(&["create", "--organization", id, "--user", user_id, "--label", "of Ada"]);
        let shared =
            printed(&["create", "--organization", id, "--expires-days", "30", "--label", "nightly job"]);
        let colleague = org.add_admin().await;
        assert_eq!(
            [status(user_id, &personal).await, status(&colleague.user_id, &personal).await],
            [200, 403]
        );
        assert_eq!([status(user_id, &shared).await, status(&colleague.user_id, &shared).await], [200, 200]);

        let list = list(&org);
        assert!(!list.contains(&personal) && !list.contains(&shared) && !list.contains("uex_"), "{list}");
        assert!(list.contains(user_id) && list.contains("every member") && list.contains("until "), "{list}");

        let visitor = Visitor::sign_in(&Caller { user_id: user_id.to_owned(), key: personal.clone() }).await;
        printed(&["revoke", &named(&org, "of Ada")]);
        assert_eq!([status(user_id, &personal).await, status(user_id, &shared).await], [401, 200]);
        assert_eq!(visitor.get("").await.status, 401, "its sessions end too");
        assert!(refused(&["revoke", &named(&org, "of Ada")]).contains("already"));
    });
}

#[test]
fn a_rotated_key_stays_valid_while_its_users_change_over() {
    with_org(async |org| {
        let user_id = org.caller.user_id.as_str();
        let old = printed(&["create", "--organization", &org.id, "--label", "old"]);
        let name = named(&org, "old");
        let new = printed(&["rotate", &name]);
        assert_eq!([status(user_id, &old).await, status(user_id, &new).await], [200, 200]);
        assert!(list(&org).lines().any(|line| line.starts_with(&name) && line.contains("until ")));
        let newest = printed(&["rotate", &name, "--overlap-hours", "0"]);
        assert_eq!([status(user_id, &old).await, status(user_id, &newest).await], [401, 200]);
        assert!(refused(&["rotate", &name]).contains("not valid any more"));
    });
}

#[test]
fn what_cannot_be_is_said() {
    with_org(async |org| {
        let member = org.add_member("member").await;
        let nobody = refused(&["create", "--organization", "org_nobody"]);
        assert!(nobody.contains("no organization org_nobody"), "{nobody}");
        let stranger = refused(&["create", "--organization", &org.id, "--user", "usr_stranger"]);
        assert!(stranger.contains("no member usr_stranger"), "{stranger}");
        let output = key(&["create", "--organization", &org.id, "--user", &member.user_id]);
        assert!(String::from_utf8_lossy(&output.stderr).contains("is no administrator"));
        let by_secret = refused(&["revoke", &org.caller.key]);
        assert!(
            by_secret.contains("never by the key itself") && !by_secret.contains(&org.caller.key),
            "{by_secret}"
        );
        assert!(refused(&["revoke", &"0".repeat(64)]).contains("there is no key"));
    });
}
