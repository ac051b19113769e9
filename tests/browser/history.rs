//! The history: rows that refresh themselves, failed and expired exports, older history pages, links to one export.

use chrono::TimeDelta;
use integration_tests::org::TestOrg;
use integration_tests::outbox::wait_for_email;
use integration_tests::page::PAGE;
use integration_tests::records::{completed, failed, id_of, new_record, put_record, running, timestamp};
use integration_tests::system::now;
use integration_tests::{export::request, wait_for};
use serde_json::{Value, json};

use crate::support::browser::Browser;
use crate::support::options::Options;
use crate::support::{assert_marked, created_export, mark, open_page, sign_in, with_browser};

/// Makes the page record the states of the first badge, what is announced to screen readers, and its requests.
const WATCH: &str = "
    window.seen = {badges: [], announced: [], requests: 0};
    const read = (id) => document.querySelector(id)?.textContent.trim();
    const note = (list, text) => text && list.at(-1) !== text && list.push(text);
    const look = () => {
        note(seen.badges, read('.export .badge'));
        note(seen.announced, read('#announcer'));
    };
    new MutationObserver(look).observe(document, {subtree: true, childList: true, characterData: true});
    look();
    document.addEventListener('htmx:beforeRequest', () => seen.requests += 1);";

const SHIFTS: &str = "
    const observer = new PerformanceObserver(() => {});
    observer.observe({type: 'layout-shift', buffered: true});
    return observer.takeRecords().map((shift) => shift.value)";

async fn seen(browser: &Browser) -> Value {
    browser.script("return window.seen", vec![]).await
}

/// The layout shifts so far: how far things in the window have moved without an action of the user.
/// <https://web.dev/articles/cls>
async fn shifts(browser: &Browser) -> Vec<Value> {
    browser.script("await 0;", vec![]).await;
    browser.script(SHIFTS, vec![]).await.as_array().unwrap().clone()
}

#[test]
fn a_row_follows_its_export_without_layout_shifts() {
    with_browser("a_row_follows_its_export", Options::default(), async |org, browser| {
        let record = new_record(&org, &org.caller, now());
        put_record(&failed(new_record(&org, &org.caller, now() - TimeDelta::days(1)))).await;
        put_record(&record).await;
        open_page(&browser, &org.caller).await;
        mark(&browser).await;
        browser.script(WATCH, vec![]).await;
        browser.script("document.querySelector('#history').scrollIntoView()", vec![]).await;
        browser.click(".export:first-child summary").await;
        browser.find(".export:first-child .facts").await;
        browser.wait_for_text(".export:first-child", "Waiting to start").await;
        let before = shifts(&browser).await.len();

        put_record(&running(record.clone(), 20, 1_000)).await;
        browser.wait_for_text(".export:first-child", "1,000 rows so far").await;
        let mut later = running(record.clone(), 80, 1_234_567);
        later["rows_per_second"] = 8_100.into();
        put_record(&later).await;
        browser.wait_for_text(".export:first-child", "80% · 1,234,567 rows so far").await;
        browser.wait_for_text(".export:first-child", "8,100 rows per second").await;
        later["estimated_finish_ts"] = timestamp(now() + TimeDelta::seconds(170)).into();
        put_record(&later).await;
        browser.wait_for_text(".export:first-child", "About 3 minutes left").await;
        let percent = browser.attribute(".export:first-child progress", "value").await;
        assert_eq!(percent.as_deref(), Some("80"));
        put_record(&completed(record.clone(), 1_300_000, 99_000_000)).await;
        browser.find(".export:first-child .run-action a").await;

        assert_eq!(shifts(&browser).await[before..], [Value::Null; 0]);
        let seen_by_then = seen(&browser).await;
        assert_eq!(seen_by_then["badges"], json!(["Requested", "In progress", "Completed"]));
        let announced = "The export of 01/01/2025 – 01/31/2025 is ready: 1,300,000 rows.";
        assert_eq!(seen_by_then["announced"], json!([announced]));
        // The details that were opened stay open.
        assert!(browser.is_shown(".export:first-child .facts").await);
        assert_final_rows_send_no_requests(&browser).await;
        assert_marked(&browser).await;

        // Proves that the test would have seen a layout shift.
        browser
            .script("document.querySelector('#exports').before(document.createElement('br'))", vec![])
            .await;
        wait_for("a shift", async || (shifts(&browser).await.len() > before).then_some(())).await;
    });
}

/// Asserts that no request is sent for five seconds. Rows that are not final refresh themselves more often.
async fn assert_final_rows_send_no_requests(browser: &Browser) {
    let requests = seen(browser).await["requests"].clone();
    tokio::time::sleep(std::time::Duration::from_secs(5)).await;
    assert_eq!(seen(browser).await["requests"], requests);
}

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
        put_record(&running(record.clone(), 10, 5)).await;
        open_page(&browser, &org.caller).await;
        browser.script(WATCH, vec![]).await;
        put_record(&failed(record)).await;
        browser.wait_for_text(".run-error", "Something went wrong on our side.").await;
        assert_eq!(
            seen(&browser).await["announced"],
            json!(["The export of 01/01/2025 – 01/31/2025 failed."])
        );
        browser.click(".run-action a").await;
        browser.wait_for_text("#summary", "2 workspaces · 01/01/2025 – 01/31/2025 · 2 fields").await;
        browser.screenshot("try-again").await;
        assert!(browser.text("#workspace_list").await.contains("Research & <b>Development</b>"));
        browser.click("#start").await;
        let id = created_export(&org, &browser).await;
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
        assert!(browser.text(".run-action").await.starts_with("Export again"));
        browser.goto(&format!("{PAGE}/exports/{}/download", id_of(&record))).await;
        assert_eq!(browser.text(".status").await, "404");
        assert!(browser.text("main").await.contains("expired"));
        browser.click(".button.primary").await;
        browser.find("#export-form").await;
    });
}

#[test]
fn older_exports_are_loaded_on_request() {
    with_browser("older_exports", Options::default(), async |org, browser| {
        let mut ids = Vec::new();
        for minutes in 0..55 {
            let record = completed(new_record(&org, &org.caller, now() - TimeDelta::minutes(minutes)), 1, 80);
            put_record(&record).await;
            ids.push(format!("export-{}", id_of(&record)));
        }
        open_page(&browser, &org.caller).await;
        mark(&browser).await;
        while browser.is_shown(".older a").await {
            let before = browser.texts(".export").await.len();
            browser.click(".older a").await;
            wait_for("more rows", async || (browser.texts(".export").await.len() > before).then_some(()))
                .await;
        }
        let list =
            browser.script("return [...document.querySelectorAll('.export')].map((row) => row.id)", vec![]);
        assert_eq!(list.await, json!(ids));
        assert_marked(&browser).await;
        browser.assert_accessible("older-exports").await;
    });
}

#[test]
fn the_link_in_an_email_leads_through_the_sign_in_to_the_export() {
    with_browser("an_emails_link", Options::default(), async |org, browser| {
        let export = org.export(&request(&json!({"include_all_workspaces": true}))).await;
        let newer = completed(new_record(&org, &org.caller, now() + TimeDelta::minutes(1)), 1, 80);
        put_record(&newer).await;
        let link = link_in(&wait_for_email(&export.id).await.text, &export.id);
        browser.goto(&link).await;
        browser.screenshot("email-link").await;
        sign_in(&browser, &org.caller).await;
        assert_points_to(&browser, &export.id).await;

        // Again, from another site, whose links bring no cookie of ours along.
        let encoded = link.replace('#', "%23");
        browser.goto(&format!("data:text/html,<a id=link href='{encoded}'>Open</a>")).await;
        browser.click("#link").await;
        browser.find("#export-form").await;
        assert_points_to(&browser, &export.id).await;
    });
}

fn link_in(text: &str, id: &str) -> String {
    let link = text.split_whitespace().find(|word| word.contains(&format!("#export-{id}")));
    link.unwrap_or_else(|| panic!("{text}")).to_owned()
}

/// The row is marked, and in the window.
async fn assert_points_to(browser: &Browser, id: &str) {
    browser.find(&format!("#export-{id}:target")).await;
    let script = "const {top, bottom} = document.getElementById(arguments[0]).getBoundingClientRect();
        return top >= 0 && bottom <= innerHeight";
    let id = format!("export-{id}");
    wait_for("the row to be in the window", async || {
        browser.script(script, vec![json!(id)]).await.as_bool().unwrap().then_some(())
    })
    .await;
}

#[test]
fn a_link_to_an_export_on_a_later_history_page_shows_it() {
    with_browser("a_link_to_an_old_export", Options::default(), async |org, browser| {
        let old = completed(new_record(&org, &org.caller, now() - TimeDelta::days(20)), 17, 80);
        put_record(&old).await;
        for minutes in 0..30 {
            put_record(&completed(new_record(&org, &org.caller, now() - TimeDelta::minutes(minutes)), 1, 80))
                .await;
        }
        open_page(&browser, &org.caller).await;
        assert!(!browser.is_shown(&format!("#export-{}", id_of(&old))).await);
        follow_link_to(&browser, &id_of(&old)).await;
        assert_points_to(&browser, &id_of(&old)).await;
        browser.wait_for_text(&format!("#export-{}", id_of(&old)), "17 rows").await;
    });
}

/// Opens the address of an export in a tab that shows something else, so that the page is loaded.
pub async fn follow_link_to(browser: &Browser, id: &str) {
    browser.goto("about:blank").await;
    browser.goto(&format!("{PAGE}#export-{id}")).await;
}

/// Makes an export of another administrator of the organization, and returns its id.
pub async fn others_export(org: &TestOrg) -> String {
    let record = completed(new_record(org, &org.add_admin().await, now()), 5, 500);
    put_record(&record).await;
    id_of(&record)
}

#[test]
fn an_export_that_runs_is_cancelled_by_its_button() {
    for options in [Options::default(), Options { javascript: false, ..Options::default() }] {
        with_browser("an_export_is_cancelled", options, async |org, browser| {
            put_record(&running(new_record(&org, &org.caller, now()), 20, 1_000)).await;
            open_page(&browser, &org.caller).await;
            browser.wait_for_text(".export .badge", "In progress").await;
            browser.click(".export .run-action button").await;
            browser.wait_for_text(".export .badge", "Cancelled").await;
            browser.wait_for_text(".export .run-action", "Try again").await;
            assert!(!browser.text("#exports").await.contains("rows so far"));
        });
    }
}
