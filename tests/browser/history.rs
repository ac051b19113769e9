//! The history: its rows, what they offer, filters, older exports.

use chrono::TimeDelta;
use integration_tests::org::TestOrg;
use integration_tests::page::PAGE;
use integration_tests::records::{completed, failed, id_of, new_record, put_record, running};
use integration_tests::system::now;
use serde_json::{Value, json};

use crate::support::browser::Browser;
use crate::support::options::Options;
use crate::support::{assert_marked, mark, open_page, started_export, with_browser};

#[test]
fn a_failed_export_says_why_and_fills_the_form_again() {
    with_browser("a_failed_export", Options::default(), async |org, browser| {
        let workspace = org.add_workspace("Research & <b>Development</b>").await;
        org.add_workspace("Other").await;
        let mut record = new_record(&org, &org.caller, now());
        record["request"]["fields"] = json!(["workspace_id", "credit_cost"]);
        record["request"]["scope"] = json!({
            "all_workspaces": false, "personal_workspaces": true, "workspace_ids": [workspace], "entity_ids": [],
        });
        put_record(&failed(record)).await;
        open_page(&browser, &org.caller).await;
        browser.wait_for_text(".export .reason", "Something went wrong on our side.").await;
        browser.click(".export .again").await;
        browser.wait_for_text("#summary", "2 workspaces · 01/01/2025 – 01/31/2025 · 2 fields").await;
        browser.screenshot("export-again").await;
        assert!(browser.text("#workspace_list").await.contains("Research & <b>Development</b>"));
        browser.click("#start").await;
        let id = started_export(&org, &browser).await;
        browser.wait_for_text(&format!("#export-{id} .badge"), "Completed").await;
        assert_eq!(browser.texts(".export .badge").await, ["Completed", "Failed"]);
    });
}

#[test]
fn an_expired_export_can_be_repeated_but_not_downloaded() {
    with_browser("an_expired_export", Options::default(), async |org, browser| {
        let mut record = completed(new_record(&org, &org.caller, now() - TimeDelta::days(40)), 7, 700);
        record["expires_ts"] = json!("2026-01-01T00:00:00.000Z");
        put_record(&record).await;
        open_page(&browser, &org.caller).await;
        assert_eq!(browser.text(".export .badge").await, "Expired");
        assert!(browser.text(".export .row-actions").await.starts_with("Export again"));
        assert!(browser.text(".export .c-rows").await.contains("Deleted 01/01/2026"));
        browser.goto(&format!("{PAGE}/exports/{}/download", id_of(&record))).await;
        assert_eq!(browser.text(".status").await, "404");
        assert!(browser.text("main").await.contains("expired"));
        assert!(browser.text(".who").await.contains(&org.admin.email), "the error page has the usual head");
        browser.click(".button.primary").await;
        browser.find("#exports").await;
    });
}

#[test]
fn every_row_is_as_high_as_the_others_whatever_it_says() {
    with_browser("heights_of_rows", Options::default(), async |org, browser| {
        let created = |minutes| new_record(&org, &org.caller, now() - TimeDelta::minutes(minutes));
        let mut long = failed(created(1));
        long["error"] =
            json!("The usage record run_1 of workspace wsp_1 in 2025-01 has no finished_ts. ".repeat(4));
        long["request"]["name"] = json!("Monthly billing of everything that ran ".repeat(2));
        let mut expired = completed(created(2), 7_000_000, 700);
        expired["expires_ts"] = json!("2026-01-01T00:00:00.000Z");
        let nothing = completed(created(3), 0, 80);
        let rows = [long, expired, nothing, completed(created(4), 5, 50), running(created(5), 40, 4_000)];
        for record in rows.iter().chain([&created(6)]) {
            put_record(record).await;
        }
        open_page(&browser, &org.caller).await;
        let heights = "return [...document.querySelectorAll('.export')].map((row) => row.offsetHeight)";
        let heights = browser.script(heights, vec![]).await;
        assert_eq!(heights, json!([56, 56, 56, 56, 56, 56]));
        browser.screenshot("rows").await;
        // The details have the whole reason.
        browser.click(".export:first-child .range").await;
        browser.wait_for_text("#drawer .notice", "in 2025-01 has no finished_ts.").await;
    });
}

#[test]
fn an_export_without_rows_says_why() {
    with_browser("without_rows", Options::default(), async |org, browser| {
        put_record(&completed(new_record(&org, &org.caller, now() - TimeDelta::hours(1)), 0, 80)).await;
        let mut future = completed(new_record(&org, &org.caller, now()), 0, 80);
        future["request"]["interval"] =
            json!({"start": "2099-01-01T00:00:00.000Z", "end": "2099-01-31T23:59:59.999Z"});
        put_record(&future).await;
        open_page(&browser, &org.caller).await;
        let rows = browser.texts(".export .c-rows").await;
        assert_eq!(rows[0], "0 rows\nThese dates were in the future");
        assert!(rows[1].starts_with("0 rows\nNo runs there"), "{}", rows[1]);
    });
}

/// Ids of the rows, from top to bottom.
async fn shown(browser: &Browser) -> Value {
    browser.script("return [...document.querySelectorAll('.export')].map((row) => row.id)", vec![]).await
}

#[test]
fn older_exports_are_appended_once_and_focused() {
    with_browser("older_exports", Options::default(), async |org, browser| {
        let mut ids = Vec::new();
        for minutes in 0..55 {
            let record = completed(new_record(&org, &org.caller, now() - TimeDelta::minutes(minutes)), 1, 80);
            put_record(&record).await;
            ids.push(format!("export-{}", id_of(&record)));
        }
        open_page(&browser, &org.caller).await;
        mark(&browser).await;
        assert_eq!(shown(&browser).await, json!(ids[..20]));
        browser.set_offline(true).await;
        browser.click(".older a").await;
        browser.wait_for_text(".older .error", "no connection").await;
        browser.set_offline(false).await;
        browser.click(".older a").await;
        browser.wait_for_text("#announcer", "20 older exports are shown.").await;
        let focused = browser.script("return document.activeElement.closest('tr').id", vec![]).await;
        assert_eq!(focused, json!(ids[20]));
        browser.click(".older a").await;
        browser.wait_for_text("#announcer", "15 older exports are shown.").await;
        assert_eq!(shown(&browser).await, json!(ids));
        assert!(!browser.is_shown(".older").await);
        assert_marked(&browser).await;
        browser.assert_accessible("older-exports").await;
    });
}

#[test]
fn filters_and_search_find_exports_also_without_javascript() {
    for options in [Options::default(), Options::default().without_javascript()] {
        with_browser("filters", options, async |org, browser| {
            let other = org.add_admin().await;
            org.set_email(&other.user_id, "grace@example.com").await;
            let newest = completed(new_record(&org, &org.caller, now()), 1, 80);
            let failure = failed(new_record(&org, &org.caller, now() - TimeDelta::hours(1)));
            let mut march = completed(new_record(&org, &org.caller, now() - TimeDelta::hours(2)), 1, 80);
            march["request"]["interval"] =
                json!({"start": "2025-03-01T00:00:00.000Z", "end": "2025-03-31T23:59:59.999Z"});
            let theirs = failed(new_record(&org, &other, now() - TimeDelta::hours(3)));
            for record in [&newest, &failure, &march, &theirs] {
                put_record(record).await;
            }
            open_page(&browser, &org.caller).await;
            assert_eq!(browser.texts(".export").await.len(), 4);
            for (query, found) in [
                ("status=failed", vec![&failure, &theirs]),
                ("q=GRACE", vec![&theirs]),
                ("q=03%2F31%2F2025", vec![&march]),
                (&*format!("q={}", id_of(&newest).to_uppercase()), vec![&newest]),
                ("status=completed&who=me", vec![&newest, &march]),
                ("status=open", vec![]),
            ] {
                browser.goto(&format!("{PAGE}?{query}")).await;
                let ids: Vec<_> = found.iter().map(|record| format!("export-{}", id_of(record))).collect();
                assert_eq!(shown(&browser).await, json!(ids), "{query}");
            }
            browser.wait_for_text("#empty", "No export matches").await;
            browser.click("#empty a").await;
            browser.type_into("#filters [name=q]", "failed").await;
            browser.find("#filters select[name=status]").await.select_by_value("failed").await.unwrap();
            browser.click("#filters button").await;
            browser.wait_for_text("#empty", "No export matches").await;
            assert_eq!(browser.value("#filters [name=q]").await, "failed");
        });
    }
}

#[test]
fn an_export_that_runs_is_cancelled_by_its_button() {
    for options in [Options::default(), Options::default().without_javascript()] {
        with_browser("an_export_is_cancelled", options, async |org, browser| {
            put_record(&running(new_record(&org, &org.caller, now()), 20, 1_000)).await;
            open_page(&browser, &org.caller).await;
            browser.wait_for_text(".export .badge", "In progress").await;
            browser.click(".export .row-actions button").await;
            browser.wait_for_text(".badge", "Cancelled").await;
            assert!(!browser.text("main").await.contains("rows so far"));
            assert!(!browser.is_shown("button[data-cancel]").await);
        });
    }
}

#[test]
fn links_of_rows_with_the_same_dates_have_different_names() {
    with_browser("names_of_links", Options::default(), async |org, browser| {
        for hours in 0..3 {
            put_record(&completed(new_record(&org, &org.caller, now() - TimeDelta::hours(hours)), 1, 80))
                .await;
        }
        open_page(&browser, &org.caller).await;
        let names = "return [...document.querySelectorAll('#exports a')].map((link) => link.textContent)";
        let names: Vec<String> = serde_json::from_value(browser.script(names, vec![]).await).unwrap();
        assert_eq!(names.len(), 9);
        let different: std::collections::BTreeSet<_> = names.iter().collect();
        assert_eq!(different.len(), names.len(), "{names:?}");
    });
}

/// Makes an export of another administrator of the organization, and returns its id.
pub async fn others_export(org: &TestOrg) -> String {
    let record = completed(new_record(org, &org.add_admin().await, now()), 5, 500);
    put_record(&record).await;
    id_of(&record)
}
