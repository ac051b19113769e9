//! Saved exports of the settings page over plain HTTP. `browser/saved.rs` has what people do with them.

use futures::stream::{self, StreamExt};
use integration_tests::api::Answer;
use integration_tests::org::TestOrg;
use integration_tests::page::Visitor;
use integration_tests::with_org;

use crate::export_form::form;

/// How many saved exports an organization may have.
const MAX_SAVED: usize = 100;

async fn save(visitor: &Visitor, name: &str, more: &[(&str, &str)]) -> Answer {
    visitor.post("/saved", &[&form("k", &[("name", name)])[..], more].concat()).await
}

/// The path below the page under which a saved export is run or deleted.
fn path_of(answer: &Answer) -> String {
    let id = answer.header("location").split_once("?saved=").unwrap().1.split('#').next().unwrap();
    format!("/saved/{id}")
}

#[test]
fn an_organization_has_a_hundred_saved_exports_and_no_more() {
    with_org(async |org| {
        let visitor = Visitor::sign_in(&org.caller).await;
        let names = stream::iter(0..MAX_SAVED).map(|i| format!("Export {i:03}"));
        names
            .for_each_concurrent(4, async |name| {
                let answer = save(&visitor, &name, &[]).await;
                assert_eq!(answer.status, 303, "{}", answer.text());
            })
            .await;
        let page = visitor.get("").await.text();
        let at = |i: usize| page.find(&format!("Export {i:03}")).unwrap();
        assert!((1..MAX_SAVED).all(|i| at(i - 1) < at(i)), "all of them, by name");

        let refused = save(&visitor, "One more", &[]).await;
        assert_eq!(refused.status, 409);
        assert!(refused.text().contains("there are 100 already, delete one first"), "{}", refused.text());
        assert!(refused.text().contains("data-typed=\"01/31/2025\""), "the form is kept");
        let changed = save(&visitor, "Export 007", &[("export_fields", "user_id")]).await;
        assert_eq!(changed.status, 409, "it is not that saved export that was opened");
        let saved = page.split_once("Export 007").unwrap().0.rsplit_once("?from=").unwrap().1;
        let replaces = saved.split(['"', '&']).next().unwrap();
        let more = [("replaces", replaces), ("export_fields", "user_id")];
        let changed = save(&visitor, "Export 007", &more).await;
        assert_eq!(changed.status, 303, "{}", changed.text());
        let deleted = visitor.post(&format!("{}/delete", path_of(&changed)), &[]).await;
        assert_eq!(deleted.status, 303);
        assert_eq!(save(&visitor, "One more", &[]).await.status, 303);
    });
}

#[test]
fn a_saved_export_of_another_organization_is_as_one_that_does_not_exist() {
    with_org(async |org| {
        let other = TestOrg::create().await;
        let theirs = save(&Visitor::sign_in(&other.caller).await, "Theirs", &[]).await;
        let path = path_of(&theirs);
        let visitor = Visitor::sign_in(&org.caller).await;
        assert_eq!(visitor.post(&format!("{path}/run"), &form("k", &[])).await.status, 404);
        let deleted = visitor.post(&format!("{path}/delete"), &[]).await;
        assert_eq!(deleted.status, 303, "as one that is gone");
        let page = Visitor::sign_in(&other.caller).await.get("").await.text();
        assert!(page.contains("Theirs"), "{page}");
    });
}
