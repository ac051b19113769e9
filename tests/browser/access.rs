//! Sessions that end, exports of other users, and names that contain code.

use integration_tests::org::Caller;
use integration_tests::page::PAGE;
use integration_tests::records::{new_record, put_record, running};
use integration_tests::system::now;

use crate::history::others_export;
use crate::support::options::Options;
use crate::support::{assert_marked, mark, open_form, open_page, sign_in, started_export, with_browser};

#[test]
fn an_open_history_says_that_the_session_has_ended_and_stays() {
    with_browser("a_session_that_ends", Options::default(), async |org, browser| {
        put_record(&running(new_record(&org, &org.caller, now()), 10, 5)).await;
        open_page(&browser, &org.caller).await;
        mark(&browser).await;
        org.revoke_key(&org.caller.key).await;
        browser.wait_for_text("#trouble", "Your session has ended. Sign in again.").await;
        browser.screenshot("session-ended").await;
        assert_marked(&browser).await;
        browser.click("#trouble a").await;
        browser.wait_for_text("#sign-in", "Your session has ended").await;
        let key = org.add_personal_key(&org.caller.user_id).await;
        sign_in(&browser, &Caller { user_id: org.caller.user_id.clone(), key }).await;
        browser.wait_for_text(".export .badge", "In progress").await;
    });
}

#[test]
fn a_form_sent_after_the_session_has_ended_is_there_after_the_sign_in() {
    with_browser("a_form_after_the_session", Options::default(), async |org, browser| {
        org.add_workspace("Analytics").await;
        org.add_workspace("Design").await;
        open_form(&browser, &org.caller).await;
        browser.wait_for_text("#workspace_count", "2 selected").await;
        browser.type_into("#start_date", "03/01/2025").await;
        browser.click(".option:nth-child(1)").await;
        let summary = browser.wait_for_text("#summary", "2 workspaces · 03/01/2025").await;
        browser.client.delete_all_cookies().await.unwrap();
        browser.click("#start").await;
        browser.wait_for_text("#sign-in", "your export is kept").await;
        // A mistyped key does not lose it either.
        browser.type_into("#user_id", &org.caller.user_id).await;
        browser.type_into("#api_key", "uex_mistyped").await;
        browser.click("#sign-in button").await;
        browser.wait_for_text("#sign-in-error", "not valid").await;
        sign_in(&browser, &org.caller).await;
        browser.wait_for_text("#form_note", "You are signed in again").await;
        browser.wait_for_text("#summary", &summary).await;
        browser.click("#start").await;
        let id = started_export(&org, &browser).await;
        browser.find(&format!("#export-{id}")).await;
    });
}

#[test]
fn signing_out_ends_the_session() {
    with_browser("signing_out", Options::default(), async |org, browser| {
        open_page(&browser, &org.caller).await;
        assert!(browser.text(".who").await.contains(&org.admin.email));
        assert!(browser.text(".who").await.contains("Test & Söhne"));
        let cookie = browser.client.get_all_cookies().await.unwrap().remove(0);
        browser.click("#sign-out").await;
        browser.find("#sign-in").await;
        assert!(browser.client.get_all_cookies().await.unwrap().is_empty());
        // The cookie is worthless even to someone who has kept it.
        browser.client.add_cookie(cookie).await.unwrap();
        browser.goto(PAGE).await;
        browser.wait_for_text("#sign-in", "Your session has ended").await;
    });
}

#[test]
fn another_administrators_export_is_seen_but_not_downloaded() {
    with_browser("another_users_export", Options::default(), async |org, browser| {
        let id = others_export(&org).await;
        open_page(&browser, &org.caller).await;
        assert!(browser.text(".export .c-who").await.contains("@example.com"));
        assert!(!browser.is_shown(".export .download").await);
        browser.click(".export .range").await;
        browser.wait_for_text("#drawer .export-actions", "can download this file").await;
        browser.goto(&format!("{PAGE}/exports/{id}/download")).await;
        browser
            .wait_for_text("main", "Only the administrator who asked for this export can download it.")
            .await;
        browser.screenshot("another-users-export").await;
        browser.goto(&format!("{PAGE}/exports/{}", uuid::Uuid::now_v7())).await;
        browser.wait_for_text("main", "There is no such export").await;
    });
}

#[test]
fn names_with_code_are_shown_as_text() {
    with_browser("names_with_code", Options::default(), async |org, browser| {
        let names = [
            "<img src=x onerror=\"window.hacked=1\">",
            "</script><script>window.hacked=2</script>",
            "\" onfocus=\"window.hacked=3\" autofocus=\"",
            "{{ 7*7 }} ${7*7} <%= 7*7 %>",
            "=HYPERLINK(\"http://example.com\")",
            "\u{202e}txet sdrawkcab",
        ];
        let mut workspaces = Vec::new();
        for name in names {
            workspaces.push(org.add_workspace(name).await);
        }
        org.set_email(&org.caller.user_id, "<svg/onload=window.hacked=4>@example.com").await;
        let mut record = new_record(&org, &org.caller, now());
        record["request"]["scope"]["all_workspaces"] = false.into();
        record["request"]["scope"]["workspace_ids"] = workspaces.clone().into();
        put_record(&running(record, 1, 1)).await;
        open_form(&browser, &org.caller).await;
        browser.console_errors().await;

        browser.wait_for_text("#workspace_count", "6 selected").await;
        let mut listed = browser.texts("#workspace_list .name").await;
        listed.sort();
        let mut expected = names.map(str::to_owned);
        expected.sort();
        assert_eq!(listed, expected);
        browser.screenshot("hostile-names-form").await;
        browser.goto(PAGE).await;
        browser.click(".export .range").await;
        let details = browser.wait_for_text("#drawer .names", names[0]).await;
        assert!(names.iter().all(|name| details.contains(name)), "{details}");
        assert!(browser.text(".who").await.contains("<svg/onload=window.hacked=4>@example.com"));
        browser.screenshot("hostile-names").await;
        assert_eq!(browser.script("return window.hacked ?? null", vec![]).await, serde_json::Value::Null);
        assert_eq!(browser.console_errors().await, [""; 0]);
    });
}
