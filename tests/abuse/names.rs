//! Names that forge lines, markup and reading direction in emails and on the page, and names that are none of the caller's
//! business.

use integration_tests::export::{request, wait_until_final};
use integration_tests::org::TestOrg;
use integration_tests::outbox::wait_for_email;
use integration_tests::page::Visitor;
use integration_tests::runs::Run;
use integration_tests::with_org;
use serde_json::json;

/// Turns the text that follows around, in a line of its own with a header of an email, and runs a script.
const HOSTILE: &str = "Sales\r\nBcc: eve@example.com\r\n\r\n<script>alert(1)</script>\u{202e}fdp.exe\u{2066}\u{200f}\u{0}\u{1b}[2J";

/// Characters that change the direction of what follows until something ends it, and control characters but line ends.
fn is_trick(character: char) -> bool {
    matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}' | '\u{2067}')
        || character.is_control() && !"\r\n\t".contains(character)
}

#[test]
fn hostile_names_are_inert_in_an_email() {
    with_org(async |org| {
        org.set_name(HOSTILE).await;
        let workspace = org.add_workspace(HOSTILE).await;
        org.write_runs(&[Run::new(&workspace, "2025-01-10T08:00:00.000Z")]).await;
        let id = org.post_export(&request(&json!({"workspace_ids": [workspace]}))).await;
        wait_until_final(&org.caller, &id).await;
        let email = wait_for_email(&id).await;
        assert_eq!(email.to, [org.admin.email.as_str()]);
        assert!(
            !email.subject.contains(['\r', '\n']) && !email.subject.chars().any(is_trick),
            "{}",
            email.subject
        );
        for body in [&email.text, &email.html] {
            assert!(!body.chars().any(is_trick), "{body:?}");
            assert!(!body.lines().any(|line| line.starts_with("Bcc:")), "{body}");
            assert!(body.contains("Sales"), "{body}");
        }
        assert!(!email.html.contains("<script"), "{}", email.html);
    });
}

#[test]
fn hostile_names_are_inert_on_the_page_and_exact_in_the_file() {
    with_org(async |org| {
        org.set_name(HOSTILE).await;
        let workspace = org.add_workspace(HOSTILE).await;
        let workbook = org.add_workbook(&workspace, HOSTILE).await;
        org.write_runs(&[Run::new(&workspace, "2025-01-10T08:00:00.000Z").of(&workbook)]).await;
        // The oracle compares the names byte by byte.
        let export = org.assert_export(&request(&json!({"workspace_ids": [workspace]}))).await;
        let visitor = Visitor::sign_in(&org.caller).await;
        for rest in ["", "/new", &format!("/exports/{}", export.id), "?q=%3Cscript%3E%E2%80%AE"] {
            let page = visitor.get(rest).await;
            assert_eq!(page.status, 200);
            let page = page.text();
            assert!(!page.contains("<script>"), "{rest}: {page}");
            // Whatever a name does to the direction of text ends where the name ends.
            for (at, _) in page.match_indices("\u{202e}") {
                let before = &page[..at];
                let is_isolated = before.matches("<bdi").count() > before.matches("</bdi>").count();
                let is_attribute = before.rfind('<') > before.rfind('>');
                assert!(
                    is_isolated || is_attribute,
                    "{rest}: …{}",
                    &before[before.floor_char_boundary(at.saturating_sub(200))..]
                );
            }
        }
    });
}

/// The page shows the first rows of an export before there is one: of the organization's workspaces only, as the export itself.
#[test]
fn a_preview_has_no_rows_of_another_organization() {
    with_org(async |org| {
        let neighbour = TestOrg::create().await;
        let theirs = neighbour.add_workspace("Theirs").await;
        let run = Run::new(&theirs, "2025-01-10T08:00:00.000Z");
        neighbour.write_runs(std::slice::from_ref(&run)).await;
        let form = [
            ("start_date", "01/01/2025"),
            ("end_date", "01/31/2025"),
            ("workspaces", "selected"),
            ("workspace_ids", &theirs),
            ("export_fields", "run_id"),
            ("export_fields", "user_id"),
        ];
        let refused = Visitor::sign_in(&org.caller).await.post("/new/preview", &form).await;
        assert!(
            !refused.text().contains(&run.id) && !refused.text().contains(&run.user_id),
            "{}",
            refused.text()
        );
        assert_eq!(refused.status, 404, "{}", refused.text());
        let shown = Visitor::sign_in(&neighbour.caller).await.post("/new/preview", &form).await;
        assert!(shown.status == 200 && shown.text().contains(&run.id), "{}", shown.text());
    });
}

/// A record can name any workbook, because whoever writes records is not this product. The name of another organization's stays
/// where it belongs.
#[test]
fn the_name_of_another_organizations_workbook_is_not_told() {
    with_org(async |org| {
        let neighbour = TestOrg::create().await;
        let theirs = neighbour.add_workspace("Theirs").await;
        let secret = neighbour.add_workbook(&theirs, "Merger with Initech").await;
        let workspace = org.add_workspace("Ours").await;
        let own = org.add_workbook(&workspace, "Our own").await;
        let start = "2025-01-10T08:00:00.000Z";
        org.write_runs(&[Run::new(&workspace, start).of(&secret), Run::new(&workspace, start).of(&own)])
            .await;
        let fields = ["workbook_id", "workbook_name", "workbook_created_ts"];
        let export =
            org.export(&request(&json!({"export_fields": fields, "include_all_workspaces": true}))).await;
        let mut rows = export.rows();
        rows.sort_unstable_by_key(|row| row.starts_with(&own));
        let expected = [format!("{secret},,"), format!("{own},Our own,2024-02-29T23:59:59.999Z")];
        assert_eq!(rows, expected);
    });
}
