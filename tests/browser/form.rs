//! The form: an error is shown at once beside its field, no form is sent twice, and nothing that was typed is lost.

use integration_tests::export::wait_until_final;
use integration_tests::org::TestOrg;
use integration_tests::page::{PAGE, Visitor};
use integration_tests::records::{id_of, new_record, put_active, put_record, read_record};
use integration_tests::system::now;
use serde_json::json;

use crate::support::browser::Browser;
use crate::support::options::Options;
use crate::support::{assert_marked, mark, open_form, started_export, with_browser};

async fn is_checked(browser: &Browser, css: &str) -> bool {
    let script = "return document.querySelector(arguments[0]).matches(':checked')";
    browser.script(script, vec![json!(css)]).await.as_bool().unwrap()
}

#[test]
fn a_form_without_workspace_or_field_is_reported() {
    with_browser("no_workspace_and_no_field", Options::default(), async |org, browser| {
        org.add_workspace("Analytics").await;
        open_form(&browser, &org.caller).await;
        mark(&browser).await;
        browser.click("#workspaces_selected").await;
        browser.click("#personal").await;
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
        let id = started_export(&org, &browser).await;
        let record = read_record(&id).await;
        assert_eq!(record["request"]["fields"], json!(["run_id"]), "{record}");
    });
}

#[test]
fn groups_and_presets_select_fields() {
    with_browser("fields", Options::default(), async |org, browser| {
        open_form(&browser, &org.caller).await;
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
    Visitor::sign_in(&org.caller).await.get("").await.text().matches("<tr class=\"export").count()
}

#[test]
fn a_double_click_and_a_reload_make_one_export() {
    with_browser("a_double_click_and_a_reload", Options::default(), async |org, browser| {
        open_form(&browser, &org.caller).await;
        // Two clicks before the first can be answered.
        let script = "const start = document.querySelector('#start'); start.click(); start.click()";
        browser.script(script, vec![]).await;
        let id = started_export(&org, &browser).await;
        assert_eq!(browser.focused().await, "#started", "the confirmation is read out");
        wait_until_final(&org.caller, &id).await;
        browser.client.refresh().await.unwrap();
        browser.find(&format!("#export-{id}")).await;
        assert!(!browser.is_shown("#started").await);
        assert_eq!(count_exports(&org).await, 1);
        // The same form, sent without the script that suppresses the second click.
        browser.goto(&format!("{PAGE}/new")).await;
        let script = "const form = document.querySelector('#export-form'); form.submit(); form.submit()";
        browser.script(script, vec![]).await;
        let second = started_export(&org, &browser).await;
        assert_ne!(second, id);
        assert_eq!(count_exports(&org).await, 2);
    });
}

#[test]
fn a_form_that_could_not_be_sent_keeps_everything() {
    with_browser("offline", Options::default(), async |org, browser| {
        org.add_workspace("Analytics").await;
        open_form(&browser, &org.caller).await;
        mark(&browser).await;
        browser.type_into("#start_date", "03/01/2025").await;
        browser.wait_for_text("#workspace_count", "1 selected").await;
        browser.set_offline(true).await;
        browser.click("#start").await;
        browser.wait_for_text("#form_error", "no connection").await;
        assert_eq!(browser.focused().await, "#form_error");
        assert_eq!(browser.text("#start").await, "Start export");
        assert_eq!(browser.value("#start_date").await, "03/01/2025");
        browser.set_offline(false).await;
        assert_marked(&browser).await;
        browser.click("#start").await;
        started_export(&org, &browser).await;
    });
}

#[test]
fn stop_during_a_slow_start_leaves_a_form_that_can_be_sent() {
    with_browser("stop", Options::default(), async |org, browser| {
        open_form(&browser, &org.caller).await;
        mark(&browser).await;
        browser.set_latency(60_000).await;
        browser.click("#start").await;
        browser.wait_for_text("#start", "Starting…").await;
        browser.script("window.stop()", vec![]).await;
        browser.wait_for_text("#start", "Start export").await;
        browser.set_latency(0).await;
        assert_marked(&browser).await;
        browser.click("#start").await;
        started_export(&org, &browser).await;
        assert_eq!(count_exports(&org).await, 1);
    });
}

#[test]
fn what_was_typed_survives_a_reload_and_the_way_back() {
    with_browser("a_draft", Options::default(), async |org, browser| {
        org.add_workspace("Analytics").await;
        org.add_workspace("Design").await;
        open_form(&browser, &org.caller).await;
        browser.wait_for_text("#workspace_count", "2 selected").await;
        browser.type_into("#start_date", "03/01/2025").await;
        browser.find("#time_zone").await.select_by_value("Asia/Tokyo").await.unwrap();
        browser.click(".option:nth-child(2)").await;
        browser.click("[name=export_fields][value=user_email]").await;
        let summary = browser.wait_for_text("#summary", "2 workspaces · 03/01/2025").await;
        browser.client.refresh().await.unwrap();
        browser.wait_for_text("#summary", &summary).await;
        assert_eq!(browser.value("#time_zone").await, "Asia/Tokyo");
        browser.click(".back a").await;
        browser.find("#new-export").await;
        browser.client.back().await.unwrap();
        browser.wait_for_text("#summary", &summary).await;
        assert!(!is_checked(&browser, "[value=user_email]").await);
        // A new form is empty, and so is one after an export was started.
        browser.click(".back a").await;
        browser.click("#new-export").await;
        browser.wait_for_text("#summary", "3 workspaces").await;
        browser.click("#start").await;
        started_export(&org, &browser).await;
    });
}

#[test]
fn a_refusal_is_shown_where_the_form_is_and_keeps_it() {
    with_browser("a_refusal", Options::default(), async |org, browser| {
        open_form(&browser, &org.caller).await;
        mark(&browser).await;
        let records: Vec<_> = (0..5).map(|_| new_record(&org, &org.caller, now())).collect();
        for record in &records {
            put_record(record).await;
        }
        put_active(&org, records.iter().map(id_of).collect()).await;
        browser.type_into("#start_date", "03/01/2025").await;
        browser.click("#start").await;
        browser.wait_for_text("#form_error", "already has 5 unfinished exports").await;
        browser.type_into("#start_date", "01/01/1800").await;
        browser.click("#start").await;
        browser
            .wait_for_text("#end_date_error", "The end date is more than 100 years after the start date")
            .await;
        assert_eq!(browser.focused().await, "#end_date");
        assert_marked(&browser).await;
    });
}
