//! The way from the form to the file: with the mouse, with the keyboard alone, on a phone, without JavaScript.

use fantoccini::key::Key;
use integration_tests::export::{FIELDS, assert_same_file, request, wait_until_final};
use integration_tests::oracle::Snapshot;
use integration_tests::org::TestOrg;
use integration_tests::runs::Run;
use integration_tests::system::system;
use serde_json::{Value, json};

use crate::support::browser::Browser;
use crate::support::options::Options;
use crate::support::{assert_marked, mark, open_page, started_export, with_browser};

/// The fields that the form asks for in these tests.
const BILLING: [&str; 6] =
    ["workspace_id", "workspace_name", "user_email", "run_id", "credit_cost", "pl_run_created_ts"];

/// Adds two workspaces called "Data …" and one with another name, with runs at the edges of March 10 to April 5, 2025.
/// Returns the ids of the two.
async fn fill(org: &TestOrg) -> [String; 2] {
    let [data, science, other] = [
        org.add_workspace("Data platform").await,
        org.add_workspace("Data, \"science\"").await,
        org.add_workspace("Marketing").await,
    ];
    let mut runs = Vec::new();
    for workspace in [&data, &science, &other] {
        for start in [
            "2025-03-09T23:59:59.999Z",
            "2025-03-10T00:00:00.000Z",
            "2025-03-31T12:30:00.000Z",
            "2025-04-05T23:59:59.999Z",
            "2025-04-06T00:00:00.000Z",
        ] {
            runs.push(Run::new(workspace, start).by(&org.caller.user_id).costing("0.1000000000000000055"));
        }
    }
    org.write_runs(&runs).await;
    [data, science]
}

/// The body of the API request that equals the form.
fn billing(workspace_ids: &[String]) -> Value {
    request(&json!({
        "start_date": "2025-03-10", "end_date": "2025-04-05", "export_fields": BILLING, "workspace_ids": workspace_ids,
    }))
}

/// Asserts that the downloaded file is the one that the oracle computes: six runs.
async fn assert_downloads(org: &TestOrg, browser: &Browser, body: &Value) {
    let (expected, rows) = Snapshot::read(org).await.expected(body);
    assert_eq!(rows, 6);
    let (name, bytes) = browser.downloaded().await;
    assert!(name.contains("2025-03-10") && name.contains("2025-04-05"), "{name}");
    assert_same_file(&bytes, &expected, body);
}

/// Fills in the form with clicks.
async fn choose(browser: &Browser) {
    browser.type_into("#end_date", "4/1/2025").await;
    browser.type_into("#start_date", "3/1/2025").await;
    browser.press([Key::Tab]).await;
    assert_eq!(browser.value("#start_date").await, "03/01/2025");
    browser.click("#start_date").await;
    browser.click_day("2025-03-10").await;
    // The calendar of a phone has one month.
    if !browser.is_shown("[data-day='2025-04-05']").await {
        browser.click("[aria-label='Next month']").await;
    }
    browser.click_day("2025-04-05").await;
    browser.wait_for_text("#summary", "03/10/2025 – 04/05/2025").await;
    browser.click("#workspaces_selected").await;
    browser.click("#personal").await;
    browser.type_into("#workspace_search", "data").await;
    browser.wait_for_text("#workspace_all_label", "Select the 2 shown").await;
    browser.click("#workspace_all").await;
    browser.click("[data-fields*=credit_cost]").await;
    browser.wait_for_text("#summary", "2 workspaces · 03/10/2025 – 04/05/2025 · 6 fields").await;
}

async fn export_with_clicks(org: TestOrg, browser: Browser) {
    let workspaces = fill(&org).await;
    open_page(&browser, &org.caller).await;
    browser.click("#new-export").await;
    choose(&browser).await;
    browser.click("#start").await;
    let id = started_export(&org, &browser).await;
    mark(&browser).await;
    browser.wait_for_text(&format!("#export-{id} .badge"), "Completed").await;
    assert_marked(&browser).await;
    browser.wait_for_text(&format!("#export-{id} .c-rows"), "6 rows").await;
    assert_eq!(browser.texts(".export").await.len(), 1);
    browser.click(&format!("#export-{id} .download")).await;
    assert_downloads(&org, &browser, &billing(&workspaces)).await;
    assert_marked(&browser).await;
    // The status of the page before the sign-in is 401, which the console reports.
    let errors = browser.console_errors().await;
    assert!(errors.iter().all(|error| error.contains("401")), "{errors:?}");
}

#[test]
fn an_export_with_the_mouse() {
    with_browser("with_the_mouse", Options::default(), export_with_clicks);
}

#[test]
fn an_export_on_a_phone() {
    with_browser("on_a_phone_with_a_finger", Options::default().narrow(), export_with_clicks);
}

#[test]
fn an_export_with_the_keyboard_alone() {
    with_browser("with_the_keyboard_alone", Options::default(), async |org, browser| {
        let workspaces = fill(&org).await;
        browser.goto(&system().outputs.page_url).await;
        browser.tab_to("#user_id").await;
        browser.type_over(&org.caller.user_id).await;
        browser.tab_to("#api_key").await;
        browser.type_over(&org.caller.key).await;
        browser.press([Key::Enter]).await;
        browser.tab_to("#new-export").await;
        browser.press([Key::Enter]).await;
        browser.find("#export-form").await;

        browser.tab_to("#start_date").await;
        browser.type_over("03122025").await;
        // The focus begins at the typed day. Two days back is the tenth; four weeks on and two days back is April 5.
        browser.press_in_turn([Key::Down, Key::Left, Key::Left, Key::Enter]).await;
        browser
            .press_in_turn([Key::Down, Key::Down, Key::Down, Key::Down, Key::Left, Key::Left, Key::Enter])
            .await;
        browser.wait_for_text("#summary", "03/10/2025 – 04/05/2025").await;
        browser.tab_to("#workspaces_all").await;
        browser.press([Key::Down]).await;
        browser.tab_to("#workspace_search").await;
        browser.type_over("data").await;
        browser.tab_to("#workspace_list").await;
        browser.press([' ']).await;
        browser.press([Key::Down]).await;
        browser.press([' ']).await;
        browser.tab_to("#personal").await;
        browser.press([' ']).await;
        browser.tab_to("[data-fields*=credit_cost]").await;
        browser.press([Key::Enter]).await;
        browser.wait_for_text("#summary", "2 workspaces · 03/10/2025 – 04/05/2025 · 6 fields").await;
        browser.tab_to("#start").await;
        browser.press([Key::Enter]).await;

        let id = started_export(&org, &browser).await;
        let download = format!("#export-{id} .download");
        browser.find(&download).await;
        browser.tab_to(&download).await;
        browser.press([Key::Enter]).await;
        assert_downloads(&org, &browser, &billing(&workspaces)).await;
        browser.tab_back_to(&format!("#export-{id} .range")).await;
        browser.press([Key::Enter]).await;
        browser.wait_for_text("#drawer .facts", "Data platform").await;
        browser.press([Key::Escape]).await;
        browser.wait_until_gone("#drawer").await;
        assert_eq!(browser.focused().await, "a.range");
    });
}

#[test]
fn an_export_without_javascript() {
    let options = Options::default().without_javascript();
    with_browser("without_javascript", options, async |org, browser| {
        let workspaces = fill(&org).await;
        open_page(&browser, &org.caller).await;
        browser.click("#new-export").await;
        browser.screenshot("without-javascript").await;
        browser.assert_accessible("without-javascript").await;
        browser.type_into("#start_date", "03102025").await;
        browser.type_into("#end_date", "04052025").await;
        browser.click("#workspaces_selected").await;
        browser.click("#personal").await;
        for id in &workspaces {
            browser.click(&format!("[name=workspace_ids][value={id}]")).await;
        }
        for field in FIELDS.iter().filter(|field| !BILLING.contains(field)) {
            browser.click(&format!("[name=export_fields][value={field}]")).await;
        }
        browser.click("#start").await;
        let id = started_export(&org, &browser).await;
        wait_until_final(&org.caller, &id).await;
        browser.client.refresh().await.unwrap();
        assert_eq!(browser.text(&format!("#export-{id} .badge")).await, "Completed");
        browser.click(&format!("#export-{id} .download")).await;
        assert_downloads(&org, &browser, &billing(&workspaces)).await;
        browser.click(&format!("#export-{id} .range")).await;
        browser.wait_for_text(".facts", "Data platform").await;
        browser.screenshot("details-without-javascript").await;
    });
}
