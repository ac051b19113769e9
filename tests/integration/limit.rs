//! The limit of active exports of an organization.

use serde_json::{Value, json};

use integration_tests::api::post_export;
use integration_tests::export::request;
use integration_tests::org::TestOrg;
use integration_tests::records::{
    failed, id_of, new_export_id, new_record, put_active, put_record, read_active, set_in_record,
};
use integration_tests::system::now;
use integration_tests::with_org;

/// The default of the template's parameter `ActiveExportLimit`.
const LIMIT: usize = 5;

fn body() -> Value {
    request(&json!({"include_all_workspaces": true}))
}

/// Takes all slots, with exports that no worker gets a message about.
async fn take_all_slots(org: &TestOrg) -> Vec<String> {
    let mut ids = Vec::new();
    for _ in 0..LIMIT {
        let record = new_record(org, &org.caller, now());
        put_record(&record).await;
        ids.push(id_of(&record));
    }
    put_active(org, ids.clone()).await;
    ids
}

#[test]
fn an_export_beyond_the_limit_is_refused_with_retry_after() {
    with_org(async |org| {
        let mut ids = take_all_slots(&org).await;
        for caller in [&org.caller, &org.add_admin().await] {
            let answer = post_export(caller, &body()).await;
            answer.assert_problem(429, &[]);
            let seconds: u32 = answer.header("retry-after").parse().unwrap();
            assert!((1..=3600).contains(&seconds), "{seconds} s");
        }
        let mut left = read_active(&org).await;
        left.sort_unstable();
        ids.sort_unstable();
        assert_eq!(left, ids);
    });
}

#[test]
fn another_organization_has_its_own_slots() {
    with_org(async |org| {
        let neighbour = TestOrg::create().await;
        take_all_slots(&neighbour).await;
        org.export(&body()).await;
    });
}

#[test]
fn slots_of_finished_exports_are_freed() {
    with_org(async |org| {
        let ids = take_all_slots(&org).await;
        // Such as a worker leaves it that dies after its last step but before it frees the slot.
        set_in_record(&ids[0], "state", &"FAILED".into()).await;
        let new = org.export(&body()).await;
        let left = read_active(&org).await;
        assert!(!left.contains(&ids[0]), "{left:?}");
        assert!(ids[1..].iter().all(|id| left.contains(id)), "{left:?}");
        assert!(!left.contains(&new.id), "{left:?}");
    });
}

#[test]
fn slots_of_missing_exports_are_freed() {
    with_org(async |org| {
        let gone: Vec<_> = (0..LIMIT - 1).map(|_| new_export_id(now())).collect();
        let finished = failed(new_record(&org, &org.caller, now()));
        put_record(&finished).await;
        put_active(&org, gone.into_iter().chain([id_of(&finished)]).collect()).await;
        org.export(&body()).await;
        assert_eq!(read_active(&org).await, Vec::<String>::new());
    });
}

#[test]
fn a_completed_export_frees_its_slot() {
    with_org(async |org| {
        for _ in 0..LIMIT + 2 {
            org.export(&body()).await;
        }
        assert_eq!(read_active(&org).await, Vec::<String>::new());
    });
}
