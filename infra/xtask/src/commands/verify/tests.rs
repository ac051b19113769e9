use std::path::PathBuf;

use serde_json::{Value, json};

use super::*;

/// Three runs of two workspaces in two months. The ids and names are as hostile as they can be.
const CSV: &str = "workspace_id,workspace_name,workbook_id,credit_cost,pl_run_created_ts\r\n\
    '=wsp_1,\"Sales, \"\"EU\"\"\r\n=1+1\",wbk_1,0.1,2024-12-31T23:59:59.999Z\r\n\
    '=wsp_1,\"Sales, \"\"EU\"\"\r\n=1+1\",,0.25,2025-01-01T00:00:00.000Z\r\n\
    'wsp_2,'=cmd|' /C calc'!A0,wbk_1,,2025-01-15T12:00:00.000Z\r\n";

fn manifest() -> Value {
    let workspace = |id: &str, name: &str| json!({"workspace_id": id, "name": name});
    let total = |rows: u64, cost: &str| json!({"rows": rows, "credit_cost": cost});
    json!({
        "schema_version": 1,
        "data_export_id": "0194c7a8-0000-7000-8000-000000000001",
        "organization_id": "org_1",
        "created_ts": "2025-02-03T08:00:00.000Z",
        "finished_ts": "2025-02-03T08:00:04.250Z",
        "fields": ["workspace_id", "workspace_name", "workbook_id", "credit_cost", "pl_run_created_ts"],
        "interval": {"start": "2024-12-01T00:00:00.000Z", "end": "2025-01-31T23:59:59.999Z"},
        "scope": {
            "workspaces": [
                workspace("'wsp_2", "=cmd|' /C calc'!A0"), workspace("=wsp_1", "Sales, \"EU\"\r\n=1+1"),
                workspace("wsp_without_runs", ""),
            ],
            "entity_ids": [],
        },
        "rows": 3,
        "bytes": CSV.len(),
        "checksum": format!("crc32:{:08x}", crc32fast::hash(CSV.as_bytes())),
        "empty_cells": {"workbook_id": 1, "credit_cost": 1},
        "totals": {
            "total": total(3, "0.35"),
            "workspaces": {"'wsp_2": total(1, "0"), "=wsp_1": total(2, "0.35")},
            "months": {"2024-12": total(1, "0.1"), "2025-01": total(2, "0.25")},
        },
    })
}

/// A folder with a file and its manifest, until it is dropped.
struct Download(PathBuf);

impl Download {
    fn new(test: &str, csv: &str, manifest: &Value) -> Self {
        let folder = std::env::temp_dir().join(format!("usage-export-verify-{test}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("export.csv"), csv).unwrap();
        std::fs::write(folder.join("export.manifest.json"), manifest.to_string()).unwrap();
        Self(folder)
    }

    fn options(&self) -> VerifyOptions {
        VerifyOptions { file: self.0.join("export.csv"), manifest: None }
    }

    fn compare(&self) -> Result<Comparison> {
        compare(&self.0.join("export.csv"), &self.0.join("export.manifest.json"))
    }
}

impl Drop for Download {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// What is printed below the table of all figures.
fn verdict(comparison: &Comparison) -> String {
    comparison.to_string().split_once("\n\n").unwrap().1.to_owned()
}

#[test]
fn a_file_that_is_as_its_manifest_says_agrees() {
    let download = Download::new("agrees", CSV, &manifest());
    let comparison = download.compare().unwrap();
    assert_eq!(verdict(&comparison), "All 17 figures agree.\n");
    let table = comparison.to_string();
    let line = table.lines().find(|line| line.contains("workspace =wsp_1: credit_cost")).unwrap();
    assert_eq!(line.split_whitespace().skip(3).collect::<Vec<_>>(), ["0.35", "0.35"]);
    assert_eq!(verify(&download.options()).unwrap(), ExitCode::SUCCESS);
}

#[test]
fn a_changed_cost_differs_wherever_it_is_summed() {
    let download = Download::new("cost", &CSV.replace(",0.25,", ",0.26,"), &manifest());
    let comparison = download.compare().unwrap();
    let verdict = verdict(&comparison);
    assert!(verdict.starts_with("4 of 17 figures differ:\n"), "{verdict}");
    for what in
        ["checksum", "total: credit_cost", "workspace =wsp_1: credit_cost", "month 2025-01: credit_cost"]
    {
        assert!(verdict.contains(&format!("≠ {what} ")), "{what} is not in {verdict}");
    }
    assert_eq!(verify(&download.options()).unwrap(), ExitCode::FAILURE);
}

#[test]
fn a_row_that_is_missing_or_moved_to_another_workspace_differs() {
    let (rest, _) = CSV.split_at(CSV.find("'wsp_2").unwrap());
    let missing = Download::new("missing", rest, &manifest()).compare().unwrap();
    let verdict_of_missing = verdict(&missing);
    for what in ["rows", "bytes", "checksum", "empty cells in credit_cost", "workspace 'wsp_2: rows"] {
        assert!(verdict_of_missing.contains(&format!("≠ {what} ")), "{verdict_of_missing}");
    }
    let moved = CSV.replace("\r\n'wsp_2", "\r\nwsp_3");
    let moved = verdict(&Download::new("moved", &moved, &manifest()).compare().unwrap());
    assert!(
        moved.contains("≠ workspace wsp_3: rows") && moved.contains("≠ workspace 'wsp_2: rows"),
        "{moved}"
    );
}

#[test]
fn a_manifest_that_was_changed_differs() {
    let mut changed = manifest();
    changed["totals"]["total"]["credit_cost"] = json!("0.350000000000000000000000001");
    let comparison = Download::new("manifest", CSV, &changed).compare().unwrap();
    assert!(
        verdict(&comparison).starts_with("1 of 17 figures differ:\n≠ total: credit_cost"),
        "{comparison}"
    );
}

#[test]
fn what_a_missing_column_would_show_is_said() {
    let csv = "run_id\r\na\r\nb\r\nc\r\n";
    let mut manifest = manifest();
    manifest["fields"] = json!(["run_id"]);
    manifest["bytes"] = json!(csv.len());
    manifest["checksum"] = json!(format!("crc32:{:08x}", crc32fast::hash(csv.as_bytes())));
    let comparison = Download::new("columns", csv, &manifest).compare().unwrap();
    assert!(comparison.agrees(), "{comparison}");
    assert_eq!(
        verdict(&comparison),
        "Not recomputed: empty cells in workbook_id: the file has no column workbook_id.\n\
         Not recomputed: empty cells in credit_cost: the file has no column credit_cost.\n\
         Not recomputed: totals of each workspace: the file has no column workspace_id.\n\
         Not recomputed: totals of each month: the file has no column pl_run_created_ts.\n\
         Not recomputed: sums of credit_cost: the file has no column credit_cost.\n\
         All 6 figures agree.\n"
    );
}

#[test]
fn a_file_that_is_no_csv_of_ours_differs_and_says_where() {
    for (test, csv, fault) in [
        (
            "float",
            CSV.replace(",0.25,", ",2.5e-1,"),
            r#"row 2: the credit_cost "2.5e-1" is not a plain decimal"#,
        ),
        ("short", CSV.replace(",wbk_1,,", ",,"), "found record with 4 fields"),
        ("terminal", CSV.replace(",0.25,", ",\u{1b}[2J,"), r"u{1b}[2J"),
    ] {
        let comparison = Download::new(test, &csv, &manifest()).compare().unwrap().to_string();
        assert!(comparison.contains("≠ faults") && comparison.contains(fault), "{comparison}");
        assert!(!comparison.contains('\u{1b}'), "{comparison}");
    }
}

#[test]
fn a_manifest_of_another_version_is_refused() {
    let mut newer = manifest();
    newer["schema_version"] = json!(2);
    let error = Download::new("version", CSV, &newer).compare().unwrap_err();
    assert!(format!("{error:#}").ends_with("has version 2, but only 1 is known here"), "{error:#}");
}
