//! The details of an export, in the drawer and on a page of their own.

use chrono::TimeDelta;
use integration_tests::export::request;
use integration_tests::org::TestOrg;
use integration_tests::outbox::wait_for_email;
use integration_tests::page::PAGE;
use integration_tests::records::{completed, failed, id_of, new_record, put_record, running};
use integration_tests::runs::Run;
use integration_tests::system::now;
use serde_json::json;

use crate::support::browser::Browser;
use crate::support::options::Options;
use crate::support::{assert_marked, mark, open_page, sign_in, with_browser};

/// Makes an export of two workspaces and two months, and returns its id.
async fn export_with_credits(org: &TestOrg) -> String {
    let [finance, sales] = [org.add_workspace("Finance").await, org.add_workspace("Sales <EMEA>").await];
    let run = |workspace: &str, start: &str, cost: &str| Run::new(workspace, start).costing(cost);
    org.write_runs(&[
        run(&finance, "2025-01-10T10:00:00.000Z", "1000.0000000000000000001"),
        run(&finance, "2025-02-10T10:00:00.000Z", "0.5"),
        run(&sales, "2025-02-11T10:00:00.000Z", "250"),
    ])
    .await;
    let body = request(&json!({
        "start_date": "2025-01-01", "end_date": "2025-02-28", "include_all_workspaces": true,
        "export_fields": ["workspace_id", "run_id", "credit_cost"],
    }));
    org.export(&body).await.id
}

#[test]
fn totals_are_shown_exactly_as_charts_before_the_file_goes_anywhere() {
    with_browser("totals", Options::default(), async |org, browser| {
        let id = export_with_credits(&org).await;
        open_page(&browser, &org.caller).await;
        browser.click(&format!("#export-{id} .range")).await;
        let result = browser.wait_for_text("#drawer .export-result", "3 rows").await;
        assert!(result.contains("1,250.5000000000000000001 credits"), "{result}");
        let tables = browser.texts("#drawer .chart").await;
        assert!(tables[0].starts_with("Credits by month"), "{}", tables[0]);
        assert!(
            tables[0].contains("2025-01") && tables[0].contains("1,000.0000000000000000001"),
            "{}",
            tables[0]
        );
        assert!(tables[1].contains("Sales <EMEA>") && tables[1].contains("250"), "{}", tables[1]);
        let width =
            browser.script("return document.querySelector('#drawer rect').width.baseVal.value", vec![]).await;
        assert!(width.as_f64().unwrap() > 0.0);
        browser.screenshot_view("drawer").await;
        browser.assert_accessible("drawer").await;
        browser.click("#drawer .close").await;
        browser.wait_until_gone("#drawer").await;
        assert_eq!(browser.focused().await, "a.range");
    });
}

#[test]
fn the_checksum_is_copied() {
    with_browser("the_checksum", Options::default(), async |org, browser| {
        let id = export_with_credits(&org).await;
        open_page(&browser, &org.caller).await;
        browser.goto(&format!("{PAGE}/exports/{id}")).await;
        let permissions = json!({"permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"]});
        browser.cdp("Browser.grantPermissions", permissions).await;
        let checksum = browser.text("#checksum").await;
        assert!(checksum.starts_with("crc32:"), "{checksum}");
        let keep = "navigator.clipboard.writeText = async (text) => { window.copied = text }";
        browser.script(keep, vec![]).await;
        browser.click("[data-copy]").await;
        browser.wait_for_text("[data-copy]", "Copied").await;
        assert_eq!(browser.script("return window.copied", vec![]).await, checksum);
    });
}

#[test]
fn details_that_failed_to_load_can_be_loaded_again() {
    with_browser("details_fail", Options::default(), async |org, browser| {
        put_record(&failed(new_record(&org, &org.caller, now()))).await;
        open_page(&browser, &org.caller).await;
        mark(&browser).await;
        browser.set_offline(true).await;
        browser.click(".export .range").await;
        browser.wait_for_text("#drawer .notice", "no connection").await;
        browser.set_offline(false).await;
        browser.click("#drawer .notice + .button").await;
        browser.wait_for_text("#drawer .notice", "Something went wrong on our side.").await;
        assert_marked(&browser).await;
    });
}

#[test]
fn details_that_are_open_get_what_completion_adds() {
    with_browser("details_while_it_runs", Options::default(), async |org, browser| {
        let record = new_record(&org, &org.caller, now());
        put_record(&running(record.clone(), 20, 1_000)).await;
        open_page(&browser, &org.caller).await;
        browser.click(".export .range").await;
        browser.wait_for_text("#drawer .export-progress", "1,000 rows so far").await;
        put_record(&completed(record.clone(), 5_000, 99_000)).await;
        browser.wait_for_text("#drawer .export-result", "5,000 rows · 99.0 kB").await;
        assert!(browser.text("#drawer .facts").await.contains("Checksum"));

        let other = new_record(&org, &org.caller, now() - TimeDelta::days(1));
        put_record(&running(other.clone(), 20, 1_000)).await;
        browser.goto(&format!("{PAGE}/exports/{}", id_of(&other))).await;
        mark(&browser).await;
        browser.wait_for_text(".export-progress", "1,000 rows so far").await;
        put_record(&completed(other, 7_000, 99_000)).await;
        browser.wait_for_text(".export-result", "7,000 rows").await;
        assert_marked(&browser).await;
    });
}

#[test]
fn the_link_in_an_email_leads_through_the_sign_in_to_the_export() {
    with_browser("an_emails_link", Options::default(), async |org, browser| {
        let export = org.export(&request(&json!({"include_all_workspaces": true}))).await;
        let text = wait_for_email(&export.id).await.text;
        let link = text.split_whitespace().find(|word| word.starts_with("http") && word.contains(&export.id));
        let link = link.unwrap_or_else(|| panic!("{text}")).to_owned();
        browser.goto(&link).await;
        browser.screenshot("email-link").await;
        sign_in(&browser, &org.caller).await;
        assert_shows(&browser, &export.id).await;

        // Again, from another site, whose links bring no cookie of ours along.
        let encoded = link.replace('#', "%23");
        browser.goto(&format!("data:text/html,<a id=link href='{encoded}'>Open</a>")).await;
        browser.click("#link").await;
        assert_shows(&browser, &export.id).await;
    });
}

/// The page of this export is shown.
async fn assert_shows(browser: &Browser, id: &str) {
    browser.find(&format!("#export[data-id='{id}']")).await;
}

#[test]
fn a_link_of_an_earlier_version_leads_to_the_page_of_the_export() {
    with_browser("an_old_link", Options::default(), async |org, browser| {
        let old = completed(new_record(&org, &org.caller, now() - TimeDelta::days(20)), 17, 80);
        put_record(&old).await;
        open_page(&browser, &org.caller).await;
        browser.goto("about:blank").await;
        browser.goto(&format!("{PAGE}#export-{}", id_of(&old))).await;
        assert_shows(&browser, &id_of(&old)).await;
        browser.wait_for_text(".export-result", "17 rows").await;
        browser.goto(&format!("{PAGE}?again={}", id_of(&old))).await;
        browser.find("#export-form").await;
    });
}
