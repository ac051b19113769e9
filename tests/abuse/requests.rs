//! More requests than a key may make: `docs/adr/0032-a-key-has-a-number-of-requests.md`.

use futures::stream::{self, StreamExt as _};
use integration_tests::api::{Answer, Call};
use integration_tests::page::{Visitor, send_sign_in};
use integration_tests::with_org;

/// Requests at the same time.
const AT_ONCE: usize = 8;

fn assert_too_many(answers: &[Answer]) {
    let statuses: Vec<_> = answers.iter().map(|answer| answer.status).collect();
    assert!(statuses.iter().all(|status| [200, 429].contains(status)), "{statuses:?}");
    let refused = answers.iter().find(|answer| answer.status == 429);
    let refused = refused.unwrap_or_else(|| panic!("none is refused: {statuses:?}"));
    let seconds: u32 = refused.header("retry-after").parse().unwrap();
    assert!((1..=10).contains(&seconds), "{seconds}");
}

#[test]
fn a_key_that_makes_too_many_requests_at_once_has_to_wait_and_no_other_key_notices() {
    with_org(async |org| {
        let colleague = org.add_admin().await;
        let history = |user_id: &str, key: &str| Call::get("/exports", &[("user_id", user_id)]).with_key(key);
        // As if the key had been used elsewhere: what is left of its requests is spent in a moment.
        org.use_up_requests(&org.caller.key).await;
        let calls = (0..200).map(|_| history(&org.caller.user_id, &org.caller.key).send());
        let answers: Vec<_> = stream::iter(calls).buffer_unordered(AT_ONCE).collect().await;
        assert_too_many(&answers);
        answers
            .iter()
            .filter(|answer| answer.status == 429)
            .for_each(|answer| answer.assert_problem(429, &[]));
        history(&colleague.user_id, &colleague.key).send().await.ok();
    });
}

#[test]
fn requests_of_the_page_are_those_of_the_key_that_it_was_entered_with() {
    with_org(async |org| {
        let visitor = Visitor::sign_in(&org.caller).await;
        org.use_up_requests(&org.caller.key).await;
        let calls = (0..200).map(|_| visitor.get("/workspaces"));
        let answers: Vec<_> = stream::iter(calls).buffer_unordered(AT_ONCE).collect().await;
        assert_too_many(&answers);
    });
}

#[test]
fn signing_in_counts_as_a_request() {
    with_org(async |org| {
        org.use_up_requests(&org.caller.key).await;
        let calls = (0..200).map(|_| send_sign_in(&org.caller.user_id, &org.caller.key));
        let answers: Vec<_> = stream::iter(calls).buffer_unordered(AT_ONCE).collect().await;
        let statuses: Vec<_> = answers.iter().map(|answer| answer.status).collect();
        assert!(statuses.iter().all(|status| [303, 429].contains(status)), "{statuses:?}");
        let refused = answers.into_iter().find(|answer| answer.status == 429).unwrap();
        assert!(refused.text().contains("more than 500 requests in 10 seconds"), "{}", refused.text());
    });
}
