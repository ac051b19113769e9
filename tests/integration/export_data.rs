//! `POST /export_data`: requests that are accepted, and the answer.

use serde_json::json;

use integration_tests::api::{Call, ROOTS, as_caller, get_history, post_export};
use integration_tests::export::{request, wait_until_final};
use integration_tests::org::Caller;
use integration_tests::records::{read_active, read_record, timestamp};
use integration_tests::system::now;
use integration_tests::with_org;

#[test]
fn the_answer_is_as_the_contract_says() {
    with_org(async |org| {
        let body = as_caller(&org.caller, &request(&json!({"include_all_workspaces": true})));
        for root in ROOTS {
            let before = timestamp(now());
            let answer = Call::post(&format!("{root}/export_data"), body.to_string())
                .with_key(&org.caller.key)
                .send()
                .await;
            let accepted = answer.ok();
            let (id, created_ts) = (&accepted["data_export_id"], &accepted["created_ts"]);
            let exactly = json!({"success": true, "data_export_id": id, "state": "REQUESTED", "created_ts": created_ts});
            assert_eq!(accepted, exactly);
            let id = id.as_str().unwrap();
            org.exports().add(id);
            let created_ts = created_ts.as_str().unwrap();
            assert!(before.as_str() <= created_ts && created_ts <= timestamp(now()).as_str(), "{created_ts}");
            let status = wait_until_final(&org.caller, id).await;
            assert_eq!(status["created_ts"], created_ts);
            let record = read_record(id).await;
            assert_eq!(
                (&record["user_id"], &record["organization_id"]),
                (&json!(org.admin.user_id), &json!(org.id))
            );
        }
    });
}

#[test]
fn an_organization_key_may_act_as_every_administrator() {
    with_org(async |org| {
        let key = org.add_organization_key().await;
        for user_id in [org.admin.user_id.clone(), org.add_admin().await.user_id] {
            let caller = Caller { user_id, key: key.clone() };
            let id = org.post_export_as(&caller, &request(&json!({"include_all_workspaces": true}))).await;
            assert_eq!(read_record(&id).await["user_id"], caller.user_id);
            wait_until_final(&caller, &id).await;
        }
    });
}

#[test]
fn an_x_auth_key_that_equals_user_id_changes_nothing() {
    with_org(async |org| {
        let body = request(&json!({"include_personal_workspaces": true}));
        let user_id = &org.caller.user_id;
        let accepted = Call::export(&org.caller, &body).with_header("x-auth-key", user_id).send().await.ok();
        let id = accepted["data_export_id"].as_str().unwrap();
        org.exports().add(id);
        let parameters = [("user_id", user_id.as_str()), ("data_export_id", id)];
        let status = Call::get("/export_status", &parameters).with_key(&org.caller.key);
        assert_eq!(status.with_header("X-Auth-Key", user_id).send().await.ok()["data_export_id"], id);
    });
}

#[test]
fn unknown_members_and_nulls_are_ignored() {
    with_org(async |org| {
        let more = json!({
            "include_all_workspaces": true,
            "include_personal_workspaces": null,
            "workspace_ids": null,
            "entity_ids": null,
            "format": "xlsx",
            "nested": {"user_id": 7},
        });
        let id = org.post_export(&request(&more)).await;
        assert_eq!(wait_until_final(&org.caller, &id).await["state"], "COMPLETED");
    });
}

#[test]
fn the_authorization_scheme_may_be_in_lower_case() {
    with_org(async |org| {
        let body = as_caller(&org.caller, &request(&json!({"include_all_workspaces": true})));
        let authorization = format!("bearer {}", org.caller.key);
        let call = Call::post("/export_data", body.to_string()).with_header("Authorization", &authorization);
        org.exports().add(call.send().await.ok()["data_export_id"].as_str().unwrap());
    });
}

#[test]
fn a_refused_request_leaves_no_export_and_no_slot() {
    with_org(async |org| {
        post_export(&org.caller, &request(&json!({}))).await.assert_problem(400, &["workspace_ids"]);
        assert_eq!(get_history(&org.caller, None).await.ok()["exports"], json!([]));
        assert_eq!(read_active(&org).await, Vec::<String>::new());
    });
}
