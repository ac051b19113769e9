//! The email about a completed export. `continuation` tests the one about a failed export.

use serde_json::json;

use integration_tests::export::request;
use integration_tests::outbox::{emails_of, wait_for_email};
use integration_tests::system::system;
use integration_tests::with_org;

#[test]
fn the_email_tells_what_was_exported_and_links_to_it() {
    with_org(async |org| {
        let workspace = org.add_workspace("Sales EMEA").await;
        let starts = ["2025-01-10T08:00:00.000Z", "2025-01-11T08:00:00.000Z", "2025-01-12T08:00:00.000Z"];
        org.write_runs_at(&workspace, &starts).await;
        let body = json!({"workspace_ids": [workspace], "include_personal_workspaces": true});
        let export = org.assert_export(&request(&body)).await;
        let email = wait_for_email(&export.id).await;
        assert_eq!(email.to, [org.admin.email.as_str()]);
        assert!(email.from.contains('@'));
        assert!(email.subject.contains("ready") && email.subject.contains("2025"), "{}", email.subject);
        let size = export.file.len();
        assert!(size < 1000, "the size is told in bytes");
        let size = format!("{size} bytes");
        let link = format!("/settings/organization/data_export/exports/{}", export.id);
        for part in [&email.text, &email.html] {
            for told in [
                "01/01/2025",
                "01/31/2025",
                "Sales EMEA",
                "personal",
                "3 rows",
                &size,
                &link,
                "http",
                "Test &",
                "Workspace ID",
                "credits",
            ] {
                assert!(part.contains(told), "{told} is missing in {part}");
            }
        }
        assert_eq!(emails_of(&export.id).await.len(), 1);
    });
}

#[test]
fn the_email_contains_nothing_that_opens_the_file() {
    with_org(async |org| {
        let export = org.export(&request(&json!({"include_all_workspaces": true}))).await;
        let email = wait_for_email(&export.id).await;
        let all = format!("{} {} {}", email.subject, email.text, email.html);
        for secret in [
            "X-Amz-",
            "Signature",
            &system().outputs.bucket,
            "download=true",
            &org.caller.key,
            ".csv",
            &format!("exports/{}", org.id),
        ] {
            assert!(!all.contains(secret), "{secret} is in {all}");
        }
    });
}

#[test]
fn hostile_names_are_only_text_in_the_email() {
    with_org(async |org| {
        let workspace = org.add_workspace("<b onclick=\"x\">&\r\nBcc: all@example.com").await;
        let export = org.export(&request(&json!({"workspace_ids": [workspace]}))).await;
        let email = wait_for_email(&export.id).await;
        assert!(!email.html.contains("<b onclick"), "{}", email.html);
        assert!(!email.subject.contains(['\r', '\n']), "{:?}", email.subject);
        assert!(!email.text.contains("\nBcc:"), "{}", email.text);
        assert_eq!(email.to, [org.admin.email.as_str()]);
    });
}

#[test]
fn the_email_goes_only_to_the_export_owner() {
    with_org(async |org| {
        let colleague = org.add_admin().await;
        let body = request(&json!({"include_all_workspaces": true}));
        let (mine, theirs) = (org.post_export(&body).await, org.post_export_as(&colleague, &body).await);
        assert_eq!(wait_for_email(&mine).await.to, [org.admin.email.as_str()]);
        assert_eq!(wait_for_email(&theirs).await.to, [format!("{}@example.com", colleague.user_id)]);
    });
}
