//! The oracle: computes from the tables what a file must contain, in the plainest way: it reads everything, then filters,
//! then sorts.
//!
//! It shares no code with the product, on purpose: a fault of shared code would be in the file and in the expectation. So
//! it has its own list of the fields ([`Snapshot::expected`] fails for one that it does not know), its own rules for quotes
//! and formulas, and its own CRC-32.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Days, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime};
use futures::stream::{self, StreamExt};
use serde_json::Value;

use crate::org::{Item, TestOrg, text};
use crate::system::system;

/// Everything that the tables have about an organization at one time.
pub struct Snapshot {
    /// Name and kind by id.
    workspaces: BTreeMap<String, (String, String)>,
    emails: BTreeMap<String, String>,
    /// Name and creation time by id.
    workbooks: BTreeMap<String, (String, String)>,
    runs: Vec<StoredRun>,
}

struct StoredRun {
    workspace_id: String,
    start: String,
    run_id: String,
    workbook_id: String,
    user_id: String,
    credit_cost: String,
    finished_ts: String,
}

impl Snapshot {
    /// Reads the directory, and the partitions of the usage records that the test has written to.
    pub async fn read(org: &TestOrg) -> Self {
        let outputs = &system().outputs;
        let mut workspaces = BTreeMap::new();
        let mut emails = BTreeMap::new();
        for item in query(&outputs.tables.directory, &format!("ORG#{}", org.id)).await {
            let sk = string(&item, "SK");
            if let Some(id) = sk.strip_prefix("WORKSPACE#") {
                workspaces.insert(id.to_owned(), (string(&item, "name"), string(&item, "kind")));
            } else if let Some(id) = sk.strip_prefix("MEMBER#") {
                emails.insert(id.to_owned(), string(&item, "email"));
            }
        }
        let partitions = org.partitions.lock().unwrap().clone();
        let runs: Vec<StoredRun> = stream::iter(partitions)
            .map(async |partition| query(&outputs.tables.usage_records, &partition).await)
            .buffer_unordered(8)
            .flat_map(|items| stream::iter(items).map(|item| StoredRun::of(&item)))
            .collect()
            .await;
        let ids: BTreeSet<_> = runs.iter().map(|run| run.workbook_id.clone()).collect();
        let workbooks = stream::iter(ids)
            .map(async |id| {
                let items = query(&outputs.tables.directory, &format!("WORKBOOK#{id}")).await;
                items.first().map(|item| (id, (string(item, "name"), string(item, "created_ts"))))
            })
            .buffer_unordered(8)
            .filter_map(async |named| named)
            .collect()
            .await;
        Self { workspaces, emails, workbooks, runs }
    }

    /// The file that this request must give, and the number of its rows.
    pub fn expected(&self, request: &Value) -> (Vec<u8>, usize) {
        let workspaces = self.scope(request);
        let workbooks = strings(request, "entity_ids");
        let (first, last) = (instant(request, "start_date"), last_instant(request));
        let mut rows: Vec<&StoredRun> = self
            .runs
            .iter()
            .filter(|run| workspaces.contains(&run.workspace_id.as_str()))
            .filter(|run| workbooks.is_empty() || workbooks.contains(&run.workbook_id.as_str()))
            .filter(|run| {
                let start = DateTime::parse_from_rfc3339(&run.start).unwrap();
                first <= start && start <= last
            })
            .collect();
        rows.sort_by_key(|run| (&run.workspace_id, &run.start, &run.run_id));
        let fields = strings(request, "export_fields");
        let mut file = line(fields.iter().map(|field| (*field).to_owned()).collect());
        for run in &rows {
            file += &line(fields.iter().map(|field| self.cell(run, field)).collect());
        }
        (file.into_bytes(), rows.len())
    }

    fn scope(&self, request: &Value) -> Vec<&str> {
        let all = request["include_all_workspaces"] == true;
        let shared = request["include_organization_workspaces"] == true;
        let personal = request["include_personal_workspaces"] == true;
        let named = strings(request, "workspace_ids");
        let everywhere = all || (!shared && !personal && named.is_empty());
        let chosen = self.workspaces.iter().filter(|(id, (_, kind))| {
            let of_kind = if kind == "personal" { personal } else { shared };
            everywhere || of_kind || named.contains(&id.as_str())
        });
        chosen.map(|(id, _)| id.as_str()).collect()
    }

    fn cell(&self, run: &StoredRun, field: &str) -> String {
        let workspace = self.workspaces.get(&run.workspace_id).cloned().unwrap_or_default();
        let workbook = self.workbooks.get(&run.workbook_id).cloned().unwrap_or_default();
        match field {
            "workspace_id" => escape_formula(run.workspace_id.clone()),
            "workspace_name" => escape_formula(workspace.0),
            "workbook_id" => escape_formula(run.workbook_id.clone()),
            "workbook_name" => escape_formula(workbook.0),
            "workbook_created_ts" => workbook.1,
            "user_id" => escape_formula(run.user_id.clone()),
            "user_email" => escape_formula(self.emails.get(&run.user_id).cloned().unwrap_or_default()),
            "run_id" => escape_formula(run.run_id.clone()),
            "credit_cost" => run.credit_cost.clone(),
            "pl_run_created_ts" => run.start.clone(),
            "pl_run_finished_ts" => run.finished_ts.clone(),
            other => panic!("there is no field {other}"),
        }
    }
}

impl StoredRun {
    fn of(item: &Item) -> Self {
        let (pk, sk) = (string(item, "PK"), string(item, "SK"));
        Self {
            workspace_id: pk.rsplit_once('#').unwrap().0.to_owned(),
            start: sk.split_once('#').unwrap().0.to_owned(),
            run_id: sk.split_once('#').unwrap().1.to_owned(),
            workbook_id: string(item, "workbook_id"),
            user_id: string(item, "user_id"),
            credit_cost: item.get("credit_cost").map_or("", |cost| cost.as_n().unwrap()).to_owned(),
            finished_ts: string(item, "finished_ts"),
        }
    }
}

/// Escapes a cell that a spreadsheet would run as a formula.
fn escape_formula(name: String) -> String {
    let runs = name.starts_with(|first: char| "=+-@＝＋－＠\t\r\n\0".contains(first));
    if runs { format!("'{name}") } else { name }
}

/// A line of the file. Only cells that must be are quoted.
fn line(cells: Vec<String>) -> String {
    if cells == [""] {
        // Many readers would skip an empty line.
        return "\"\"\r\n".to_owned();
    }
    let quoted = cells.into_iter().map(|cell| {
        let bare = !cell.contains([',', '"', '\r', '\n']);
        if bare { cell } else { format!("\"{}\"", cell.replace('"', "\"\"")) }
    });
    quoted.collect::<Vec<_>>().join(",") + "\r\n"
}

fn instant(request: &Value, name: &str) -> DateTime<FixedOffset> {
    let given = request[name].as_str().unwrap();
    if let Ok(date) = given.parse::<NaiveDate>() {
        return date.and_time(NaiveTime::MIN).and_utc().fixed_offset();
    }
    match given.parse::<NaiveDateTime>() {
        Ok(utc) => utc.and_utc().fixed_offset(),
        Err(_) => DateTime::parse_from_rfc3339(given).unwrap(),
    }
}

/// The last instant of the request's interval. A midnight stands for its whole day, whose last millisecond is the last
/// start that a run can have.
fn last_instant(request: &Value) -> DateTime<FixedOffset> {
    let end = instant(request, "end_date");
    if end.time() != NaiveTime::MIN {
        return end;
    }
    end + Days::new(1) - chrono::TimeDelta::milliseconds(1)
}

fn strings<'a>(request: &'a Value, name: &str) -> Vec<&'a str> {
    request[name].as_array().into_iter().flatten().map(|text| text.as_str().unwrap()).collect()
}

/// A string attribute; empty if the item does not have it.
fn string(item: &Item, name: &str) -> String {
    item.get(name).map_or("", |value| value.as_s().unwrap()).to_owned()
}

/// Reads all items of a partition.
async fn query(table: &str, partition: &str) -> Vec<Item> {
    let pages = system()
        .dynamodb
        .query()
        .table_name(table)
        .key_condition_expression("PK = :pk")
        .expression_attribute_values(":pk", text(partition))
        .consistent_read(true)
        .into_paginator()
        .items()
        .send();
    pages.collect::<Result<Vec<_>, _>>().await.unwrap()
}

/// The CRC-32 of zip and PNG: reflected, with the polynomial 0xEDB88320.
pub fn crc32(bytes: &[u8]) -> u32 {
    let table: Vec<u32> = (0..256)
        .map(|byte| {
            (0..8).fold(byte, |crc, _| if crc & 1 == 1 { (crc >> 1) ^ 0xEDB8_8320 } else { crc >> 1 })
        })
        .collect();
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        let [index, ..] = (crc ^ u32::from(*byte)).to_le_bytes();
        (crc >> 8) ^ table[usize::from(index)]
    })
}
