//! Saved exports: a form with a name, which any administrator of the organization can run.

use integration_tests::page::PAGE;
use integration_tests::records::read_record;
use serde_json::json;

use crate::support::options::Options;
use crate::support::{open_form, open_page, started_export, with_browser};

#[test]
fn a_form_is_saved_run_changed_and_deleted_by_any_administrator() {
    with_browser("a_saved_export", Options::default(), async |org, browser| {
        let workspace = org.add_workspace("Finance").await;
        org.add_workspace("Sales").await;
        open_form(&browser, &org.caller).await;
        browser.click("[data-preset=last_month]").await;
        browser.wait_for_text("#workspace_count", "2 selected").await;
        browser.click(".option:nth-child(2)").await;
        browser.click("#personal").await;
        browser.click("[data-fields*=credit_cost]").await;
        browser.find("#time_zone").await.select_by_value("Europe/Berlin").await.unwrap();
        browser.click(".save summary").await;
        browser.click("#save").await;
        browser.wait_for_text("#name_error", "enter a name").await;
        browser.wait_for_text("#summary", "1 workspace ").await;
        browser.type_into("#name", "  Monthly <b>billing</b> ").await;
        browser.click("#save").await;
        browser.wait_for_text("#saved-notice", "Saved as Monthly <b>billing</b>.").await;
        let about = browser.text(".saved .about").await;
        assert_eq!(about, "Last month · 1 workspace · 6 fields");
        browser.screenshot("saved-exports").await;
        browser.assert_accessible("saved-exports").await;

        // Another administrator runs it.
        let colleague = org.add_admin().await;
        browser.click("#sign-out").await;
        open_page(&browser, &colleague).await;
        browser.click(".saved .button:not(.quiet)").await;
        let id = started_export(&org, &browser).await;
        browser.wait_for_text(&format!("#export-{id} .about"), "Monthly <b>billing</b> · 1 workspace").await;
        browser.wait_for_text(&format!("#export-{id} .about"), "Berlin time").await;
        let record = read_record(&id).await;
        assert_eq!(record["request"]["name"], "Monthly <b>billing</b>");
        let named = read_record(&format!("REQUEST#{id}")).await["workspace_ids"].clone();
        assert_eq!(named, json!([workspace]));

        // It is changed under its name; a form from elsewhere cannot take it.
        browser.click(".saved .range").await;
        assert_eq!(browser.value("#name").await, "Monthly <b>billing</b>");
        browser.click("#fields_all").await;
        browser.click("#save").await;
        browser.wait_for_text(".saved .about", "11 fields").await;
        browser.goto(&format!("{PAGE}/new")).await;
        browser.click(".save summary").await;
        browser.type_into("#name", "monthly <B>BILLING</B>").await;
        browser.click("#save").await;
        browser.wait_for_text("#name_error", "already that of another saved export").await;

        browser.goto(PAGE).await;
        browser.script("window.confirm = () => true", vec![]).await;
        browser.click(".saved .quiet").await;
        browser.wait_until_gone(".saved").await;
        assert_eq!(browser.texts(".export").await.len(), 1, "its exports stay");
    });
}
