//! What the tests share: a browser session for each test, functions for what people do and see, and accessibility checks.

pub mod axe;
pub mod browser;
pub mod command;
pub mod film;
pub mod keyboard;
pub mod options;
pub mod pictures;
pub mod session;

use integration_tests::org::{Caller, TestOrg};
use integration_tests::system::system;
use integration_tests::{run, with_org};

use browser::Browser;
use options::Options;

/// Runs a test with an organization and a browser session of its own. `name` names the picture that a failure leaves.
pub fn with_browser(name: &str, options: Options, test: impl AsyncFnOnce(TestOrg, Browser)) {
    with_org(async |org| {
        session::with_session(name, options, async |browser| test(org, browser).await).await;
    });
}

/// Runs a test that has a browser session and needs no system.
pub fn with_browser_only(name: &str, options: Options, test: impl AsyncFnOnce(Browser)) {
    run(session::with_session(name, options, test));
}

/// Opens the history and signs in.
pub async fn open_page(browser: &Browser, caller: &Caller) {
    browser.goto(&system().outputs.page_url).await;
    sign_in(browser, caller).await;
}

/// Opens the form and signs in.
pub async fn open_form(browser: &Browser, caller: &Caller) {
    browser.goto(&format!("{}/new", system().outputs.page_url)).await;
    sign_in(browser, caller).await;
    browser.find("#export-form").await;
}

/// Signs in with the form that is shown.
pub async fn sign_in(browser: &Browser, caller: &Caller) {
    browser.type_into("#user_id", &caller.user_id).await;
    browser.type_into("#api_key", &caller.key).await;
    browser.click("#sign-in button").await;
    browser.find("#sign-out").await;
}

/// Waits until the history shows the export that a form has started, and returns its id.
pub async fn started_export(org: &TestOrg, browser: &Browser) -> String {
    browser.wait_for_text("#started", "Export started.").await;
    let id = browser.attribute("#rows .export:first-child", "id").await.unwrap();
    let id = id.strip_prefix("export-").unwrap().to_owned();
    org.exports().add(&id);
    id
}

/// Marks the page. The mark is lost when the page is loaded again.
pub async fn mark(browser: &Browser) {
    browser.script("window.marked = true", Vec::new()).await;
}

/// Asserts that the page was not loaded again since it was marked.
pub async fn assert_marked(browser: &Browser) {
    assert_eq!(browser.script("return window.marked", Vec::new()).await, true, "the page was loaded again");
}
