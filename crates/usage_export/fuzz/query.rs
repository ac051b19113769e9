//! Any text as the query of `GET /export_status` and `GET /exports`, the cursor among it.
//!
//! `cargo xtask fuzz query`

#![no_main]

use std::collections::HashMap;

use libfuzzer_sys::fuzz_target;
use usage_export::export::created_ts_of_id;
use usage_export::export::request::{HistoryCall, MAX_ID_BYTES, StatusCall, Wanted};

fuzz_target!(|query: &[u8]| {
    let mut parameters = HashMap::new();
    for (name, value) in form_urlencoded::parse(query) {
        parameters.entry(name).or_insert(value);
    }
    let of = |name: &str| parameters.get(name).map(AsRef::as_ref);
    match StatusCall::parse(of) {
        Ok(call) => {
            for id in [&call.user_id, &call.data_export_id] {
                assert!((1..=MAX_ID_BYTES).contains(&id.len()));
            }
            assert_eq!(call.wanted == Wanted::File, of("download") == Some("true"));
            assert_eq!(call.wanted == Wanted::Manifest, of("manifest") == Some("true"));
        }
        Err(problem) => assert!(problem.status == 400 && !problem.errors.is_empty()),
    }
    match HistoryCall::parse(of) {
        Ok(call) => {
            assert_eq!(call.cursor.as_deref(), of("cursor"));
            assert_eq!(call.mine, of("mine") == Some("true"));
        }
        Err(problem) => assert!(problem.status == 400 && !problem.errors.is_empty()),
    }
    // An id is only ever written in one way.
    if let Ok(text) = std::str::from_utf8(query)
        && created_ts_of_id(text).is_some()
    {
        assert!(text.len() == 36 && text.to_lowercase() == text);
    }
});
