//! Names and ids that a spreadsheet would run when it opens the file: <https://owasp.org/www-community/attacks/CSV_Injection>.

use integration_tests::export::{FIELDS, request};
use integration_tests::runs::Run;
use integration_tests::with_org;
use serde_json::json;

/// What makes a spreadsheet run a cell, as its first character.
const STARTS: [char; 12] = ['=', '+', '-', '@', '＝', '＋', '－', '＠', '\t', '\r', '\n', '\0'];

const START: &str = "2025-01-10T08:00:00.000Z";

#[test]
fn no_cell_that_somebody_chose_runs_in_a_spreadsheet() {
    with_org(async |org| {
        let mut runs = Vec::new();
        for start in STARTS {
            let formula =
                |kind: &str| format!("{start}cmd|' /C calc'!A0;{}", integration_tests::random_id(kind));
            let workspace = formula("wsp");
            org.add_workspace_with_id(&workspace, &formula("name")).await;
            let workbook = org.add_workbook(&workspace, &formula("name")).await;
            let member = org.add_member("member").await;
            org.set_email(&member.user_id, &formula("email")).await;
            let named = Run::new(&workspace, START).of(&workbook).by(&member.user_id);
            runs.push(named.with_id(&formula("run")));
            // Whom the directory does not know; and ids in records of the shape that is read fastest.
            runs.push(
                Run::new(&workspace, START).of(&formula("wbk")).by(&formula("usr")).with_id(&formula("run")),
            );
        }
        org.write_runs(&runs).await;
        let mut bodies = vec![request(&json!({"export_fields": FIELDS, "include_all_workspaces": true}))];
        bodies.extend(
            ["workspace_id", "workbook_id", "user_id", "run_id"]
                .map(|field| request(&json!({"export_fields": [field], "include_all_workspaces": true}))),
        );
        // The oracle compares every byte; what follows does not trust it either.
        for export in org.assert_exports(&bodies).await {
            let mut file = csv::ReaderBuilder::new().has_headers(false).from_reader(export.text().as_bytes());
            let mut escaped = 0;
            for row in file.records() {
                for cell in &row.unwrap() {
                    assert!(!cell.starts_with(STARTS), "{cell:?} runs");
                    escaped += u32::from(cell.starts_with('\'') && cell[1..].starts_with(STARTS));
                }
            }
            assert!(escaped >= 12, "{escaped} cells are escaped");
        }
    });
}

/// A `'` before a number would make a text of it, and sums wrong.
#[test]
fn numbers_and_times_stay_as_they_are() {
    with_org(async |org| {
        let workspace = org.add_workspace("Refunds").await;
        let costs = ["-5.25", "-0.000001", "-12345678901234567890", "7"];
        let runs = costs.map(|cost| Run::new(&workspace, START).costing(cost));
        org.write_runs(&runs).await;
        let fields = ["credit_cost", "pl_run_created_ts", "pl_run_finished_ts"];
        let body = request(&json!({"export_fields": fields, "include_all_workspaces": true}));
        let export = org.assert_export(&body).await;
        let mut found: Vec<_> = export.rows();
        found.sort_unstable();
        let mut expected = costs.map(|cost| format!("{cost},{START},{START}"));
        expected.sort_unstable();
        assert_eq!(found, expected);
    });
}

/// A spreadsheet that splits at semicolons would see a formula behind one. The file has commas (RFC 4180) and every text exactly,
/// so this is a matter of opening it as what it is: `docs/security.md` says so.
#[test]
fn a_separator_within_a_text_changes_nothing() {
    with_org(async |org| {
        let workspace = org.add_workspace("a;=1+1").await;
        org.write_runs(&[Run::new(&workspace, START)]).await;
        let body = request(&json!({"export_fields": ["workspace_name"], "include_all_workspaces": true}));
        assert_eq!(org.assert_export(&body).await.rows(), ["a;=1+1"]);
    });
}
