//! What the page looks like in each of its states: a picture of each, and the accessibility checks of axe in light and in
//! dark.

use chrono::TimeDelta;
use fantoccini::key::Key;
use integration_tests::export::FIELDS;
use integration_tests::org::TestOrg;
use integration_tests::page::PAGE;
use integration_tests::records::{
    completed, failed, id_of, new_export_id, new_record, put_record, running, timestamp,
};
use integration_tests::system::now;
use serde_json::json;

use crate::support::browser::Browser;
use crate::support::options::Options;
use crate::support::{open_page, with_browser};

/// Takes a picture of the page as it is now; asserts that it breaks no rule of axe and fits into the window.
async fn look(browser: &Browser, name: &str) {
    look_at_part(browser, name, "html").await;
}

/// The same, but only a part of the page is checked.
async fn look_at_part(browser: &Browser, name: &str, part: &str) {
    browser.screenshot(name).await;
    // The other windows are checked in dark too.
    if !browser.options.dark {
        browser.assert_part_accessible(name, part).await;
    }
    let width = browser.script("return document.scrollingElement.scrollWidth", vec![]).await;
    assert_eq!(width, browser.options.width, "{name}: the page is wider than the window");
}

/// Adds workspaces and exports, such as an organization has that has used the product for a while.
pub async fn fill(org: &TestOrg) {
    for name in
        ["Analytics", "Design", "Data platform", "Finance", "Growth", "Legal", "Marketing", "Research"]
    {
        org.add_workspace(name).await;
    }
    let deleted = org.add_workspace("Old projects").await;
    org.delete_workspace(&deleted).await;
    let of = |age, start: &str, end: &str, fields: usize| {
        let mut record = new_record(org, &org.caller, now() - age);
        record["request"]["interval"] =
            json!({"start": format!("{start}T00:00:00.000Z"), "end": format!("{end}T23:59:59.999Z")});
        record["request"]["fields"] = json!(FIELDS[..fields]);
        record
    };
    let mut expired = completed(of(TimeDelta::days(75), "2025-01-01", "2025-03-31", 11), 1_204, 410_233);
    expired["expires_ts"] = json!("2026-01-01T00:00:00.000Z");
    put_record(&expired).await;
    put_record(&failed(of(TimeDelta::days(3), "2025-04-01", "2025-04-30", 6))).await;
    put_record(&completed(of(TimeDelta::days(2), "2025-01-01", "2025-06-30", 11), 101_715, 31_900_000)).await;
    let mut running = running(of(TimeDelta::minutes(3), "2024-01-01", "2024-12-31", 11), 42, 1_248_211);
    running["rows_per_second"] = 6_934.into();
    running["estimated_finish_ts"] = timestamp(now() + TimeDelta::minutes(4)).into();
    put_record(&running).await;
    put_record(&of(TimeDelta::zero(), "2025-05-01", "2025-05-31", 7)).await;
}

async fn look_at_all(name: &str, org: TestOrg, browser: Browser) {
    browser.goto(PAGE).await;
    look(&browser, &format!("{name}/sign-in")).await;
    browser.type_into("#user_id", &org.caller.user_id).await;
    browser.type_into("#api_key", "uex_wrong").await;
    browser.click("#sign-in button").await;
    browser.find("#sign-in-error").await;
    look(&browser, &format!("{name}/sign-in-refused")).await;

    open_page(&browser, &org.caller).await;
    look(&browser, &format!("{name}/empty-history")).await;
    fill(&org).await;
    browser.goto(PAGE).await;
    look(&browser, &format!("{name}/history")).await;
    browser.goto(&format!("{PAGE}/exports/{}/download", new_export_id(now()))).await;
    browser.click("header .brand").await;
    browser.click("#audit-trail").await;
    browser.wait_for_text(".audit", "Was refused").await;
    look(&browser, &format!("{name}/audit-trail")).await;
    browser.goto(&format!("{PAGE}/new")).await;
    browser.wait_for_text("#workspace_count", "9 selected").await;
    look(&browser, &format!("{name}/form")).await;
    browser.click("#start_date").await;
    look_at_part(&browser, &format!("{name}/calendar"), "#calendar").await;
    browser.press([Key::Escape]).await;
    browser.click("#workspaces_selected").await;
    browser.click("#personal").await;
    browser.type_into("#workspace_search", "a").await;
    look(&browser, &format!("{name}/choosing")).await;
    browser.type_into("#workspace_search", "nothing is called so").await;
    browser.type_into("#start_date", "12/01/2025").await;
    browser.type_into("#end_date", "11/01/2025").await;
    browser.press([Key::Escape]).await;
    browser.click("#fields_all").await;
    browser.click("#start").await;
    look(&browser, &format!("{name}/errors")).await;
}

#[test]
fn every_state_in_a_wide_window() {
    with_browser("in_a_wide_window", Options::default(), async |org, browser| {
        look_at_all("wide", org, browser).await;
    });
}

#[test]
fn every_state_on_a_phone() {
    with_browser("on_a_phone", Options::default().narrow(), async |org, browser| {
        look_at_all("phone", org, browser).await;
    });
}

#[test]
fn every_state_in_dark() {
    let options = Options::default().dark().with_reduced_motion();
    with_browser("in_the_dark", options, async |org, browser| look_at_all("dark", org, browser).await);
}

#[test]
fn details_and_error_pages() {
    with_browser("details_and_error_pages", Options::default(), async |org, browser| {
        fill(&org).await;
        open_page(&browser, &org.caller).await;
        browser.goto(&browser.attribute(".export:last-child .range", "href").await.unwrap()).await;
        look(&browser, "details").await;
        let others = failed(new_record(&org, &org.add_admin().await, now()));
        put_record(&others).await;
        for (name, path, status) in [
            ("403", format!("{PAGE}/exports/{}/download", id_of(&others)), "403"),
            ("404", format!("{PAGE}/nowhere"), "404"),
        ] {
            browser.goto(&path).await;
            assert_eq!(browser.text(".status").await, status);
            assert!(browser.text("main").await.contains("Request "));
            look(&browser, &format!("error-{name}")).await;
        }
    });
}
