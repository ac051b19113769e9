//! `POST /export_data`: bodies that are refused with 400, and the fields that the answer blames.

use serde_json::{Value, json};

use integration_tests::api::{Call, as_caller, post_export};
use integration_tests::export::{FIELDS, request};
use integration_tests::with_org;

/// A good body in which one member is replaced. `null` stands for an absent member.
fn with(name: &str, value: Value) -> Value {
    let mut body = request(&json!({"include_all_workspaces": true}));
    body[name] = value;
    body
}

#[test]
fn every_error_names_its_field() {
    with_org(async |org| {
        let cases = [
            ("user_id", json!(null)),
            ("user_id", json!("")),
            ("user_id", json!(7)),
            ("export_fields", json!(null)),
            ("export_fields", json!([])),
            ("export_fields", json!("run_id")),
            ("export_fields", json!(["run_id", 7])),
            ("export_fields", json!(["run_id", "nonsense"])),
            ("export_fields", json!(["RUN_ID"])),
            ("export_fields", json!(["run_id", "user_id", "run_id"])),
            ("start_date", json!(null)),
            ("start_date", json!("")),
            ("start_date", json!("yesterday")),
            ("start_date", json!("2025-02-30")),
            ("start_date", json!("01/31/2025")),
            ("start_date", json!("2025-01-31T25:00:00Z")),
            ("start_date", json!("2025-01-31T00:00:00+99:00")),
            ("start_date", json!(1_738_281_600)),
            ("end_date", json!(null)),
            ("end_date", json!("2025-1-1")),
            ("end_date", json!("2024-12-31")),
            ("end_date", json!("2025-01-01T00:00:00+02:00garbage")),
            ("include_all_workspaces", json!("true")),
            ("include_personal_workspaces", json!(1)),
            ("workspace_ids", json!("wsp_1")),
            ("workspace_ids", json!([7])),
            ("workspace_ids", json!([""])),
            ("entity_ids", json!({})),
            ("entity_ids", json!(["wbk_1", null])),
        ];
        for (name, value) in cases {
            let mut body = with(name, value);
            if name != "user_id" {
                body = as_caller(&org.caller, &body);
            }
            let answer = Call::post("/export_data", body.to_string()).with_key(&org.caller.key).send().await;
            answer.assert_problem(400, &[name]);
        }
    });
}

#[test]
fn an_end_before_the_start_is_refused() {
    with_org(async |org| {
        let ranges = [
            ("2025-02-01", "2025-01-31"),
            ("2025-01-31T12:00:00.001Z", "2025-01-31T12:00:00.000Z"),
            // The end's whole day is over before the start, in the end's offset.
            ("2025-01-31T12:00:00Z", "2025-01-31T00:00:00+14:00"),
        ];
        for (start, end) in ranges {
            let mut body = with("start_date", start.into());
            body["end_date"] = end.into();
            post_export(&org.caller, &body).await.assert_problem(400, &["end_date"]);
        }
    });
}

#[test]
fn a_scope_that_selects_nothing_is_refused() {
    with_org(async |org| {
        let nothing = [
            json!({}),
            json!({"include_all_workspaces": false}),
            json!({"include_personal_workspaces": false, "workspace_ids": [], "entity_ids": []}),
        ];
        for scope in nothing {
            post_export(&org.caller, &request(&scope)).await.assert_problem(400, &["workspace_ids"]);
        }
    });
}

#[test]
fn all_errors_are_reported_at_once() {
    with_org(async |org| {
        let body =
            json!({"export_fields": FIELDS[0], "start_date": "x", "end_date": "y", "workspace_ids": 1});
        let answer = post_export(&org.caller, &body).await;
        answer.assert_problem(400, &["export_fields", "start_date", "end_date", "workspace_ids"]);
        let answer = Call::post("/export_data", "{}").with_key(&org.caller.key).send().await;
        let named = ["user_id", "export_fields", "start_date", "end_date", "workspace_ids"];
        answer.assert_problem(400, &named);
    });
}

#[test]
fn a_body_that_is_not_an_object_is_refused() {
    with_org(async |org| {
        let too_large = json!({"workspace_ids": vec!["wsp_0123456789abcdef"; 20_000]}).to_string();
        for body in ["", "{", "null", "[]", "\"text\"", "7", &too_large] {
            let answer = Call::post("/export_data", body).with_key(&org.caller.key).send().await;
            answer.assert_problem(400, &["body"]);
        }
    });
}

#[test]
fn an_unusable_idempotency_key_is_refused() {
    with_org(async |org| {
        let body = request(&json!({"include_all_workspaces": true}));
        let answer = Call::export(&org.caller, &body).with_idempotency_key(&"k".repeat(256)).send().await;
        answer.assert_problem(400, &["Idempotency-Key"]);
    });
}
