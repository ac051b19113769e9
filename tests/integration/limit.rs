//! How many unfinished exports an organization may have.

use serde_json::{Value, json};

use integration_tests::api::post_export;
use integration_tests::export::request;
use integration_tests::org::TestOrg;
use integration_tests::records::{
    failed, id_of, new_export_id, new_record, put_record, put_unfinished, read_unfinished, set_in_record,
};
use integration_tests::system::now;
use integration_tests::with_org;

/// The default of the template's parameter `ActiveExportLimit`.
const LIMIT: usize = 5;

fn body() -> Value {
    request(&json!({"include_all_workspaces": true}))
}

/// Takes all places, with exports that no worker knows of.
async fn take_all_places(org: &TestOrg) -> Vec<String> {
    let mut ids = Vec::new();
    for _ in 0..LIMIT {
        let record = new_record(org, &org.caller, now());
        put_record(&record).await;
        ids.push(id_of(&record));
    }
    put_unfinished(org, ids.clone()).await;
    ids
}

#[test]
fn one_too_many_is_told_to_come_back() {
    with_org(async |org| {
        let mut ids = take_all_places(&org).await;
        for caller in [&org.caller, &org.add_admin().await] {
            let answer = post_export(caller, &body()).await;
            answer.assert_problem(429, &[]);
            let seconds: u32 = answer.header("retry-after").parse().unwrap();
            assert!((1..=3600).contains(&seconds), "{seconds} s");
        }
        let mut left = read_unfinished(&org).await;
        left.sort_unstable();
        ids.sort_unstable();
        assert_eq!(left, ids);
    });
}

#[test]
fn another_organization_has_its_own_places() {
    with_org(async |org| {
        let neighbour = TestOrg::create().await;
        take_all_places(&neighbour).await;
        org.export(&body()).await;
    });
}

#[test]
fn places_of_finished_exports_are_free() {
    with_org(async |org| {
        let ids = take_all_places(&org).await;
        // A worker died after its last step, before it gave the place back.
        set_in_record(&ids[0], "state", &"FAILED".into()).await;
        let new = org.export(&body()).await;
        let left = read_unfinished(&org).await;
        assert!(!left.contains(&ids[0]), "{left:?}");
        assert!(ids[1..].iter().all(|id| left.contains(id)), "{left:?}");
        assert!(!left.contains(&new.id), "{left:?}");
    });
}

#[test]
fn places_of_nothing_are_free() {
    with_org(async |org| {
        let gone: Vec<_> = (0..LIMIT - 1).map(|_| new_export_id(now())).collect();
        let finished = failed(new_record(&org, &org.caller, now()));
        put_record(&finished).await;
        put_unfinished(&org, gone.into_iter().chain([id_of(&finished)]).collect()).await;
        org.export(&body()).await;
        assert_eq!(read_unfinished(&org).await, Vec::<String>::new());
    });
}

#[test]
fn a_completed_export_frees_its_place() {
    with_org(async |org| {
        for _ in 0..LIMIT + 2 {
            org.export(&body()).await;
        }
        assert_eq!(read_unfinished(&org).await, Vec::<String>::new());
    });
}
