//! The records of exports: read from their table, and put directly into it.

use aws_sdk_dynamodb::types::AttributeValue;
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde_json::{Map, Value, json};
use uuid::{NoContext, Timestamp, Uuid};

use crate::export::FIELDS;
use crate::org::{Caller, Item, TestOrg, sha256, text};
use crate::system::{now, system};

/// Requests that a key may make in a window: the template's parameter `KeyRequestLimit`.
const REQUESTS_OF_A_KEY: u32 = 500;
const WINDOW_SECONDS: i64 = 10;

/// A record as the API makes it: REQUESTED, for all fields of every workspace in January 2025.
pub fn new_record(org: &TestOrg, caller: &Caller, created_ts: DateTime<Utc>) -> Value {
    json!({
        "data_export_id": new_export_id(created_ts),
        "organization_id": org.id,
        "user_id": caller.user_id,
        "state": "REQUESTED",
        "created_ts": timestamp(created_ts),
        "request": {
            "fields": FIELDS,
            "interval": {"start": "2025-01-01T00:00:00.000Z", "end": "2025-01-31T23:59:59.999Z"},
            "scope": {
                "all_workspaces": true,
                "personal_workspaces": true,
                "workspace_ids": [],
                "entity_ids": [],
            },
        },
        "attempts": 0,
        "epoch": 0,
        "unsettled": "unsettled",
        // The deployed reconciler leaves it to the test.
        "check_ts": timestamp(now() + TimeDelta::hours(1)),
        "progress": 0,
        "row_count": 0,
        "ttl": (created_ts + TimeDelta::days(90)).timestamp(),
    })
}

/// Turns the record into that of an export which a worker has claimed `attempts` times before it died.
#[must_use]
pub fn abandoned(mut record: Value, attempts: u32) -> Value {
    record["state"] = "IN_PROGRESS".into();
    record["attempts"] = attempts.into();
    record["epoch"] = attempts.into();
    record["lease_owner"] = "a worker that died".into();
    record["lease_until"] = timestamp(now() - TimeDelta::minutes(1)).into();
    record
}

/// Turns the record into that of a failed export.
#[must_use]
pub fn failed(mut record: Value) -> Value {
    record["state"] = "FAILED".into();
    record["finished_ts"] = record["created_ts"].clone();
    record["error"] = "Something went wrong on our side.".into();
    record
}

/// Turns the record into that of an export which a worker is making.
#[must_use]
pub fn running(mut record: Value, progress: u8, rows: u64) -> Value {
    record["state"] = "IN_PROGRESS".into();
    record["attempts"] = 1.into();
    record["progress"] = progress.into();
    record["row_count"] = rows.into();
    record["lease_until"] = timestamp(now() + TimeDelta::minutes(5)).into();
    record
}

/// Turns the record into that of a completed export, though it has no file.
#[must_use]
pub fn completed(mut record: Value, rows: u64, bytes: u64) -> Value {
    record["state"] = "COMPLETED".into();
    record["progress"] = 100.into();
    record["finished_ts"] = record["created_ts"].clone();
    record["row_count"] = rows.into();
    record["size_bytes"] = bytes.into();
    record["checksum"] = "crc32:0a1b2c3d".into();
    record["manifest"] = json!({"key": "exports/none.manifest.1.1.json", "bytes": 300, "crc32": 7});
    record["expires_ts"] = timestamp(now() + TimeDelta::days(28)).into();
    record
}

pub fn id_of(record: &Value) -> String {
    record["data_export_id"].as_str().unwrap().to_owned()
}

pub fn timestamp(instant: DateTime<Utc>) -> String {
    instant.to_rfc3339_opts(SecondsFormat::Millis, true)
}

pub fn new_export_id(created_ts: DateTime<Utc>) -> String {
    let seconds = u64::try_from(created_ts.timestamp()).unwrap();
    Uuid::new_v7(Timestamp::from_unix(NoContext, seconds, created_ts.timestamp_subsec_nanos())).to_string()
}

/// Puts an export as the API does: the ids that its request names into an item of their own, their number into the record.
pub async fn put_record(record: &Value) {
    let mut record = record.clone();
    let id = id_of(&record);
    if let Some(scope) = record["request"]["scope"].as_object_mut() {
        let mut take = |name: &str| scope.remove(name).filter(Value::is_array).unwrap_or_else(|| json!([]));
        let (workspace_ids, entity_ids) = (take("workspace_ids"), take("entity_ids"));
        let count = |ids: &Value| json!(ids.as_array().map_or(0, Vec::len));
        scope.insert("workspace_count".to_owned(), count(&workspace_ids));
        scope.insert("workbook_count".to_owned(), count(&entity_ids));
        if workspace_ids != json!([]) || entity_ids != json!([]) {
            put_as_it_is(&json!({
                "data_export_id": format!("REQUEST#{id}"),
                "workspace_ids": workspace_ids,
                "entity_ids": entity_ids,
                "ttl": record["ttl"],
            }))
            .await;
        }
    }
    put_as_it_is(&record).await;
}

/// Puts a record as it is: with its ids in it, as an earlier version did.
pub async fn put_as_it_is(record: &Value) {
    let AttributeValue::M(item) = attribute(record) else { panic!("not an object: {record}") };
    put(item).await;
}

/// Sets the active exports of the organization.
pub async fn put_active(org: &TestOrg, ids: Vec<String>) {
    put_active_sets(org, [ids, Vec::new(), Vec::new()]).await;
}

/// Sets the ids of the organization's exports that are unfinished, that run, and that wait.
pub async fn put_active_sets(org: &TestOrg, sets: [Vec<String>; 3]) {
    let mut item = Item::from([("data_export_id".to_owned(), text(format!("ACTIVE#{}", org.id)))]);
    // DynamoDB has no empty sets.
    let sets = ["unfinished", "running", "waiting"].into_iter().zip(sets).filter(|(_, ids)| !ids.is_empty());
    item.extend(sets.map(|(name, ids)| (name.to_owned(), AttributeValue::Ss(ids))));
    put(item).await;
}

/// The ids of the organization's active exports.
pub async fn read_active(org: &TestOrg) -> Vec<String> {
    let record = read_record(&format!("ACTIVE#{}", org.id)).await;
    let ids = record["unfinished"].as_array().cloned().unwrap_or_default();
    ids.iter().map(|id| id.as_str().unwrap().to_owned()).collect()
}

/// The ids of the organization's exports that are unfinished, that run, and that wait, in order.
pub async fn active_sets(org: &TestOrg) -> [Vec<String>; 3] {
    let record = read_record(&format!("ACTIVE#{}", org.id)).await;
    ["unfinished", "running", "waiting"].map(|name| {
        let ids = record[name].as_array().into_iter().flatten();
        let mut ids: Vec<_> = ids.map(|id| id.as_str().unwrap().to_owned()).collect();
        ids.sort();
        ids
    })
}

/// Reads the record with this key; `null` if there is none.
pub async fn read_record(key: &str) -> Value {
    let sent = system()
        .dynamodb
        .get_item()
        .table_name(&system().outputs.tables.exports)
        .key("data_export_id", text(key))
        .consistent_read(true)
        .send()
        .await;
    sent.unwrap().item.map_or(Value::Null, |item| object(&item))
}

/// Changes one attribute of a record.
pub async fn set_in_record(id: &str, name: &str, value: &Value) {
    let sent = system()
        .dynamodb
        .update_item()
        .table_name(&system().outputs.tables.exports)
        .key("data_export_id", text(id))
        .update_expression("SET #name = :value")
        .condition_expression("attribute_exists(data_export_id)")
        .expression_attribute_names("#name", name)
        .expression_attribute_values(":value", attribute(value));
    sent.send().await.unwrap();
}

/// Deletes the record with this key.
pub async fn delete_record(key: &str) {
    let table = &system().outputs.tables.exports;
    let delete = system().dynamodb.delete_item().table_name(table).key("data_export_id", text(key));
    delete.send().await.unwrap();
}

async fn put(item: Item) {
    let table = &system().outputs.tables.exports;
    system().dynamodb.put_item().table_name(table).set_item(Some(item)).send().await.unwrap();
}

fn attribute(value: &Value) -> AttributeValue {
    match value {
        Value::Null => AttributeValue::Null(true),
        Value::Bool(flag) => AttributeValue::Bool(*flag),
        Value::Number(number) => AttributeValue::N(number.to_string()),
        Value::String(string) => text(string),
        Value::Array(values) => AttributeValue::L(values.iter().map(attribute).collect()),
        Value::Object(members) => {
            AttributeValue::M(members.iter().map(|(name, value)| (name.clone(), attribute(value))).collect())
        }
    }
}

fn object(item: &Item) -> Value {
    Value::Object(item.iter().map(|(name, value)| (name.clone(), json_of(value))).collect::<Map<_, _>>())
}

fn json_of(value: &AttributeValue) -> Value {
    match value {
        AttributeValue::Bool(flag) => (*flag).into(),
        AttributeValue::N(number) => serde_json::from_str(number).unwrap(),
        AttributeValue::S(string) => string.as_str().into(),
        AttributeValue::Ss(strings) => strings.clone().into(),
        AttributeValue::L(values) => values.iter().map(json_of).collect(),
        AttributeValue::M(members) => object(members),
        _ => Value::Null,
    }
}

impl TestOrg {
    /// Counts as many requests of this key as it may make, for this window and the next ones.
    pub async fn use_up_requests(&self, key: &str) {
        let window = now().timestamp().div_euclid(WINDOW_SECONDS);
        for window in window..window + 12 {
            put_as_it_is(&json!({
                "data_export_id": format!("RATE#{}#{window}", sha256(key)),
                "requests": REQUESTS_OF_A_KEY,
                "ttl": now().timestamp() + 600,
            }))
            .await;
        }
    }
}
