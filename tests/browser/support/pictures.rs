//! Pictures of the page, in `target/screenshots`.

use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::browser::Browser;

impl Browser {
    /// Takes a picture of the whole page. The viewport gets the height of the page for it, so that elements that stick to an
    /// edge are where they belong.
    pub async fn screenshot(&self, name: &str) -> PathBuf {
        self.show_whole_page().await;
        let path = self.screenshot_view(name).await;
        self.show_window().await;
        path
    }

    /// Makes the viewport as high as the page is.
    pub async fn show_whole_page(&self) {
        let content = self.cdp("Page.getLayoutMetrics", json!({})).await["cssContentSize"]["height"].clone();
        let mut whole = self.options.viewport();
        whole["height"] = content;
        self.cdp("Emulation.setDeviceMetricsOverride", whole).await;
    }

    /// Makes the viewport as high as the window again.
    pub async fn show_window(&self) {
        self.cdp("Emulation.setDeviceMetricsOverride", self.options.viewport()).await;
    }

    /// Takes a picture of what the window shows.
    pub async fn screenshot_view(&self, name: &str) -> PathBuf {
        let picture = self.cdp("Page.captureScreenshot", json!({})).await;
        let path = folder().join(format!("{name}.png"));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, STANDARD.decode(picture["data"].as_str().unwrap()).unwrap()).unwrap();
        path
    }
}

/// The folder of all pictures.
pub fn folder() -> PathBuf {
    // Cargo's folder for temporary files is in its target folder, wherever that is.
    Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("screenshots")
}
