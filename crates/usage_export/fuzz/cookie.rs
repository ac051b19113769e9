//! Any bytes as `Cookie` headers, a line each: nothing panics, and the token that is found is one that was sent under the cookie's name.
//!
//! `cargo xtask fuzz cookie`

#![no_main]

/// The file of the settings page, without the rest of it.
#[path = "../../../functions/settings_page/src"]
mod page {
    pub mod session {
        /// How long a session lives does not matter here; the page takes it from a module that needs AWS.
        const SESSION_LIFE: chrono::TimeDelta = chrono::TimeDelta::hours(12);

        pub mod cookie;
    }
}

/// What the cookie needs to know of the page.
mod state {
    pub struct AppState {
        pub is_secure: bool,
    }

    impl AppState {
        pub fn is_secure(&self) -> bool {
            self.is_secure
        }
    }
}

use axum::http::{HeaderMap, HeaderValue, header};
use libfuzzer_sys::fuzz_target;
use page::session::cookie::SessionCookie;
use state::AppState;

fuzz_target!(|lines: &[u8]| {
    let mut headers = HeaderMap::new();
    for line in lines.split(|byte| *byte == b'\n') {
        if let Ok(value) = HeaderValue::from_bytes(line) {
            headers.append(header::COOKIE, value);
        }
    }
    for is_secure in [true, false] {
        let cookie = SessionCookie::of(&AppState { is_secure });
        let Some(token) = cookie.token(&headers) else { continue };
        let name = if is_secure { "__Host-usage_export_session" } else { "usage_export_session" };
        let text = String::from_utf8_lossy(lines);
        assert!(text.contains(name) && text.contains(&token), "{token:?}");
        // What is sent back can be a header, and says the same.
        if let Some(sent) = cookie.set(&token) {
            assert!(sent.as_bytes().starts_with(format!("{name}={token}").as_bytes()));
        }
        assert!(cookie.clear().is_some());
    }
});
