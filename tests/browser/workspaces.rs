//! Step 2: the list of workspaces.

use std::ops::Range;

use fantoccini::key::Key;
use futures::stream::{self, StreamExt};
use integration_tests::org::TestOrg;
use integration_tests::records::read_record;
use serde_json::{Value, json};

use crate::support::browser::Browser;
use crate::support::options::Options;
use crate::support::{open_form, started_export, with_browser};

/// Adds workspaces with these numbers in their names. Every fourth name ends with "west", the others with "east". Returns
/// their ids.
async fn add_teams(org: &TestOrg, numbers: Range<u32>) -> Vec<String> {
    let names =
        stream::iter(numbers).map(|i| format!("Team no{i:04} {}", if i % 4 == 0 { "west" } else { "east" }));
    names.map(async |name| org.add_workspace(&name).await).buffered(16).collect().await
}

async fn type_search(browser: &Browser, text: &str) {
    browser.type_into("#workspace_search", text).await;
}

/// Text, state and place of the row that the arrow keys have reached.
async fn active(browser: &Browser) -> Value {
    let script = "const id = document.querySelector('#workspace_list').getAttribute('aria-activedescendant');
        const row = document.getElementById(id);
        return [row.querySelector('.name').textContent, row.ariaSelected, row.ariaPosInSet, row.ariaSetSize]";
    browser.script(script, vec![]).await
}

#[test]
fn taking_one_away_from_all_selects_the_others() {
    with_browser("taking_one_away", Options::default(), async |org, browser| {
        let ids = add_teams(&org, 0..5).await;
        open_form(&browser, &org.caller).await;
        browser.wait_for_text("#workspace_count", "5 selected").await;
        browser.wait_for_text("#summary", "6 workspaces").await;
        browser.click(".option:nth-child(2)").await;
        assert!(
            browser.script("return document.querySelector('#workspaces_selected').checked", vec![]).await
                == true
        );
        browser.wait_for_text("#workspace_count", "4 selected").await;
        browser.click("#personal").await;
        browser.wait_for_text("#summary", "4 workspaces").await;
        browser.click("#workspace_shown").await;
        assert_eq!(browser.texts(".option .name").await.len(), 4);
        browser.click("#start").await;
        let id = started_export(&org, &browser).await;
        let named = read_record(&format!("REQUEST#{id}")).await["workspace_ids"].clone();
        let mut expected = [&ids[..1], &ids[2..]].concat();
        expected.sort();
        assert_eq!(named, json!(expected));
    });
}

#[test]
fn the_list_is_one_stop_of_the_tab_key_and_is_used_with_arrows() {
    with_browser("arrow_keys", Options::default(), async |org, browser| {
        add_teams(&org, 0..300).await;
        org.add_workspace("Übersee, São Paulo").await;
        open_form(&browser, &org.caller).await;
        browser.click("#workspaces_selected").await;
        browser.wait_for_text("#workspace_all_label", "Select all 301").await;
        browser.tab_to("#workspace_list").await;
        assert_eq!(active(&browser).await, json!(["Team no0000 west", "false", "1", "301"]));
        browser.press([' ']).await;
        browser.press([Key::Down, Key::Down]).await;
        browser.press([' ']).await;
        assert_eq!(active(&browser).await, json!(["Team no0002 east", "true", "3", "301"]));
        browser.press([Key::End]).await;
        assert_eq!(active(&browser).await, json!(["Übersee, São Paulo", "false", "301", "301"]));
        browser.press("team no02".chars()).await;
        assert_eq!(active(&browser).await, json!(["Team no0200 west", "false", "201", "301"]));
        browser.press([Key::Shift, Key::Up]).await;
        browser.wait_for_text("#workspace_count", "2 selected").await;
        browser.press([Key::Tab]).await;
        assert_eq!(browser.focused().await, "#personal", "the next stop is not in the list");
        // Accents make no difference.
        type_search(&browser, "sao uber").await;
        browser.wait_for_text("#workspace_all_label", "Select the one shown").await;
        browser.press([Key::Down]).await;
        assert_eq!(browser.focused().await, "#workspace_list");
        browser.press([Key::Control.into(), 'a']).await;
        browser.wait_for_text("#workspace_count", "3 selected").await;
    });
}

#[test]
fn a_pasted_list_of_ids_selects_them() {
    with_browser("a_pasted_list", Options::default(), async |org, browser| {
        let ids = add_teams(&org, 0..30).await;
        open_form(&browser, &org.caller).await;
        browser.wait_for_text("#workspace_all_label", "Select all 30").await;
        let script = "const data = new DataTransfer();
            data.setData('text', arguments[0]);
            const event = new ClipboardEvent('paste', {clipboardData: data, bubbles: true, cancelable: true});
            document.querySelector('#workspace_search').dispatchEvent(event)";
        let list = format!("{},\n{}\t\"{}\"\nwsp_nowhere", ids[3], ids[7], ids[29]);
        browser.script(script, vec![json!(list)]).await;
        let told = browser.wait_for_text("#workspace_count", "3 selected").await;
        assert_eq!(told, "3 selected; unknown: wsp_nowhere");
        browser.click("#personal").await;
        browser.wait_for_text("#summary", "3 workspaces").await;
    });
}

#[test]
fn a_list_that_could_not_be_loaded_is_loaded_again() {
    with_browser("the_list_fails", Options::default(), async |org, browser| {
        add_teams(&org, 0..3).await;
        browser.cdp("Network.enable", json!({})).await;
        browser.cdp("Network.setBlockedURLs", json!({"urls": ["*/data_export/workspaces"]})).await;
        open_form(&browser, &org.caller).await;
        browser.wait_for_text("#workspace_none", "could not be loaded").await;
        browser.cdp("Network.setBlockedURLs", json!({"urls": []})).await;
        browser.click("#workspace_none button").await;
        browser.wait_for_text("#workspace_count", "3 selected").await;
    });
}

#[test]
fn a_workspace_that_the_server_refuses_is_named_and_the_error_stays() {
    with_browser("a_refused_workspace", Options::default(), async |org, browser| {
        let ids = add_teams(&org, 0..3).await;
        open_form(&browser, &org.caller).await;
        browser.wait_for_text("#workspace_count", "3 selected").await;
        browser.click(".option:nth-child(1)").await;
        org.remove_workspace(&ids[2]).await;
        browser.click("#start").await;
        browser.wait_for_text("#workspaces_error", &ids[2]).await;
        browser.type_into("#start_date", "03/01/2025").await;
        browser.press([Key::Escape]).await;
        assert!(browser.text("#workspaces_error").await.contains("not in the organization"));
        // Without the script, the same error comes with the whole page; the script must not remove it.
        let script = "const form = document.querySelector('#export-form'); form.submit()";
        browser.script(script, vec![]).await;
        browser.wait_for_text("#workspaces_error", &ids[2]).await;
        browser.wait_for_text("#workspace_all_label", "Select all").await;
        assert!(browser.text("#workspaces_error").await.contains("not in the organization"));
        assert_eq!(browser.focused().await, "#workspaces_all", "the step with the error has the focus");
    });
}
