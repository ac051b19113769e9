//! Any bytes as the export form of the settings page: nothing panics, a form that is refused says why, and one that is taken makes the
//! request that a program would have made with its body.
//!
//! `cargo xtask fuzz form`

#![no_main]

/// The files of the settings page, without the rest of it.
#[path = "../../../functions/settings_page/src"]
#[expect(dead_code, unused_imports, reason = "the page uses what the target does not")]
mod page {
    pub mod day;
    pub mod form;
    pub mod time_zone;
    pub mod views {
        pub mod dates;
    }
}

use libfuzzer_sys::fuzz_target;
use page::form::ExportForm;
use page::{day, time_zone, views};
use usage_export::export::request::ExportCall;

fuzz_target!(|body: &[u8]| {
    let Ok(form) = ExportForm::read(body) else { return };
    match form.parse("usr_1") {
        Ok(parsed) => {
            let call = ExportCall::parse(parsed.body.to_string().as_bytes()).expect("the body of a form that was taken");
            assert_eq!(call.user_id, "usr_1");
            assert_eq!(call.request.scope, parsed.request.scope);
            assert_eq!(call.request.interval, parsed.request.interval);
            assert_eq!(call.request.fields, parsed.request.fields);
        }
        Err(errors) => assert!(!errors.is_empty()),
    }
});
