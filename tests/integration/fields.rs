//! Columns, cells and their order.

use serde_json::{Value, json};

use integration_tests::export::{Export, FIELDS, request};
use integration_tests::org::TestOrg;
use integration_tests::outbox::send_message;
use integration_tests::records::{id_of, new_record, put_record};
use integration_tests::runs::Run;
use integration_tests::system::now;
use integration_tests::with_org;

/// Names that break careless writers of CSV, and names that a spreadsheet would run as a formula.
const HOSTILE: [&str; 18] = [
    "a,b",
    "a \"quoted\" word",
    "\"",
    "two\nlines",
    "two\r\nlines",
    "\rstarts with CR",
    "\tstarts with a tab",
    "=HYPERLINK(\"http://evil.example\",\"click\")",
    "+1",
    "-x",
    "@x",
    "'=1",
    " =1",
    "a=1",
    "表計算,ワークフロー",
    "\u{202e}مرحبا\u{202c}",
    "👩‍👩‍👧‍👦 \u{feff}zero",
    "#;|\\ \u{0}",
];

fn with_fields(fields: &[&str]) -> Value {
    request(&json!({"export_fields": fields, "include_all_workspaces": true}))
}

/// Writes runs whose workbook and user the directory knows or does not know, finished ones and one that is not.
async fn fill(org: &TestOrg) {
    let workspace = org.add_workspace("Sales, EMEA").await;
    let workbook = org.add_workbook(&workspace, "Lead \"scoring\"").await;
    let start = "2025-01-10T08:00:00.000Z";
    let known = Run::new(&workspace, start).of(&workbook).by(&org.admin.user_id);
    org.write_runs(&[known, Run::new(&workspace, start), Run::new(&workspace, start).unfinished()]).await;
}

#[test]
fn columns_are_the_requested_fields_in_their_order() {
    with_org(async |org| {
        fill(&org).await;
        let reversed: Vec<_> = FIELDS.into_iter().rev().collect();
        let mut bodies = vec![with_fields(&FIELDS), with_fields(&reversed)];
        bodies.extend(FIELDS.iter().map(|field| with_fields(&[field])));
        for _ in 0..6 {
            let mut some = FIELDS;
            fastrand::shuffle(&mut some);
            bodies.push(with_fields(&some[..fastrand::usize(2..FIELDS.len())]));
        }
        for (export, body) in org.assert_exports(&bodies).await.iter().zip(&bodies) {
            let header = body["export_fields"].as_array().unwrap();
            let header: Vec<_> = header.iter().map(|field| field.as_str().unwrap()).collect();
            assert!(export.text().starts_with(&format!("{}\r\n", header.join(","))), "{body}");
        }
    });
}

#[test]
fn hostile_names_are_quoted_and_escaped() {
    with_org(async |org| {
        let long = "x,".repeat(500);
        let mut runs = Vec::new();
        for name in HOSTILE.into_iter().chain([long.as_str()]) {
            let workspace = org.add_workspace(name).await;
            let workbook = org.add_workbook(&workspace, name).await;
            let member = org.add_member("member").await;
            org.set_email(&member.user_id, name).await;
            runs.push(Run::new(&workspace, "2025-01-10T08:00:00.000Z").of(&workbook).by(&member.user_id));
        }
        org.write_runs(&runs).await;
        let mut bodies = vec![with_fields(&FIELDS)];
        bodies.extend(["workspace_name", "workbook_name", "user_email"].map(|field| with_fields(&[field])));
        let exports = org.assert_exports(&bodies).await;
        for file in exports[1..].iter().map(Export::text) {
            for cell in ["\r\n'+1\r\n", "\r\n'-x\r\n", "\r\n'@x\r\n", "\r\n'\tstarts with a tab\r\n"] {
                assert!(file.contains(cell), "{cell:?} is not in {file:?}");
            }
            for cell in ["\r\n\"'\rstarts", "\r\n'=1\r\n", "\r\na=1\r\n", "\r\n\"\"\"\"\r\n", "\"a,b\"\r\n"] {
                assert!(file.contains(cell), "{cell:?} is not in {file:?}");
            }
            assert!(file.contains("\r\n\"'=HYPERLINK(\"\"http://evil.example\"\",\"\"click\"\")\"\r\n"));
        }
    });
}

#[test]
fn costs_are_exact() {
    // The largest and the smallest that DynamoDB takes, and forms that it stores in another way:
    // https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html
    let (nines, zeros) = ("9".repeat(38), "0".repeat(129));
    let largest = format!("{nines}{}", "0".repeat(88));
    let smallest = format!("-0.{zeros}1");
    let costs = [
        ("9.9999999999999999999999999999999999999E+125", largest.as_str()),
        ("-1E-130", &smallest),
        ("1E+2", "100"),
        ("-0", "0"),
        ("00100.500", "100.5"),
        ("0", "0"),
        ("0.0125", "0.0125"),
        ("-0.5", "-0.5"),
        ("123456789012345678.000001", "123456789012345678.000001"),
        ("12345678901234567890123456789012345678", "12345678901234567890123456789012345678"),
        ("0.00000000000000000001", "0.00000000000000000001"),
        ("1e3", "1000"),
        ("0.1", "0.1"),
    ];
    with_org(async |org| {
        let workspace = org.add_workspace("Costs").await;
        let mut runs: Vec<_> = costs
            .iter()
            .enumerate()
            .map(|(i, (cost, _))| {
                Run::new(&workspace, &format!("2025-01-10T08:00:{i:02}.000Z")).costing(cost)
            })
            .collect();
        runs.push(Run::new(&workspace, "2025-01-10T09:00:00.000Z").unfinished());
        org.write_runs(&runs).await;
        let body = with_fields(&["credit_cost", "pl_run_finished_ts"]);
        let export = org.export(&body).await;
        let written: Vec<_> = runs.iter().map(|run| run.finished_ts.clone().unwrap_or_default()).collect();
        let exact = costs.iter().map(|(_, exact)| *exact).chain([""]);
        let expected: Vec<_> =
            exact.zip(&written).map(|(cost, finished)| format!("{cost},{finished}")).collect();
        assert_eq!(export.rows(), expected);
    });
}

#[test]
fn rows_are_ordered_by_workspace_start_and_run_id() {
    with_org(async |org| {
        let mut runs = Vec::new();
        for _ in 0..3 {
            let workspace = org.add_workspace("Same name").await;
            for start in ["2025-01-31T23:59:59.999Z", "2025-02-01T00:00:00.000Z", "2025-01-31T23:59:59.998Z"]
            {
                // Ids whose order by bytes differs from that by length or without regard to case.
                for id in ["run_b", "run_B", "run_10", "run_9", "run_", "run_é", "run_b!"] {
                    runs.push(Run::new(&workspace, start).with_id(id));
                }
            }
        }
        fastrand::shuffle(&mut runs);
        org.write_runs(&runs).await;
        let body = request(&json!({
            "export_fields": ["workspace_id", "pl_run_created_ts", "run_id"],
            "end_date": "2025-02-01",
            "include_all_workspaces": true,
        }));
        let export = org.assert_export(&body).await;
        let mut keys: Vec<_> =
            runs.iter().map(|run| format!("{},{},{}", run.workspace_id, run.start, run.id)).collect();
        keys.sort_unstable();
        assert_eq!(export.rows(), keys);
    });
}

#[test]
fn rows_of_an_unknown_workspace_are_exported() {
    with_org(async |org| {
        let workspace = "wsp_that_nobody_knows";
        let start = format!("2025-01-10T08:00:00.{:03}Z", fastrand::u32(..1000));
        let run = Run::new(workspace, &start);
        org.write_runs(std::slice::from_ref(&run)).await;
        // The API refuses an unknown workspace, but one may vanish from the directory between the request and the export.
        let mut record = new_record(&org, &org.caller, now());
        record["request"]["fields"] = json!(["workspace_id", "workspace_name", "run_id"]);
        record["request"]["interval"] = json!({"start": start, "end": start});
        record["request"]["scope"] = json!({
            "all_workspaces": false,
            "personal_workspaces": false,
            "workspace_ids": [workspace],
            "entity_ids": [],
        });
        put_record(&record).await;
        send_message(&id_of(&record)).await;
        let export = org.finished_export(&id_of(&record)).await;
        assert!(export.rows().contains(&format!("{workspace},,{}", run.id).as_str()), "{}", export.text());
    });
}
