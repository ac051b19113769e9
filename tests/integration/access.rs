//! Who may do what: 401, 403 and 404 are the same at every endpoint.

use serde_json::json;

use integration_tests::api::{Answer, Call, as_caller, get_history, get_status, post_export};
use integration_tests::export::{request, wait_until_final};
use integration_tests::org::{Caller, TestOrg};
use integration_tests::records::{id_of, new_record, put_record};
use integration_tests::system::now;
use integration_tests::with_org;

const PAST: &str = "2025-01-01T00:00:00.000Z";
const FUTURE: &str = "2999-01-01T00:00:00.000Z";

/// Requests to the three endpoints that succeed with a good key, which they do not have yet.
async fn good_calls(org: &TestOrg, user_id: &str) -> [Call; 3] {
    let mut record = new_record(org, &org.caller, now());
    record["user_id"] = user_id.into();
    put_record(&record).await;
    let caller = Caller { user_id: user_id.to_owned(), key: String::new() };
    let body = as_caller(&caller, &request(&json!({"include_all_workspaces": true})));
    let id = id_of(&record);
    [
        Call::post("/export_data", body.to_string()),
        Call::get("/export_status", &[("user_id", user_id), ("data_export_id", &id)]),
        Call::get("/exports", &[("user_id", user_id)]),
    ]
}

/// Asserts that every endpoint answers this status when its request is changed so.
async fn assert_refused(calls: [Call; 3], status: u16, change: impl Fn(Call) -> Call) {
    for call in calls {
        change(call).send().await.assert_problem(status, &[]);
    }
}

#[test]
fn a_request_without_a_valid_key_is_refused() {
    with_org(async |org| {
        let user_id = &org.caller.user_id;
        let expired = org.add_key_with(user_id, "expires_ts", PAST).await;
        let revoked = org.add_key_with(user_id, "revoked_ts", PAST).await;
        let calls = good_calls(&org, user_id).await;
        for key in [expired.as_str(), &revoked, "uex_unknown", "", &"x".repeat(2000)] {
            assert_refused(calls.clone(), 401, |call| call.with_key(key)).await;
        }
        assert_refused(calls.clone(), 401, |call| call).await;
        for scheme in ["Basic", "Token", "ApiKey"] {
            let value = format!("{scheme} {}", org.caller.key);
            assert_refused(calls.clone(), 401, |call| call.with_header("Authorization", &value)).await;
        }
        let bare = org.caller.key.as_str();
        assert_refused(calls.clone(), 401, |call| call.with_header("Authorization", bare)).await;
        assert_refused(calls, 401, |call| call.with_header("x-api-key", bare)).await;
    });
}

#[test]
fn a_key_that_expires_in_the_future_is_valid() {
    with_org(async |org| {
        let key = org.add_key_with(&org.caller.user_id, "expires_ts", FUTURE).await;
        let caller = Caller { key, ..org.caller.clone() };
        get_history(&caller, None).await.ok();
    });
}

#[test]
fn a_personal_key_acts_only_as_its_owner() {
    with_org(async |org| {
        let other = org.add_admin().await;
        let calls = good_calls(&org, &other.user_id).await;
        assert_refused(calls, 403, |call| call.with_key(&org.caller.key)).await;
    });
}

#[test]
fn an_x_auth_key_other_than_user_id_is_refused() {
    with_org(async |org| {
        let other = org.add_admin().await;
        let key = org.add_organization_key().await;
        let calls = good_calls(&org, &org.caller.user_id).await;
        for key in [&org.caller.key, &key] {
            let with_headers = |call: Call| call.with_key(key).with_header("x-auth-key", &other.user_id);
            assert_refused(calls.clone(), 403, with_headers).await;
        }
    });
}

#[test]
fn only_administrators_may_export() {
    with_org(async |org| {
        let organization_key = org.add_organization_key().await;
        for role in ["member", "viewer"] {
            let member = org.add_member(role).await;
            let key = org.add_personal_key(&member.user_id).await;
            let calls = good_calls(&org, &member.user_id).await;
            assert_refused(calls.clone(), 403, |call| call.with_key(&key)).await;
            assert_refused(calls, 403, |call| call.with_key(&organization_key)).await;
        }
    });
}

#[test]
fn former_members_and_strangers_are_refused() {
    with_org(async |org| {
        let past = org.add_admin().await;
        get_history(&past, None).await.ok();
        org.delete_member(&past.user_id).await;
        let neighbour = TestOrg::create().await;
        let key = org.add_organization_key().await;
        for user_id in [&past.user_id, &neighbour.admin.user_id, "usr_unknown"] {
            let calls = good_calls(&org, user_id).await;
            assert_refused(calls, 403, |call| call.with_key(&key)).await;
        }
        let calls = good_calls(&org, &past.user_id).await;
        assert_refused(calls, 403, |call| call.with_key(&past.key)).await;
    });
}

#[test]
fn only_the_enterprise_tier_may_export() {
    with_org(async |org| {
        let calls = good_calls(&org, &org.caller.user_id).await;
        for tier in ["team", "free", "Enterprise"] {
            org.set_tier(tier).await;
            assert_refused(calls.clone(), 403, |call| call.with_key(&org.caller.key)).await;
        }
    });
}

#[test]
fn a_removed_organization_is_not_found() {
    with_org(async |org| {
        let calls = good_calls(&org, &org.caller.user_id).await;
        org.remove_organization().await;
        assert_refused(calls, 404, |call| call.with_key(&org.caller.key)).await;
    });
}

#[test]
fn an_export_is_visible_only_to_its_owner() {
    with_org(async |org| {
        let id = org.post_export(&request(&json!({"include_all_workspaces": true}))).await;
        wait_until_final(&org.caller, &id).await;
        let colleague = org.add_admin().await;
        let neighbour = TestOrg::create().await;
        let organization_key = org.add_organization_key().await;
        let by_organization_key = Caller { user_id: colleague.user_id.clone(), key: organization_key };
        for caller in [&colleague, &by_organization_key, &neighbour.caller] {
            let answer = get_status(caller, &id).await;
            answer.assert_problem(403, &["data_export_id"]);
            let parameters = [("user_id", &*caller.user_id), ("data_export_id", &*id), ("download", "true")];
            let download = Call::get("/export_status", &parameters).with_key(&caller.key).send().await;
            download.assert_problem(403, &["data_export_id"]);
        }
    });
}

#[test]
fn workspaces_of_another_organization_are_not_found() {
    with_org(async |org| {
        let own = org.add_workspace("Own").await;
        let neighbour = TestOrg::create().await;
        let theirs = neighbour.add_workspace("Theirs").await;
        let personal = neighbour.admin.personal_workspace_id.clone();
        for ids in [json!([theirs]), json!([own, personal]), json!([own, "wsp_unknown"])] {
            let answer: Answer = post_export(&org.caller, &request(&json!({"workspace_ids": ids}))).await;
            answer.assert_problem(404, &["workspace_ids"]);
        }
    });
}
