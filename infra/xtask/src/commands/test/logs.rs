//! Whether the functions have logged what nobody may read there: after all tests, no log group has an API key, an email address or
//! a name of anybody in the directory.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::local::aws;
use crate::local::outputs::Outputs;

/// Shorter names are words that a log may have anyhow.
const MIN_NAME_CHARS: usize = 8;
/// How every API key begins.
const KEY_PREFIX: &str = "uex_";
/// How much of a line is shown.
const MAX_SHOWN_CHARS: usize = 200;

/// Reads all log groups of the emulator, and says how much was looked at.
///
/// # Errors
///
/// Fails if a line has one of these texts, or if there are no logs.
pub async fn check(outputs: &Outputs) -> Result<String> {
    let private = private_texts(outputs).await?;
    let (mut lines, mut groups, mut found) = (0_usize, 0_usize, BTreeMap::new());
    for group in log_groups(outputs).await? {
        let messages = messages(outputs, &group).await?;
        groups += usize::from(!messages.is_empty());
        for line in messages.iter().flat_map(|message| message.lines()) {
            lines += 1;
            if let Some(text) = private_text(line, &private) {
                found.entry(text.to_owned()).or_insert_with(|| format!("{group}: {}", shown(line)));
            }
        }
    }
    ensure!(lines > 0, "the functions have logged nothing");
    ensure!(
        found.is_empty(),
        "the logs have what nobody may read there:\n{}",
        found.iter().map(|(text, line)| format!("  {text:?} in {line}")).collect::<Vec<_>>().join("\n")
    );
    let texts = private.len();
    Ok(format!("{lines} lines of {groups} log groups have no API key and none of {texts} emails and names"))
}

/// The first private text of a line.
fn private_text<'a>(line: &'a str, private: &'a BTreeSet<String>) -> Option<&'a str> {
    if line.contains(KEY_PREFIX) {
        return Some(KEY_PREFIX);
    }
    private.iter().map(String::as_str).find(|text| line.contains(text))
}

/// The email addresses and names of everybody and everything in the directory.
async fn private_texts(outputs: &Outputs) -> Result<BTreeSet<String>> {
    let client = aws_sdk_dynamodb::Client::new(&aws::root_at(&outputs.endpoint_url).await);
    let scan = client.scan().table_name(&outputs.tables.directory).into_paginator().items().send();
    let items: Vec<_> = scan.try_collect().await.context("the directory cannot be read")?;
    let texts = items.iter().flat_map(|item| ["email", "name"].map(|name| item.get(name)?.as_s().ok()));
    let texts = texts.flatten().filter(|text| text.chars().count() >= MIN_NAME_CHARS);
    Ok(texts.cloned().collect())
}

async fn log_groups(outputs: &Outputs) -> Result<Vec<String>> {
    let answer = call(outputs, "DescribeLogGroups", &json!({})).await?;
    let groups = answer["logGroups"].as_array().context("no log groups")?;
    Ok(groups.iter().filter_map(|group| group["logGroupName"].as_str().map(str::to_owned)).collect())
}

async fn messages(outputs: &Outputs, group: &str) -> Result<Vec<String>> {
    let (mut messages, mut request) = (Vec::new(), json!({"logGroupName": group, "limit": 10_000}));
    loop {
        let answer = call(outputs, "FilterLogEvents", &request).await?;
        let events = answer["events"].as_array().cloned().unwrap_or_default();
        messages.extend(events.iter().filter_map(|event| event["message"].as_str().map(str::to_owned)));
        match &answer["nextToken"] {
            Value::String(token) if !events.is_empty() => request["nextToken"] = token.as_str().into(),
            _ => return Ok(messages),
        }
    }
}

/// Calls an action of CloudWatch Logs. The emulator checks no signature.
async fn call(outputs: &Outputs, action: &str, body: &Value) -> Result<Value> {
    let scope = format!("{}/20250101/{}/logs/aws4_request", outputs.access_key_id, outputs.region);
    let sent = reqwest::Client::new()
        .post(&outputs.endpoint_url)
        .header("x-amz-target", format!("Logs_20140328.{action}"))
        .header("content-type", "application/x-amz-json-1.1")
        .header(
            "authorization",
            format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"),
        )
        .body(body.to_string())
        .send()
        .await?;
    Ok(serde_json::from_slice(&sent.error_for_status()?.bytes().await?)?)
}

fn shown(line: &str) -> String {
    line.chars().take(MAX_SHOWN_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_with_a_key_an_email_or_a_name_is_found() {
        let private = BTreeSet::from(["ada@example.com".to_owned(), "Quarterly sales".to_owned()]);
        let found = |line| private_text(line, &private);
        assert_eq!(found(r#"{"message":"key uex_abc"}"#), Some("uex_"));
        assert_eq!(found("sent to ada@example.com"), Some("ada@example.com"));
        assert_eq!(found("workspace Quarterly sales"), Some("Quarterly sales"));
        assert_eq!(found(r#"{"data_export_id":"019ab0a2"}"#), None);
    }
}
