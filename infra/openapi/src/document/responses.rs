//! Responses: those that succeed, and refusals by their status.

use std::collections::BTreeMap;

use http::header::{self, HeaderMap};
use serde_json::{Map, Value, json};
use usage_export::audit::call::AuditCall;
use usage_export::export::State;
use usage_export::export::request::{CancelCall, ExportCall, HistoryCall, StatusCall};
use usage_export::problem::{CONTENT_TYPE, Problem, refusal};

use super::{Refusal, examples};

/// Where the schema of a refusal is.
pub const PROBLEM: &str = "#/components/schemas/Problem";

/// What the texts of the examples have for the limits of `template.yaml`, by default.
const ACTIVE_EXPORT_LIMIT: u32 = 5;
const KEY_REQUEST_LIMIT: u32 = 500;
const WINDOW_SECONDS: i64 = 10;

/// Headers that refusals have, and what they are.
const HEADERS: [(header::HeaderName, &str, &str); 3] = [
    (header::WWW_AUTHENTICATE, "string", "How to send a key"),
    (header::ALLOW, "string", "The method that the address takes"),
    (header::RETRY_AFTER, "integer", "After how many seconds to try again"),
];

/// A response with JSON.
pub fn json_response(description: &str, schema: Value, example: Value) -> Value {
    json!({
        "description": description,
        "content": { "application/json": { "schema": schema, "example": example } },
    })
}

/// Adds the refusals that every endpoint has, and its own, to its responses.
pub fn add_refusals(responses: &mut Map<String, Value>, method: &'static str, own: Vec<Refusal>) {
    let mut by_status = BTreeMap::<u16, Vec<Refusal>>::new();
    for refusal in common(method).into_iter().chain(own) {
        by_status.entry(refusal.1.status.as_u16()).or_default().push(refusal);
    }
    for (status, refusals) in by_status {
        responses.insert(status.to_string(), refused(status, refusals));
    }
}

fn common(method: &'static str) -> Vec<Refusal> {
    vec![
        ("no_key", refusal::no_key()),
        ("invalid_key", refusal::invalid_key()),
        ("two_users", refusal::two_users()),
        ("not_the_owner_of_the_key", refusal::not_the_owner_of_the_key()),
        ("not_a_member", refusal::not_a_member()),
        ("not_an_administrator", refusal::not_an_administrator()),
        ("other_tier", refusal::other_tier()),
        ("no_organization", refusal::no_organization()),
        ("other_method", Problem::only_takes(method)),
        ("too_many_requests", refusal::too_many_requests(KEY_REQUEST_LIMIT, WINDOW_SECONDS, 3)),
        ("internal", Problem::internal(examples::REQUEST_ID)),
    ]
}

/// What else `POST /export_data` refuses.
pub fn of_export_data() -> Vec<Refusal> {
    let parse = |body: &[u8]| ExportCall::parse(body).err();
    let faults = parse(br#"{"user_id": "usr_1", "export_fields": ["run_id", "cost"], "start_date": "31.01.2025", "end_date": "2025-01-31"}"#);
    let no_scope = parse(
        br#"{"user_id": "usr_1", "export_fields": ["run_id"], "start_date": "2025-01-01", "end_date": "2025-01-31", "entity_ids": []}"#,
    );
    let no_json = parse(b"user_id=usr_1");
    let named = [("several_faults", faults), ("nothing_is_selected", no_scope), ("no_json", no_json)];
    let mut refusals = found(named);
    refusals.extend([
        ("no_workspace", refusal::no_workspace("wsp_2", 0)),
        ("key_reused", refusal::key_reused()),
        ("no_free_slot", refusal::no_free_slot(ACTIVE_EXPORT_LIMIT)),
    ]);
    refusals
}

/// What else `POST /cancel_export` refuses.
pub fn of_cancel_export() -> Vec<Refusal> {
    let mut refusals = found([("no_export_named", CancelCall::parse(br#"{"user_id": "usr_1"}"#).err())]);
    refusals.extend([
        ("no_export", refusal::no_export()),
        ("export_of_another_user", refusal::export_of_another_user()),
        ("finished_already", refusal::finished_already(State::Completed.name())),
    ]);
    refusals
}

/// What else `GET /export_status` refuses.
pub fn of_export_status() -> Vec<Refusal> {
    let parse =
        |parameters: &'static [(&str, &str)]| StatusCall::parse(examples::parameters(parameters)).err();
    let mut refusals = found([
        ("no_export_named", parse(&[("user_id", "usr_1")])),
        (
            "empty_flag",
            parse(&[("user_id", "usr_1"), ("data_export_id", examples::EXPORT_ID), ("download", "")]),
        ),
    ]);
    refusals.extend([
        ("no_export", refusal::no_export()),
        ("export_of_another_user", refusal::export_of_another_user()),
        ("expired", refusal::expired()),
        ("no_manifest", refusal::no_manifest()),
    ]);
    refusals
}

/// What else `GET /exports` refuses.
pub fn of_exports() -> Vec<Refusal> {
    let parameters = &[("user_id", "usr_1"), ("cursor", "2")];
    found([("other_cursor", HistoryCall::parse(examples::parameters(parameters)).err())])
}

/// What else `GET /audit` refuses.
pub fn of_audit() -> Vec<Refusal> {
    let parse =
        |parameters: &'static [(&str, &str)]| AuditCall::parse(examples::parameters(parameters)).err();
    found([
        ("no_end", parse(&[("user_id", "usr_1"), ("start_date", "2025-01-01")])),
        ("file_of_no_time", parse(&[("user_id", "usr_1"), ("download", "true")])),
        ("other_cursor", parse(&[("user_id", "usr_1"), ("cursor", "2")])),
    ])
}

fn found<const N: usize>(named: [(&'static str, Option<Problem>); N]) -> Vec<Refusal> {
    named.into_iter().filter_map(|(name, problem)| Some((name, problem?))).collect()
}

/// The response of one status. Its headers are those that the functions send.
fn refused(status: u16, refusals: Vec<Refusal>) -> Value {
    let mut headers = Map::new();
    let mut shown = Map::new();
    for (name, problem) in refusals {
        let summary = problem.detail.clone();
        let value = serde_json::to_value(problem.document(examples::REQUEST_ID)).unwrap_or_default();
        shown.insert(name.to_owned(), json!({ "summary": summary, "value": value }));
        headers.extend(documented(problem.into_response(examples::REQUEST_ID).headers()));
    }
    let mut response = json!({
        "description": description(status),
        "content": { CONTENT_TYPE: { "schema": { "$ref": PROBLEM }, "examples": shown } },
    });
    if !headers.is_empty() {
        response["headers"] = headers.into();
    }
    response
}

fn documented(sent: &HeaderMap) -> impl Iterator<Item = (String, Value)> {
    HEADERS.iter().filter(|(name, ..)| sent.contains_key(name)).map(|(name, kind, description)| {
        let title = name.as_str().split('-').map(|word| word[..1].to_uppercase() + &word[1..]);
        let title = title.collect::<Vec<_>>().join("-");
        (title, json!({ "required": true, "description": description, "schema": { "type": kind } }))
    })
}

fn description(status: u16) -> &'static str {
    match status {
        400 => "The request is malformed. `errors` names every field at fault",
        401 => "No valid API key",
        403 => "The key, the user or the organization may not do this",
        404 => "There is no such thing, or no longer",
        405 => "The address takes another method",
        409 => "The export is finished",
        422 => "The `Idempotency-Key` came with another body before",
        429 => "Too many requests of the API key, or too many unfinished exports of the organization",
        _ => "The fault is ours. The cause is logged with the request id",
    }
}
