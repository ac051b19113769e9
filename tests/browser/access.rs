//! Sessions that end, exports of other users, and names that contain code.

use integration_tests::org::Caller;
use integration_tests::page::PAGE;
use integration_tests::records::{new_record, put_record, running};
use integration_tests::system::now;

use crate::history::{follow_link_to, others_export};
use crate::support::options::Options;
use crate::support::{open_page, sign_in, with_browser};

#[test]
fn the_page_asks_to_sign_in_again_when_the_session_ends() {
    with_browser("a_session_that_ends", Options::default(), async |org, browser| {
        put_record(&running(new_record(&org, &org.caller, now()), 10, 5)).await;
        open_page(&browser, &org.caller).await;
        org.revoke_key(&org.caller.key).await;
        // The next refresh of the row shows it.
        browser.find("#sign-in").await;
        browser.wait_for_text("#sign-in", "Your session has ended").await;
        browser.screenshot("session-ended").await;
        let key = org.add_personal_key(&org.caller.user_id).await;
        sign_in(&browser, &Caller { user_id: org.caller.user_id.clone(), key }).await;
        browser.wait_for_text(".export .badge", "In progress").await;
    });
}

#[test]
fn a_form_sent_after_the_session_has_ended_leads_to_the_sign_in() {
    with_browser("a_form_after_the_session", Options::default(), async |org, browser| {
        open_page(&browser, &org.caller).await;
        browser.client.delete_all_cookies().await.unwrap();
        browser.click("#start").await;
        browser.find("#sign-in").await;
        sign_in(&browser, &org.caller).await;
        assert_eq!(browser.texts(".export").await, [""; 0]);
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
fn another_users_export_cannot_be_seen() {
    with_browser("another_users_export", Options::default(), async |org, browser| {
        let id = others_export(&org).await;
        open_page(&browser, &org.caller).await;
        assert_eq!(browser.texts(".export").await, [""; 0]);
        follow_link_to(&browser, &id).await;
        browser.wait_for_text("#missing_export", "is another user’s").await;
        browser.screenshot("another-users-export").await;
        browser.goto(&format!("{PAGE}/exports/{id}/download")).await;
        browser.wait_for_text("main", "This export belongs to another user.").await;
        follow_link_to(&browser, &uuid::Uuid::now_v7().to_string()).await;
        browser.wait_for_text("#missing_export", "no longer there").await;
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
        open_page(&browser, &org.caller).await;
        browser.console_errors().await;

        browser.click("#workspaces_selected").await;
        let mut listed = browser.texts("#workspace_list .name").await;
        listed.sort();
        let mut expected = names.map(str::to_owned);
        expected.sort();
        assert_eq!(listed, expected);
        browser.click(".export summary").await;
        let details = browser.wait_for_text(".export .names", names[0]).await;
        assert!(names.iter().all(|name| details.contains(name)), "{details}");
        assert!(browser.text(".who").await.contains("<svg/onload=window.hacked=4>@example.com"));
        browser.screenshot("hostile-names").await;
        assert_eq!(browser.script("return window.hacked ?? null", vec![]).await, serde_json::Value::Null);
        assert_eq!(browser.console_errors().await, [""; 0]);
    });
}
