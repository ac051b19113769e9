//! What the functions have logged, by the API of `CloudWatch` Logs.

use std::time::Duration;

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::system::system;

/// All lines of all log groups that have this text.
pub async fn lines_with(text: &str) -> Vec<String> {
    let mut lines = Vec::new();
    for group in call("DescribeLogGroups", json!({})).await["logGroups"].as_array().unwrap() {
        let filter = if text.is_empty() { String::new() } else { format!("\"{text}\"") };
        let events = json!({"logGroupName": group["logGroupName"], "limit": 10_000, "filterPattern": filter});
        let events = call("FilterLogEvents", events).await["events"].as_array().cloned().unwrap_or_default();
        lines.extend(events.iter().map(|event| event["message"].as_str().unwrap().to_owned()));
    }
    lines
}

/// The lines about an export in the embedded metric format.
pub async fn metrics_of(data_export_id: &str) -> Vec<Value> {
    let lines = lines_with(data_export_id).await;
    // Lambda's own lines are no JSON. The local system logs several lines as one.
    let parsed =
        lines.iter().flat_map(|line| line.lines()).filter_map(|line| serde_json::from_str(line).ok());
    parsed
        .filter(|line: &Value| line["_aws"].is_object() && line["data_export_id"] == data_export_id)
        .collect()
}

/// Calls an action of the API with JSON. The emulator fails at times while functions log at the same moment.
pub async fn call(action: &str, body: Value) -> Value {
    let mut answer = try_to_call(action, &body).await;
    for _ in 0..20 {
        if answer.0.is_success() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
        answer = try_to_call(action, &body).await;
    }
    let (status, text) = answer;
    assert!(status.is_success(), "{action}: {status}: {text}");
    serde_json::from_str(&text).unwrap()
}

async fn try_to_call(action: &str, body: &Value) -> (StatusCode, String) {
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
    let answer = sent.send().await.unwrap();
    (answer.status(), answer.text().await.unwrap())
}
