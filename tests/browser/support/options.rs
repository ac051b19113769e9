//! Options of a browser session.

use std::path::Path;

use fantoccini::wd::Capabilities;
use serde_json::{Value, json};

/// The window, and preferences of the user. The default is a laptop's window and what most people have.
#[expect(clippy::struct_excessive_bools, reason = "each is a preference that a browser has")]
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Size of the viewport, in CSS pixels.
    pub width: u32,
    pub height: u32,
    pub javascript: bool,
    pub dark: bool,
    pub reduced_motion: bool,
    /// Whether the system replaces the page's colours, as Windows does with its contrast themes.
    pub forced_colors: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            width: 1280,
            height: 900,
            javascript: true,
            dark: false,
            reduced_motion: false,
            forced_colors: false,
        }
    }
}

impl Options {
    /// The window of a small phone, which is the narrowest that the page is made for.
    #[must_use]
    pub fn narrow(self) -> Self {
        Self { width: 360, height: 740, ..self }
    }

    #[must_use]
    pub fn without_javascript(self) -> Self {
        Self { javascript: false, ..self }
    }

    #[must_use]
    pub fn dark(self) -> Self {
        Self { dark: true, ..self }
    }

    #[must_use]
    pub fn with_reduced_motion(self) -> Self {
        Self { reduced_motion: true, ..self }
    }

    #[must_use]
    pub fn with_forced_colors(self) -> Self {
        Self { forced_colors: true, ..self }
    }

    /// The capabilities that the driver is asked for. It makes a profile for the session, and removes it at the end.
    pub fn capabilities(&self, downloads: &Path) -> Capabilities {
        let size = format!("--window-size={},{}", self.width, self.height);
        let args = [
            "--headless",
            // The sandbox does not work as root. The browser only sees our own pages.
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            // Containers have little shared memory.
            "--disable-dev-shm-usage",
            "--no-first-run",
            // As on a phone, where scroll bars take no width.
            "--hide-scrollbars",
            "--force-device-scale-factor=1",
            "--lang=en-US",
            &size,
        ];
        Capabilities::from_iter([
            (
                "goog:chromeOptions".to_owned(),
                json!({"args": args, "prefs": {"download.default_directory": downloads}}),
            ),
            ("goog:loggingPrefs".to_owned(), json!({"browser": "ALL"})),
        ])
    }

    /// Parameters of `Emulation.setDeviceMetricsOverride`, which allows narrower viewports than a window can have.
    pub fn viewport(&self) -> Value {
        json!({"width": self.width, "height": self.height, "deviceScaleFactor": 1, "mobile": false})
    }

    /// Parameters of `Emulation.setEmulatedMedia`.
    pub fn media(&self) -> Value {
        let scheme = if self.dark { "dark" } else { "light" };
        let motion = if self.reduced_motion { "reduce" } else { "no-preference" };
        let forced = if self.forced_colors { "active" } else { "none" };
        json!({"features": [
            {"name": "forced-colors", "value": forced},
            {"name": "prefers-color-scheme", "value": scheme},
            {"name": "prefers-reduced-motion", "value": motion},
        ]})
    }
}
