//! A browser session, which is opened for a test and closed after it.

use std::fs;
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::path::{Path, PathBuf};

use fantoccini::error::NewSessionError;
use fantoccini::{Client, ClientBuilder};
use futures::FutureExt;
use hyper_util::client::legacy::connect::HttpConnector;
use integration_tests::random_id;

use super::browser::Browser;
use super::options::Options;

/// How often Chromium is started before a test fails.
const MAX_STARTS: u32 = 3;

/// Runs a test with a session of its own. If the test fails, this takes a picture and prints the console.
pub async fn with_session(name: &str, options: Options, test: impl AsyncFnOnce(Browser)) {
    let downloads = Path::new(env!("CARGO_TARGET_TMPDIR")).join(random_id("downloads"));
    let client = open(&options, &downloads).await;
    fs::create_dir_all(&downloads).unwrap();
    let browser = Browser::new(client, options, downloads.clone());
    let outcome = AssertUnwindSafe(prepare_and(&browser, test)).catch_unwind().await;
    if outcome.is_err() {
        // The report may fail too, if it is the browser that failed. The first reason is the one to show.
        let _ = AssertUnwindSafe(report(name, &browser)).catch_unwind().await;
    }
    let closed = browser.client.close().await;
    fs::remove_dir_all(downloads).unwrap();
    match outcome {
        Ok(()) => closed.unwrap(),
        Err(reason) => resume_unwind(reason),
    }
}

async fn open(options: &Options, downloads: &Path) -> Client {
    let driver = std::env::var("USAGE_EXPORT_WEBDRIVER").unwrap_or_else(|_| {
        panic!("USAGE_EXPORT_WEBDRIVER is not set, so there is no browser: run these tests with `cargo xtask test`")
    });
    let mut builder = ClientBuilder::new(HttpConnector::new());
    builder.capabilities(options.capabilities(downloads));
    for _ in 1..MAX_STARTS {
        match builder.connect(&driver).await {
            // On a busy machine, Chromium sometimes exits while it starts. The test has not done anything yet.
            Err(NewSessionError::SessionNotCreated(error)) => eprintln!("Chromium is started again: {error}"),
            session => return session.unwrap(),
        }
    }
    builder.connect(&driver).await.unwrap()
}

async fn prepare_and(browser: &Browser, test: impl AsyncFnOnce(Browser)) {
    browser.cdp("Emulation.setDeviceMetricsOverride", browser.options.viewport()).await;
    browser.cdp("Emulation.setEmulatedMedia", browser.options.media()).await;
    browser.allow_scripts(browser.options.javascript).await;
    test(browser.clone()).await;
}

async fn report(name: &str, browser: &Browser) {
    for entry in browser.console().await {
        eprintln!("console: {} {}", entry.level, entry.message);
    }
    eprintln!("at {}", browser.url().await);
    let picture: PathBuf = browser.screenshot(&format!("failed/{name}")).await;
    eprintln!("{} shows the page as it was", picture.display());
}
