//! Any bytes as the body of `POST /export_data` and `POST /cancel_export`: nothing panics, a refusal names a field, and what is taken
//! keeps the limits.
//!
//! `cargo xtask fuzz body`

#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use usage_export::export::interval::{Interval, parse_end, parse_start};
use usage_export::export::request::{CancelCall, ExportCall, MAX_BODY_BYTES, MAX_ID_BYTES, MAX_IDS};
use usage_export::problem::Problem;

fuzz_target!(|body: &[u8]| {
    match ExportCall::parse(body) {
        Ok(ExportCall { user_id, request }) => {
            assert!(body.len() <= MAX_BODY_BYTES && (1..=MAX_ID_BYTES).contains(&user_id.len()));
            let mut fields = request.fields.clone();
            fields.sort();
            fields.dedup();
            assert!(!fields.is_empty() && fields.len() == request.fields.len());
            assert!(request.interval.start() <= request.interval.end());
            assert!(request.interval.months().count() <= 1_205);
            let scope = &request.scope;
            for ids in [&scope.workspace_ids, &scope.entity_ids] {
                assert!(ids.len() <= MAX_IDS);
                assert!(ids.iter().all(|id| (1..=MAX_ID_BYTES).contains(&id.len())));
            }
            assert!(scope.looks_everywhere() || selects_something(scope));
        }
        Err(problem) => assert_told(problem),
    }
    if let Err(problem) = CancelCall::parse(body) {
        assert_told(problem);
    }
    if let Ok(text) = std::str::from_utf8(body)
        && let (Ok(start), Ok(end)) = (parse_start(text), parse_end(text))
    {
        // The start of a text is never after its end, so a day on its own is an interval.
        assert!(Interval::new(start, end).is_ok() || start.timestamp_millis() == end.timestamp_millis() + 1);
    }
});

fn selects_something(scope: &usage_export::export::request::Scope) -> bool {
    scope.organization_workspaces
        || scope.personal_workspaces
        || !scope.workspace_ids.is_empty()
        || !scope.entity_ids.is_empty()
}

/// A refusal is a 400 that names what is at fault, in a JSON document.
fn assert_told(problem: Problem) {
    assert!(problem.status == 400 && !problem.errors.is_empty());
    let response = problem.into_response("request-1");
    let document: Value = serde_json::from_str(response.body()).expect("JSON");
    assert!(document["errors"].as_array().is_some_and(|errors| !errors.is_empty()));
}
