//! `Idempotency-Key`: a repeated request makes no second export.

use futures::future::join_all;
use serde_json::{Value, json};

use integration_tests::api::{Call, as_caller};
use integration_tests::export::{request, wait_until_final};
use integration_tests::org::{Caller, TestOrg};
use integration_tests::random_id;
use integration_tests::with_org;

fn body() -> Value {
    request(&json!({"include_all_workspaces": true}))
}

async fn count_exports(caller: &Caller) -> usize {
    let parameters = [("user_id", caller.user_id.as_str()), ("mine", "true")];
    let history = Call::get("/exports", &parameters).with_key(&caller.key).send().await.ok();
    history["exports"].as_array().unwrap().len()
}

/// Sends a request with an idempotency key, and returns the answer, which must be a 200.
async fn post(org: &TestOrg, caller: &Caller, key: &str, body: &Value) -> Value {
    let accepted = Call::export(caller, body).with_idempotency_key(key).send().await.ok();
    org.exports().add(accepted["data_export_id"].as_str().unwrap());
    accepted
}

#[test]
fn a_repeated_request_gets_the_saved_response() {
    with_org(async |org| {
        let key = random_id("key");
        let first = post(&org, &org.caller, &key, &body()).await;
        assert_eq!(post(&org, &org.caller, &key, &body()).await, first);
        let id = first["data_export_id"].as_str().unwrap();
        assert_eq!(wait_until_final(&org.caller, id).await["state"], "COMPLETED");
        assert_eq!(post(&org, &org.caller, &key, &body()).await, first);
        assert_eq!(count_exports(&org.caller).await, 1);
    });
}

#[test]
fn simultaneous_requests_with_one_key_make_one_export() {
    with_org(async |org| {
        let call = Call::export(&org.caller, &body()).with_idempotency_key(&random_id("key"));
        let answers = join_all((0..8).map(|_| call.clone().send())).await;
        let first = answers[0].ok();
        for answer in &answers {
            assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
            assert_eq!(answer.body, answers[0].body);
        }
        org.exports().add(first["data_export_id"].as_str().unwrap());
        assert_eq!(count_exports(&org.caller).await, 1);
    });
}

#[test]
fn another_body_with_the_same_key_is_refused() {
    with_org(async |org| {
        let key = random_id("key");
        post(&org, &org.caller, &key, &body()).await;
        let mut other = body();
        other["end_date"] = "2025-01-30".into();
        for _ in 0..2 {
            let answer = Call::export(&org.caller, &other).with_idempotency_key(&key).send().await;
            answer.assert_problem(422, &[]);
        }
        assert_eq!(count_exports(&org.caller).await, 1);
    });
}

#[test]
fn white_space_and_the_order_of_members_do_not_matter() {
    with_org(async |org| {
        let key = random_id("key");
        let first = post(&org, &org.caller, &key, &body()).await;
        let Value::Object(members) = as_caller(&org.caller, &body()) else { panic!("not an object") };
        let mut members: Vec<_> =
            members.iter().map(|(name, value)| format!("\n\t\"{name}\" :  {value}")).collect();
        for _ in 0..2 {
            members.reverse();
            let text = format!(" {{{} }} ", members.join(" ,"));
            let call = Call::post("/export_data", text).with_key(&org.caller.key).with_idempotency_key(&key);
            assert_eq!(call.send().await.ok(), first);
        }
        assert_eq!(count_exports(&org.caller).await, 1);
    });
}

#[test]
fn the_same_key_of_another_user_makes_another_export() {
    with_org(async |org| {
        let key = random_id("key");
        let colleague = org.add_admin().await;
        let mine = post(&org, &org.caller, &key, &body()).await;
        let theirs = post(&org, &colleague, &key, &body()).await;
        assert_ne!(mine["data_export_id"], theirs["data_export_id"]);
        assert_eq!((count_exports(&org.caller).await, count_exports(&colleague).await), (1, 1));
    });
}

#[test]
fn another_key_or_none_makes_another_export() {
    with_org(async |org| {
        let first = post(&org, &org.caller, &random_id("key"), &body()).await;
        let second = post(&org, &org.caller, &random_id("key"), &body()).await;
        let third = org.post_export(&body()).await;
        assert_ne!(first["data_export_id"], second["data_export_id"]);
        assert_ne!(second["data_export_id"], third);
        assert_eq!(count_exports(&org.caller).await, 3);
    });
}

#[test]
fn a_key_can_be_used_again_after_a_refused_request() {
    with_org(async |org| {
        let key = random_id("key");
        let nothing = request(&json!({}));
        let answer = Call::export(&org.caller, &nothing).with_idempotency_key(&key).send().await;
        answer.assert_problem(400, &["workspace_ids"]);
        post(&org, &org.caller, &key, &body()).await;
    });
}
