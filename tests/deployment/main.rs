//! Stacks that are updated and deleted: their data stays.
//!
//! `cargo xtask test` brings an emulator up and runs them, with the SAM CLI and the functions that it has deployed itself.

#![expect(clippy::unwrap_used, reason = "a panic is how a test reports")]

mod readme;
mod sam;

use integration_tests::api::get_history;
use integration_tests::export::{download, request, wait_until_final};
use integration_tests::files::read_file;
use integration_tests::org::TestOrg;
use integration_tests::records::read_record;
use integration_tests::system::{system, use_on_this_thread};
use integration_tests::{random_id, run};
use serde_json::json;

use crate::sam::Stack;

const TODAY: &str = include_str!("../../template.yaml");
const EARLIER: &str = include_str!("earlier.yaml");
const SINCE: &str = include_str!("since.yaml");

/// The earlier template with what today's functions do not start without: the functions of its time are not there any more.
fn earlier() -> String {
    let variables =
        "Globals:\n  Function:\n    Environment: { Variables: { AUDIT_TABLE: !Ref AuditTable } }\n";
    let earlier = EARLIER.replacen("Globals:\n  Function:\n", variables, 1);
    let earlier = earlier.replacen("\nResources:\n", &format!("\nResources:\n{SINCE}"), 1);
    assert_eq!(earlier.matches("AuditTable").count(), 1 + SINCE.matches("AuditTable").count());
    earlier
}

/// The ids in the history, newest first.
async fn history(org: &TestOrg) -> Vec<String> {
    let history = get_history(&org.caller, None).await.ok();
    let exports = history["exports"].as_array().unwrap().iter();
    exports.map(|export| export["data_export_id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn an_update_and_a_rollback_keep_what_was_exported_and_a_deletion_keeps_tables_and_files() {
    run(async {
        let stack = Stack::new(&random_id("earlier").replace('_', "-"));
        stack.deploy(&earlier());
        use_on_this_thread(&stack.write_outputs().await);
        let org = TestOrg::create().await;
        let workspace = org.add_workspace("Sales").await;
        org.write_runs_at(&workspace, &["2025-01-10T08:00:00.000Z", "2025-01-11T08:00:00.000Z"]).await;
        let body = request(&json!({"workspace_ids": [workspace]}));
        let before = org.post_export(&body).await;
        assert_eq!(wait_until_final(&org.caller, &before).await["state"], "COMPLETED");
        let file = download(&org.caller, &before).await;

        let outputs = stack.outputs().await.unwrap();
        stack.deploy(TODAY);
        let of_today = stack.outputs().await.unwrap();
        for (name, value) in outputs {
            assert_eq!(of_today[&name], value, "tables, bucket, queues and addresses are the same ones");
        }
        assert!(download(&org.caller, &before).await == file);
        let after = org.assert_export(&body).await;
        assert!(after.file == file);
        assert_eq!(history(&org).await, [after.id.clone(), before.clone()]);

        // A rollback, as docs/operations.md has it.
        stack.deploy(&earlier());
        assert!(
            download(&org.caller, &before).await == file && download(&org.caller, &after.id).await == file
        );
        // Not the history: its index is not in the earlier template, and was not needed by the functions of that time.
        assert!(org.assert_export(&body).await.file == file);

        stack.delete();
        assert_eq!(stack.outputs().await, None);
        let answer = system().http.get(&system().outputs.page_url).send().await.unwrap();
        assert_eq!(answer.status(), 404, "there is no API any more");
        let queue = system().sqs.get_queue_attributes().queue_url(&system().outputs.queue_url).send().await;
        assert!(queue.is_err());
        assert_kept(&org, &before, &file).await;
    });
}

/// Asserts that an export's record and file are there, and the records that it was made of.
async fn assert_kept(org: &TestOrg, id: &str, file: &[u8]) {
    assert_eq!(read_record(id).await["state"], "COMPLETED");
    assert!(read_file(org, id).await.as_deref() == Some(file));
    let tables = &system().outputs.tables;
    for table in [&tables.usage_records, &tables.directory] {
        let items = system().dynamodb.scan().table_name(table).send().await.unwrap();
        assert!(items.count() > 0, "{table}");
    }
}
