//! Which runs are in an export.

use serde_json::json;

use integration_tests::api::post_export;
use integration_tests::export::request;
use integration_tests::org::TestOrg;
use integration_tests::outbox::wait_for_email;
use integration_tests::runs::Run;
use integration_tests::with_org;

/// Ids of the workspaces, and of a workbook that ran in all of them.
struct Filled {
    shared: String,
    other: String,
    deleted: String,
    personal: String,
    personal_of_past_member: String,
    workbook: String,
}

/// Makes every kind of workspace, and runs of two workbooks and of an unknown one in each of them.
async fn fill(org: &TestOrg) -> Filled {
    let shared = org.add_workspace("Shared").await;
    let other = org.add_workspace("Other").await;
    let deleted = org.add_workspace("Deleted since").await;
    let past_member = org.add_member("member").await;
    let workbook = org.add_workbook(&shared, "Lead scoring").await;
    let other_workbook = org.add_workbook(&shared, "Deleted since, too").await;
    let filled = Filled {
        personal: org.admin.personal_workspace_id.clone(),
        personal_of_past_member: past_member.personal_workspace_id.clone(),
        shared,
        other,
        deleted,
        workbook,
    };
    let mut runs = Vec::new();
    for workspace in filled.all() {
        for start in ["2025-01-03T10:00:00.000Z", "2025-01-20T11:30:00.250Z"] {
            runs.push(Run::new(workspace, start).of(&filled.workbook).by(&org.admin.user_id));
            runs.push(Run::new(workspace, start).of(&other_workbook).by(&past_member.user_id));
            runs.push(Run::new(workspace, start));
        }
    }
    org.write_runs(&runs).await;
    org.delete_workspace(&filled.deleted).await;
    org.delete_workspace(&filled.personal_of_past_member).await;
    org.delete_workbook(&other_workbook).await;
    org.delete_member(&past_member.user_id).await;
    filled
}

impl Filled {
    fn all(&self) -> [&String; 5] {
        [&self.shared, &self.other, &self.deleted, &self.personal, &self.personal_of_past_member]
    }
}

#[test]
fn every_scope_selects_exactly_its_runs() {
    with_org(async |org| {
        let filled = fill(&org).await;
        let neighbour = TestOrg::create().await;
        fill(&neighbour).await;
        let scopes = [
            (json!({"include_all_workspaces": true}), 30),
            (json!({"include_all_workspaces": true, "workspace_ids": [filled.shared]}), 30),
            (json!({"include_all_workspaces": true, "include_personal_workspaces": false}), 30),
            (json!({"include_personal_workspaces": true}), 12),
            (json!({"include_organization_workspaces": true}), 18),
            (json!({"include_organization_workspaces": true, "include_personal_workspaces": true}), 30),
            (json!({"include_organization_workspaces": true, "workspace_ids": [filled.personal]}), 24),
            (json!({"workspace_ids": [filled.shared]}), 6),
            (json!({"workspace_ids": [filled.other, filled.shared, filled.other]}), 12),
            (json!({"workspace_ids": [filled.deleted]}), 6),
            (json!({"workspace_ids": [filled.personal_of_past_member]}), 6),
            (json!({"workspace_ids": [filled.shared], "include_personal_workspaces": true}), 18),
            (json!({"workspace_ids": [filled.personal], "include_personal_workspaces": true}), 12),
            (json!({"entity_ids": [filled.workbook]}), 10),
            (json!({"entity_ids": [filled.workbook, filled.workbook, "wbk_unknown"]}), 10),
            (json!({"entity_ids": [filled.workbook], "workspace_ids": [filled.shared, filled.personal]}), 4),
            (json!({"entity_ids": [filled.workbook], "include_personal_workspaces": true}), 4),
            (json!({"entity_ids": [filled.workbook], "include_all_workspaces": true}), 10),
            (json!({"entity_ids": ["wbk_unknown"], "include_all_workspaces": true}), 0),
        ];
        let bodies: Vec<_> = scopes.iter().map(|(scope, _)| request(scope)).collect();
        let exports = org.assert_exports(&bodies).await;
        for (export, (scope, rows)) in exports.iter().zip(&scopes) {
            assert_eq!(export.rows().len(), *rows, "{scope}");
        }
    });
}

#[test]
fn ids_of_another_organization_select_nothing() {
    with_org(async |org| {
        fill(&org).await;
        let neighbour = TestOrg::create().await;
        let theirs = fill(&neighbour).await;
        let export = org.assert_export(&request(&json!({"entity_ids": [theirs.workbook]}))).await;
        assert_eq!(export.rows().len(), 0);
        for theirs in theirs.all() {
            let answer = post_export(&org.caller, &request(&json!({"workspace_ids": [theirs]}))).await;
            answer.assert_problem(404, &["workspace_ids"]);
        }
    });
}

#[test]
fn an_export_without_rows_is_only_a_header() {
    with_org(async |org| {
        let workspace = org.add_workspace("Quiet").await;
        org.write_runs_at(&workspace, &["2025-02-01T00:00:00.000Z"]).await;
        let export = org.assert_export(&request(&json!({"workspace_ids": [workspace]}))).await;
        assert_eq!(export.status["state"], "COMPLETED");
        assert_eq!(export.status["row_count"], 0);
        assert!(export.text().starts_with("workspace_id,workspace_name,") && export.rows().is_empty());
        let email = wait_for_email(&export.id).await;
        assert!(email.text.contains("0 rows") && email.html.contains("0 rows"), "{email:?}");
    });
}

#[test]
fn the_same_request_gives_the_same_file() {
    with_org(async |org| {
        fill(&org).await;
        let body = request(&json!({"include_all_workspaces": true}));
        let exports = org.assert_exports(&[body.clone(), body]).await;
        assert_ne!(exports[0].id, exports[1].id);
        assert_eq!(exports[0].file, exports[1].file);
        assert_eq!(exports[0].status["checksum"], exports[1].status["checksum"]);
    });
}
