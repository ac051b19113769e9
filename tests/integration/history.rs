//! `GET /exports`: the history pages of an organization's exports, or of the caller's own.

use chrono::TimeDelta;
use futures::future::join_all;
use serde_json::{Value, json};

use integration_tests::api::{Call, ROOTS, get_history, get_status};
use integration_tests::export::request;
use integration_tests::org::{Caller, TestOrg};
use integration_tests::page::Visitor;
use integration_tests::records::{failed, id_of, new_export_id, new_record, put_record, set_in_record};
use integration_tests::system::now;
use integration_tests::with_org;

/// Exports on a history page.
const PAGE: usize = 20;

/// Reads all history pages of the organization, up to the one without a cursor.
async fn read_pages(caller: &Caller) -> Vec<Vec<Value>> {
    read_pages_of(caller, &[]).await
}

/// The same of the caller's own exports.
async fn read_own_pages(caller: &Caller) -> Vec<Vec<Value>> {
    read_pages_of(caller, &[("mine", "true")]).await
}

async fn read_pages_of(caller: &Caller, parameters: &[(&str, &str)]) -> Vec<Vec<Value>> {
    let mut pages = Vec::new();
    let mut cursor: Option<String> = None;
    loop {
        let mut query = [&[("user_id", caller.user_id.as_str())], parameters].concat();
        query.extend(cursor.as_deref().map(|cursor| ("cursor", cursor)));
        let page = Call::get("/exports", &query).with_key(&caller.key).send().await.ok();
        pages.push(page["exports"].as_array().unwrap().clone());
        let Some(next) = page.get("next_cursor") else { return pages };
        cursor = Some(next.as_str().unwrap().to_owned());
        assert!(pages.len() < 10, "the pages do not end");
    }
}

#[test]
fn history_pages_have_every_export_once_newest_first() {
    with_org(async |org| {
        let latest = now();
        // Every third export has the same instant as the one before.
        let age = |i: i32| TimeDelta::milliseconds(i64::from(i - i % 3 / 2) * 1000);
        let records: Vec<_> =
            (0..45).map(|i| failed(new_record(&org, &org.caller, latest - age(i)))).collect();
        let colleague = org.add_admin().await;
        let theirs: Vec<_> = (0..5).map(|i| failed(new_record(&org, &colleague, latest - age(i)))).collect();
        join_all(records.iter().chain(&theirs).map(put_record)).await;
        let pages = read_own_pages(&org.caller).await;
        let sizes: Vec<_> = pages.iter().map(Vec::len).collect();
        assert_eq!(sizes, [PAGE, PAGE, 5]);
        let exports = pages.concat();
        let times: Vec<_> = exports.iter().map(|export| export["created_ts"].as_str().unwrap()).collect();
        assert!(times.is_sorted_by(|newer, older| newer >= older), "{times:?}");
        let mut ids: Vec<_> = exports.iter().map(id_of).collect();
        let mut expected: Vec<_> = records.iter().map(id_of).collect();
        ids.sort_unstable();
        expected.sort_unstable();
        assert_eq!(ids, expected);
        assert_eq!(read_own_pages(&colleague).await.concat().len(), theirs.len());

        let pages = read_pages(&colleague).await;
        assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [PAGE, PAGE, 10]);
        let exports = pages.concat();
        let mut ids: Vec<_> = exports.iter().map(id_of).collect();
        expected.extend(theirs.iter().map(id_of));
        ids.sort_unstable();
        expected.sort_unstable();
        assert_eq!(ids, expected, "of the whole organization, each once");
        let by_colleague = exports.iter().filter(|export| export["user_id"] == colleague.user_id.as_str());
        assert_eq!(by_colleague.count(), theirs.len());
        assert!(exports.iter().all(|export| export["user_email"].as_str().unwrap().contains('@')));
    });
}

#[test]
fn a_full_history_page_may_be_the_last() {
    with_org(async |org| {
        let latest = now();
        let records: Vec<_> =
            (0..20).map(|i| failed(new_record(&org, &org.caller, latest - TimeDelta::seconds(i)))).collect();
        join_all(records.iter().map(put_record)).await;
        assert_eq!(read_pages(&org.caller).await.concat().len(), PAGE);
    });
}

#[test]
fn an_entry_equals_the_status_of_its_export() {
    with_org(async |org| {
        assert_eq!(get_history(&org.caller, None).await.ok(), json!({"exports": []}));
        let export = org.export(&request(&json!({"include_all_workspaces": true}))).await;
        for root in ROOTS {
            let call = Call::get(&format!("{root}/exports"), &[("user_id", &*org.caller.user_id)]);
            let page = call.with_key(&org.caller.key).send().await.ok();
            let mut expected = get_status(&org.caller, &export.id).await.ok();
            expected["user_id"] = org.caller.user_id.as_str().into();
            expected["user_email"] = org.admin.email.as_str().into();
            assert_eq!(page, json!({"exports": [expected]}));
        }
    });
}

#[test]
fn an_organization_key_gets_the_exports_of_user_id() {
    with_org(async |org| {
        let colleague = org.add_admin().await;
        put_record(&failed(new_record(&org, &colleague, now()))).await;
        let key = org.add_organization_key().await;
        let caller = Caller { key, ..colleague };
        assert_eq!(read_own_pages(&caller).await.concat().len(), 1);
        let caller = Caller { user_id: org.caller.user_id.clone(), ..caller };
        assert_eq!(read_own_pages(&caller).await.concat().len(), 0);
        assert_eq!(read_pages(&caller).await.concat().len(), 1);
    });
}

#[test]
fn an_invalid_cursor_is_refused() {
    with_org(async |org| {
        for cursor in ["nonsense", "ACTIVE#1", "00000000-0000-4000-8000-000000000000", "💥"] {
            get_history(&org.caller, Some(cursor)).await.assert_problem(400, &["cursor"]);
        }
    });
}

#[test]
fn a_cursor_gives_no_exports_of_other_organizations() {
    with_org(async |org| {
        let other = TestOrg::create().await;
        put_record(&failed(new_record(&other, &other.caller, now() - TimeDelta::hours(1)))).await;
        let page = get_history(&org.caller, Some(&new_export_id(now()))).await.ok();
        assert_eq!(page["exports"], json!([]));
    });
}

#[test]
fn an_entry_of_a_user_who_is_unknown_has_no_email_address() {
    with_org(async |org| {
        let colleague = org.add_admin().await;
        put_record(&failed(new_record(&org, &colleague, now()))).await;
        org.remove_member(&colleague.user_id).await;
        let entries = read_pages(&org.caller).await.concat();
        assert_eq!(entries.len(), 1);
        assert_eq!(entries[0]["user_id"], colleague.user_id.as_str());
        assert!(entries[0].get("user_email").is_none(), "{}", entries[0]);
        let page = Visitor::sign_in(&org.caller).await.get("").await.text();
        assert!(page.contains(&colleague.user_id), "the page tells the user id instead: {page}");
    });
}

#[test]
fn a_record_that_cannot_be_read_hides_no_other() {
    with_org(async |org| {
        let latest = now();
        let records: Vec<_> =
            (0..3).map(|i| failed(new_record(&org, &org.caller, latest - TimeDelta::seconds(i)))).collect();
        join_all(records.iter().map(put_record)).await;
        set_in_record(&id_of(&records[1]), "row_count", &json!("many")).await;
        let ids: Vec<_> = read_pages(&org.caller).await.concat().iter().map(id_of).collect();
        assert_eq!(ids, [id_of(&records[0]), id_of(&records[2])]);
        let page = Visitor::sign_in(&org.caller).await.get("").await;
        assert_eq!(page.status, 200);
        assert_eq!(page.text().matches("<tr class=\"export").count(), 2, "{}", page.text());
    });
}
