//! What the functions log of hostile requests.

use integration_tests::api::Call;
use integration_tests::page::{Visitor, send_sign_in};
use integration_tests::system::system;
use integration_tests::{random_id, with_org};
use serde_json::{Value, json};

use crate::FORGED;

/// The lines that the functions have logged, by the emulator.
async fn logged_lines() -> Vec<String> {
    let mut lines = Vec::new();
    for group in cloudwatch("DescribeLogGroups", json!({})).await["logGroups"].as_array().unwrap() {
        let events =
            cloudwatch("FilterLogEvents", json!({"logGroupName": group["logGroupName"], "limit": 10_000}));
        let events = events.await["events"].as_array().cloned().unwrap_or_default();
        lines.extend(events.iter().map(|event| event["message"].as_str().unwrap().to_owned()));
    }
    lines
}

async fn cloudwatch(action: &str, body: Value) -> Value {
    let outputs = &system().outputs;
    let scope = format!("test/20250101/{}/logs/aws4_request", outputs.region);
    let sent = system()
        .http
        .post(&outputs.endpoint_url)
        .header("x-amz-target", format!("Logs_20140328.{action}"))
        .header("content-type", "application/x-amz-json-1.1")
        .header(
            "authorization",
            format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"),
        )
        .body(body.to_string());
    sent.send().await.unwrap().json().await.unwrap()
}

#[test]
fn no_value_forges_a_line_of_a_log_and_none_is_in_it() {
    with_org(async |org| {
        let mark = random_id("mark");
        let forged = format!("{FORGED}{mark}");
        let key = org.add_organization_key().await;
        let parameters = [("user_id", forged.as_str()), ("data_export_id", &forged), ("cursor", &forged)];
        for path in ["/export_status", "/exports"] {
            Call::get(path, &parameters).with_key(&key).send().await;
        }
        Call::post("/export_data", json!({"user_id": forged, "x": forged}).to_string())
            .with_key(&key)
            .send()
            .await;
        send_sign_in(&forged, &forged).await;
        Visitor::sign_in(&org.caller).await.get(&format!("/exports/{mark}")).await;
        let lines = logged_lines().await;
        assert!(lines.iter().any(|line| line.contains("refused request")), "{} lines", lines.len());
        for line in lines {
            assert!(
                !line.contains(&mark) && !line.starts_with("{\"level\":\"ERROR\",\"message\":\"forged\""),
                "{line}"
            );
            for secret in [&key, &org.caller.key, &org.admin.email] {
                assert!(!line.contains(secret.as_str()), "a secret is logged");
            }
        }
    });
}
