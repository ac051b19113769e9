//! Messages that are delivered more than once, or that are about no export.

use serde_json::json;

use integration_tests::export::{download, request};
use integration_tests::outbox::{
    emails_of, is_in_dead_letter_queue, send_message, wait_for_email, wait_until_handled,
};
use integration_tests::records::{new_export_id, read_record};
use integration_tests::system::now;
use integration_tests::with_org;

#[test]
fn a_repeated_message_changes_nothing() {
    with_org(async |org| {
        let workspace = org.add_workspace("Sales").await;
        org.write_runs_at(&workspace, &["2025-01-10T08:00:00.000Z"]).await;
        let id = org.post_export(&request(&json!({"include_all_workspaces": true}))).await;
        for _ in 0..3 {
            send_message(&id).await;
        }
        let export = org.finished_export(&id).await;
        wait_for_email(&id).await;
        let record = read_record(&id).await;
        for _ in 0..3 {
            send_message(&id).await;
        }
        // Messages that arrived while a worker had the export are delivered again when its lease would have run out.
        wait_until_handled(&id).await;
        assert_eq!(read_record(&id).await, record);
        assert_eq!(download(&org.caller, &id).await, export.file);
        assert_eq!(emails_of(&id).await.len(), 1);
        assert!(!is_in_dead_letter_queue(&id).await);
    });
}

#[test]
fn a_message_about_no_export_is_dropped() {
    with_org(async |_| {
        for id in [new_export_id(now()), "nonsense-".to_owned() + &new_export_id(now())] {
            send_message(&id).await;
            wait_until_handled(&id).await;
            assert!(read_record(&id).await.is_null());
            assert!(emails_of(&id).await.is_empty());
            assert!(!is_in_dead_letter_queue(&id).await);
        }
    });
}
