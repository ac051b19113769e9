//! The form: an error is shown at once beside its field, and no form is sent twice.

use std::ops::Range;

use fantoccini::key::Key;
use futures::stream::{self, StreamExt};
use integration_tests::export::wait_until_final;
use integration_tests::org::TestOrg;
use integration_tests::page::{PAGE, Visitor};
use integration_tests::records::read_record;
use serde_json::json;

use crate::support::browser::Browser;
use crate::support::options::Options;
use crate::support::{assert_marked, created_export, mark, open_page, with_browser};

async fn value(browser: &Browser, css: &str) -> String {
    let script = "return document.querySelector(arguments[0]).value";
    browser.script(script, vec![json!(css)]).await.as_str().unwrap().to_owned()
}

async fn is_checked(browser: &Browser, css: &str) -> bool {
    let script = "return document.querySelector(arguments[0]).matches(':checked')";
    browser.script(script, vec![json!(css)]).await.as_bool().unwrap()
}

#[test]
fn an_invalid_date_is_reported_while_it_is_typed() {
    with_browser("a_date_that_is_wrong", Options::default(), async |org, browser| {
        open_page(&browser, &org.caller).await;
        mark(&browser).await;
        browser.type_into("#start_date", "02/10/2025").await;
        browser.type_into("#end_date", "02/09/2025").await;
        browser.wait_for_text("#end_date_error", "on or after the start date").await;
        assert_eq!(browser.attribute("#end_date", "aria-invalid").await.as_deref(), Some("true"));
        browser.click("#start").await;
        // The other field is corrected, so both dates are valid.
        browser.type_into("#start_date", "02/09/2025").await;
        browser.wait_until_gone("#end_date_error").await;
        browser.type_into("#start_date", "02/30/2025").await;
        browser.wait_for_text("#start_date_error", "MM/DD/YYYY").await;
        browser.type_into("#start_date", "").await;
        browser.click("#start").await;
        browser.wait_for_text("#start_date_error", "Enter the start date.").await;
        assert_eq!(browser.script("return document.activeElement.id", vec![]).await, "start_date");
        assert_marked(&browser).await;
        assert_eq!(browser.texts(".export").await, [""; 0]);
    });
}

#[test]
fn a_form_without_workspace_or_field_is_reported() {
    with_browser("no_workspace_and_no_field", Options::default(), async |org, browser| {
        org.add_workspace("Analytics").await;
        open_page(&browser, &org.caller).await;
        mark(&browser).await;
        browser.click("#workspaces_selected").await;
        browser.click("#fields_all").await;
        browser.click("#start").await;
        browser.wait_for_text("#workspaces_error", "at least one workspace").await;
        browser.wait_for_text("#fields_error", "at least one field").await;
        browser.wait_for_text("#summary", "0 workspaces").await;
        browser.click("#personal").await;
        browser.wait_until_gone("#workspaces_error").await;
        browser.click("[name=export_fields][value=run_id]").await;
        browser.wait_until_gone("#fields_error").await;
        assert_marked(&browser).await;
        browser.click("#start").await;
        let id = created_export(&org, &browser).await;
        let record = read_record(&id).await;
        assert_eq!(record["request"]["fields"], json!(["run_id"]), "{record}");
    });
}

#[test]
fn presets_fill_in_dates_and_fields() {
    with_browser("presets", Options::default(), async |org, browser| {
        open_page(&browser, &org.caller).await;
        browser.click("[data-preset=last_month]").await;
        let (start, end) = (value(&browser, "#start_date").await, value(&browser, "#end_date").await);
        assert!(start[2..].starts_with("/01/") && start[..2] == end[..2], "{start} {end}");
        assert_eq!(
            browser.attribute("[data-preset=last_month]", "aria-pressed").await.as_deref(),
            Some("true")
        );
        browser.click("[data-fields^='workspace_id workbook_id']").await;
        browser.wait_for_text("#summary", "7 fields").await;
        browser.click("[data-group=run]").await;
        browser.wait_for_text("#summary", "8 fields").await;
        browser.click("[data-group=run]").await;
        browser.wait_for_text("#summary", "4 fields").await;
        assert!(!is_checked(&browser, "#fields_all").await);
        browser.click("#fields_all").await;
        browser.wait_for_text("#summary", "11 fields").await;
        assert!(is_checked(&browser, "[data-group=run]").await);
    });
}

/// The number of exports that the user has.
async fn count_exports(org: &TestOrg) -> usize {
    Visitor::sign_in(&org.caller).await.get("").await.text().matches("<li class=\"export\"").count()
}

#[test]
fn a_double_click_and_a_reload_make_one_export() {
    with_browser("a_double_click_and_a_reload", Options::default(), async |org, browser| {
        open_page(&browser, &org.caller).await;
        // Two clicks before the first can be answered.
        let script = "const start = document.querySelector('#start'); start.click(); start.click()";
        browser.script(script, vec![]).await;
        let id = created_export(&org, &browser).await;
        wait_until_final(&org.caller, &id).await;
        browser.client.refresh().await.unwrap();
        browser.find(&format!("#export-{id}")).await;
        assert_eq!(count_exports(&org).await, 1);
        // The same form, sent without the script that suppresses the second click.
        browser.goto(PAGE).await;
        let script = "const form = document.querySelector('#export-form'); form.submit(); form.submit()";
        browser.script(script, vec![]).await;
        browser.wait_for_text("#exports", "just now").await;
        let second = created_export(&org, &browser).await;
        assert_ne!(second, id);
        assert_eq!(count_exports(&org).await, 2);
    });
}

/// Adds workspaces with these numbers in their names. Every fourth name ends with "west", the others with "east".
async fn add_teams(org: &TestOrg, numbers: Range<u32>) {
    let names =
        stream::iter(numbers).map(|i| format!("Team no{i:04} {}", if i % 4 == 0 { "west" } else { "east" }));
    names.for_each_concurrent(16, async |name| drop(org.add_workspace(&name).await)).await;
}

/// How long the function says it takes for the page when it is warm. It is printed for people; no test depends on it.
async fn page_timing(org: &TestOrg) -> String {
    let visitor = Visitor::sign_in(&org.caller).await;
    for _ in 0..5 {
        visitor.get("").await;
    }
    visitor.get("").await.header("server-timing").to_owned()
}

#[test]
fn two_thousand_workspaces_can_be_searched_and_selected() {
    with_browser("two_thousand_workspaces", Options::default(), async |org, browser| {
        add_teams(&org, 0..20).await;
        println!("the page with 20 workspaces: {}", page_timing(&org).await);
        add_teams(&org, 20..2000).await;
        println!("the page with 2,000 workspaces: {}", page_timing(&org).await);
        open_page(&browser, &org.caller).await;
        browser.click("#workspaces_selected").await;
        browser.wait_for_text("#workspace_all_label", "Select all 2,000").await;
        browser.type_into("#workspace_search", "WEST team").await;
        browser.wait_for_text("#workspace_all_label", "Select the 500 shown").await;
        browser.click("#workspace_all").await;
        browser.wait_for_text("#workspace_count", "500 selected").await;
        browser.type_into("#workspace_search", "no0001").await;
        browser.wait_for_text("#workspace_all_label", "Select the 1 shown").await;
        browser.press([Key::Tab, Key::Tab]).await;
        browser.press([' ']).await;
        browser.wait_for_text("#workspace_count", "501 selected").await;
        browser.screenshot_view("two-thousand-workspaces").await;
        browser.click("#workspace_search").await;
        browser.press([Key::Control.into(), 'a']).await;
        browser.press([Key::Delete]).await;
        browser.click("#workspace_all").await;
        browser.wait_for_text("#summary", "2,000 workspaces").await;
        browser.click("#start").await;
        let id = created_export(&org, &browser).await;
        let record = read_record(&id).await;
        assert_eq!(record["request"]["scope"]["workspace_count"], 2000);
    });
}
