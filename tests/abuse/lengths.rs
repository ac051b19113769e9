//! Ids at and beyond their limit, at every door. DynamoDB refuses a call whose key is too long, so none may come that far.

use integration_tests::api::{Answer, Call, as_caller};
use integration_tests::export::request;
use integration_tests::org::{Caller, TestOrg};
use integration_tests::page::{Visitor, get_page, send_sign_in};
use integration_tests::with_org;
use serde_json::json;

/// The longest id that any door takes, in bytes.
const MAX_ID_BYTES: usize = 256;

/// Beyond the limit by one, around the keys of DynamoDB with the prefixes that ids get there, and far beyond.
const TOO_LONG: [usize; 11] = [257, 258, 1_014, 1_015, 1_017, 1_018, 1_024, 1_025, 2_039, 2_049, 5_000];

/// Texts of so many bytes: of one byte a character, and of two.
fn texts(bytes: usize) -> [String; 2] {
    ["x".repeat(bytes), format!("{}{}", "é".repeat(bytes / 2), "x".repeat(bytes % 2))]
}

/// A request to each endpoint of the API that names this user and this export.
fn calls(user_id: &str, data_export_id: &str) -> Vec<(Call, Vec<&'static str>)> {
    let parameters = [("user_id", user_id), ("data_export_id", data_export_id)];
    let cancel = json!({"user_id": user_id, "data_export_id": data_export_id}).to_string();
    let export = request(&json!({"user_id": user_id, "include_all_workspaces": true})).to_string();
    vec![
        (Call::get("/export_status", &parameters), vec!["user_id", "data_export_id"]),
        (Call::post("/cancel_export", cancel), vec!["user_id", "data_export_id"]),
        (Call::post("/export_data", export), vec!["user_id"]),
        (Call::get("/exports", &parameters[..1]), vec!["user_id"]),
    ]
}

fn assert_too_long(answer: &Answer, fields: &[&str], bytes: usize) {
    answer.assert_problem(400, fields);
    let text = answer.text();
    assert!(text.contains(&format!("longer than {MAX_ID_BYTES} bytes")), "{bytes}: {text}");
}

#[test]
fn an_id_beyond_the_limit_is_refused_by_every_endpoint() {
    with_org(async |org| {
        let key = org.add_organization_key().await;
        for bytes in TOO_LONG {
            for id in texts(bytes) {
                for (call, fields) in calls(&id, &id) {
                    assert_too_long(&call.with_key(&key).send().await, &fields, bytes);
                }
                for (call, fields) in calls(&org.caller.user_id, &id).into_iter().take(2) {
                    assert_too_long(&call.with_key(&key).send().await, &fields[1..], bytes);
                }
                for field in ["workspace_ids", "entity_ids"] {
                    let body = as_caller(&org.caller, &request(&json!({field: [id]})));
                    let answer = Call::post("/export_data", body.to_string()).with_key(&key).send().await;
                    assert_too_long(&answer, &[field], bytes);
                }
            }
        }
    });
}

#[test]
fn an_id_at_the_limit_is_looked_up_like_any_other() {
    with_org(async |org| {
        let key = org.add_organization_key().await;
        for id in texts(MAX_ID_BYTES) {
            for (call, _) in calls(&id, &id) {
                call.with_key(&key).send().await.assert_problem(403, &[]);
            }
            for (call, _) in calls(&org.caller.user_id, &id).into_iter().take(2) {
                call.with_key(&key).send().await.assert_problem(404, &["data_export_id"]);
            }
            let unknown = as_caller(&org.caller, &request(&json!({"workspace_ids": [id]}))).to_string();
            let answer = Call::post("/export_data", unknown).with_key(&key).send().await;
            answer.assert_problem(404, &["workspace_ids"]);
            // Nothing says that it is not a workbook that was deleted long ago: its runs are looked for, and there are none.
            let export = org.export(&request(&json!({"entity_ids": [id]}))).await;
            assert_eq!(export.status["row_count"], 0);
        }
    });
}

#[test]
fn a_user_whose_id_is_as_long_as_it_may_be_can_export() {
    let user_id = "é".repeat(MAX_ID_BYTES / 2);
    integration_tests::run(async {
        let key = integration_tests::random_id("uex");
        let org = TestOrg::create_for(Caller { user_id, key }).await;
        let workspace = org.add_workspace("Sales").await;
        let run = integration_tests::runs::Run::new(&workspace, "2025-01-10T08:00:00.000Z");
        org.write_runs(&[run.by(&org.caller.user_id)]).await;
        org.assert_export(&request(&json!({"include_all_workspaces": true}))).await;
        assert_eq!(Visitor::sign_in(&org.caller).await.get("").await.status, 200);
    });
}

#[test]
fn the_page_refuses_ids_beyond_the_limit_too() {
    with_org(async |org| {
        let visitor = Visitor::sign_in(&org.caller).await;
        for id in TOO_LONG.map(|bytes| "x".repeat(bytes)) {
            for part in ["", "/download", "/manifest"] {
                assert_eq!(visitor.get(&format!("/exports/{id}{part}")).await.status, 400, "{}", id.len());
            }
            for path in
                [format!("/exports/{id}/cancel"), format!("/saved/{id}/run"), format!("/saved/{id}/delete")]
            {
                assert_eq!(visitor.post(&path, &[]).await.status, 400, "{}", id.len());
            }
            let answer = send_sign_in(&id, &org.caller.key).await;
            assert_eq!(answer.status, 400);
            assert!(answer.text().contains("The user ID is longer than 256 bytes."), "{}", answer.text());
            for query in ["cursor", "started", "q", "status", "saved"] {
                assert_eq!(visitor.get(&format!("?{query}={id}")).await.status, 200, "{query}");
            }
            assert_eq!(visitor.get(&format!("/new?again={id}")).await.status, 404);
        }
    });
}

#[test]
fn keys_cookies_and_headers_of_any_length_are_no_key() {
    with_org(async |org| {
        let user_id = org.caller.user_id.as_str();
        for bytes in [1, 512, 513, 2_000, 6_000] {
            let text = "x".repeat(bytes);
            let history = || Call::get("/exports", &[("user_id", user_id)]);
            history().with_key(&text).send().await.assert_problem(401, &[]);
            let acting_as_other = history().with_key(&org.caller.key).with_header("x-auth-key", &text);
            acting_as_other.send().await.assert_problem(403, &[]);
            let cookie = format!("usage_export_session={text}");
            assert_eq!(get_page("").with_header("cookie", &cookie).send().await.status, 401);
            let body = as_caller(&org.caller, &request(&json!({"include_all_workspaces": true}))).to_string();
            let call = Call::post("/export_data", body).with_key(&org.caller.key);
            let answer = call.with_idempotency_key(&text).send().await;
            if bytes > 255 {
                answer.assert_problem(400, &["Idempotency-Key"]);
            } else {
                org.exports().add(answer.ok()["data_export_id"].as_str().unwrap());
            }
        }
    });
}

#[test]
fn a_body_beyond_the_limit_is_refused_before_it_is_read() {
    with_org(async |org| {
        for bytes in [256 * 1024 + 1, 1024 * 1024, 4 * 1024 * 1024] {
            for path in ["/export_data", "/cancel_export"] {
                let call = Call::post(path, "[".repeat(bytes)).with_key(&org.caller.key);
                call.send().await.assert_problem(400, &["body"]);
            }
        }
        // The deepest JSON that fits.
        let call = Call::post("/export_data", "[".repeat(256 * 1024)).with_key(&org.caller.key);
        call.send().await.assert_problem(400, &["body"]);
    });
}
