//! Recomputes from a file what its manifest says, with the csv crate and bigdecimal rather than the product's code.

use std::collections::BTreeMap;
use std::str::FromStr;

use bigdecimal::BigDecimal;
use serde_json::{Value, json};

use crate::org::TestOrg;
use crate::records::read_record;
use crate::system::system;

/// The manifest of a completed export, as it is in the bucket.
pub async fn read_manifest(data_export_id: &str) -> Value {
    let record = read_record(data_export_id).await;
    let key = record["manifest"]["key"].as_str().unwrap_or_else(|| panic!("no manifest: {record}"));
    let object = system().s3.get_object().bucket(&system().outputs.bucket).key(key).send().await.unwrap();
    let json = object.body.collect().await.unwrap().into_bytes();
    assert_eq!(record["manifest"]["bytes"], json.len());
    assert_eq!(record["manifest"]["crc32"], crc32fast::hash(&json));
    serde_json::from_slice(&json).unwrap()
}

/// Asserts that the manifest of an export of this organization describes this file.
pub fn assert_describes(manifest: &Value, org: &TestOrg, data_export_id: &str, file: &[u8]) {
    let differences = differences(manifest, file);
    assert!(differences.is_empty(), "{differences:?}\n{manifest:#}");
    assert_eq!(manifest["schema_version"], 1);
    assert_eq!(
        (&manifest["organization_id"], &manifest["data_export_id"]),
        (&json!(org.id), &json!(data_export_id))
    );
}

/// What a manifest says otherwise than its file.
pub fn differences(manifest: &Value, file: &[u8]) -> Vec<String> {
    let found = Figures::read(file);
    let expected = |pointer: &str| manifest.pointer(pointer).cloned().unwrap_or_default();
    let mut differences = Vec::new();
    let mut compare = |what: &str, manifest: Value, found: Value| {
        if manifest != found {
            differences.push(format!("{what}: manifest {manifest}, file {found}"));
        }
    };
    compare("fields", expected("/fields"), json!(found.fields));
    compare("rows", expected("/rows"), json!(found.total.rows));
    compare("bytes", expected("/bytes"), json!(file.len()));
    compare("checksum", expected("/checksum"), json!(format!("crc32:{:08x}", crc32fast::hash(file))));
    compare("total", expected("/totals/total"), found.total.json());
    for (name, totals) in [("workspaces", &found.workspaces), ("months", &found.months)] {
        let rows = expected(&format!("/totals/{name}"));
        let rows =
            rows.as_object().map(|of| of.values().filter_map(|total| total["rows"].as_u64()).sum::<u64>());
        compare(&format!("rows of all {name}"), json!(rows), json!(found.total.rows));
        if let Some(totals) = totals {
            let totals: BTreeMap<_, _> = totals.iter().map(|(key, total)| (key, total.json())).collect();
            compare(name, expected(&format!("/totals/{name}")), json!(totals));
        }
    }
    for (field, empty) in &found.empty_cells {
        compare(
            &format!("empty {field}"),
            expected(&format!("/empty_cells/{field}")),
            empty.map_or(Value::Null, Value::from),
        );
    }
    differences
}

/// Columns whose cells are empty only where a record lacks the value.
const OPTIONAL: [&str; 4] = ["workbook_id", "user_id", "credit_cost", "pl_run_finished_ts"];

#[derive(Default)]
struct Figures {
    fields: Vec<String>,
    total: Total,
    /// Absent if the file does not have the column that they are grouped by.
    workspaces: Option<BTreeMap<String, Total>>,
    months: Option<BTreeMap<String, Total>>,
    empty_cells: BTreeMap<&'static str, Option<u64>>,
}

#[derive(Default)]
struct Total {
    rows: u64,
    credit_cost: Option<BigDecimal>,
}

impl Total {
    fn add(&mut self, cost: Option<&str>) {
        self.rows += 1;
        let Some(cost) = cost else { return };
        let sum = self.credit_cost.get_or_insert_default();
        if !cost.is_empty() {
            *sum += BigDecimal::from_str(cost).unwrap();
        }
    }

    fn json(&self) -> Value {
        match &self.credit_cost {
            None => json!({"rows": self.rows}),
            Some(sum) => json!({"rows": self.rows, "credit_cost": sum.normalized().to_plain_string()}),
        }
    }
}

/// An id without the `'` that keeps a spreadsheet from running it. Ids of these tests do not begin with one themselves.
fn unescaped(id: &str) -> String {
    id.strip_prefix('\'').unwrap_or(id).to_owned()
}

impl Figures {
    fn read(file: &[u8]) -> Self {
        let mut reader = csv::Reader::from_reader(file);
        let fields: Vec<String> = reader.headers().unwrap().iter().map(str::to_owned).collect();
        let place = |name: &str| fields.iter().position(|field| field == name);
        let (cost, workspace, start) =
            (place("credit_cost"), place("workspace_id"), place("pl_run_created_ts"));
        let mut figures = Self {
            workspaces: workspace.map(|_| BTreeMap::new()),
            months: start.map(|_| BTreeMap::new()),
            empty_cells: OPTIONAL
                .into_iter()
                .filter(|name| place(name).is_some())
                .map(|name| (name, None))
                .collect(),
            ..Self::default()
        };
        if cost.is_some() {
            figures.total.credit_cost = Some(BigDecimal::default());
        }
        for row in reader.records().map(Result::unwrap) {
            let cost = cost.map(|place| &row[place]);
            figures.total.add(cost);
            if let (Some(totals), Some(place)) = (&mut figures.workspaces, workspace) {
                totals.entry(unescaped(&row[place])).or_default().add(cost);
            }
            if let (Some(totals), Some(place)) = (&mut figures.months, start) {
                totals.entry(row[place][..7].to_owned()).or_default().add(cost);
            }
            for (name, empty) in &mut figures.empty_cells {
                if place(name).is_some_and(|place| row[place].is_empty()) {
                    *empty.get_or_insert_default() += 1;
                }
            }
        }
        figures.fields = fields;
        figures
    }
}
