//! Tests of the browser support itself: that its actions work, and that its checks find what is wrong.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use fantoccini::key::Key;
use serde_json::json;

use crate::support::options::Options;
use crate::support::pictures::folder;
use crate::support::with_browser_only;

const PAGE: &str = r#"<!DOCTYPE html>
<html lang="en">
<head>
<title>Harness</title>
<meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'nonce-1'; style-src 'nonce-1'">
<style nonce="1">
  main { height: 2000px }
  button:not(:enabled) { visibility: hidden }
  @media (prefers-color-scheme: dark) { body { background: black; color: #222 } a { color: white } }
</style>
</head>
<body>
<main>
  <h1>Harness</h1>
  <form><label>Name <input id="name" value="nobody"></label> <button id="greet" disabled>Greet</button></form>
  <p role="status" id="greeting"></p>
  <p id="note"><noscript>No script</noscript></p>
  <a id="file" download="a b.csv" href="data:text/csv,a,b">File</a>
</main>
<script nonce="1">
  const [name, greet, greeting] = ["name", "greet", "greeting"].map(id => document.getElementById(id));
  name.oninput = () => setTimeout(() => { greet.disabled = false }, 200);
  document.forms[0].onsubmit = event => { event.preventDefault(); greeting.textContent = "Hello " + name.value };
</script>
</body>
</html>"#;

fn url() -> String {
    format!("data:text/html;base64,{}", STANDARD.encode(PAGE))
}

#[test]
fn clicking_typing_and_reading_work() {
    with_browser_only("clicking_typing_and_reading_work", Options::default(), async |browser| {
        browser.goto(&url()).await;
        assert!(browser.url().await.starts_with("data:"));
        assert!(!browser.is_shown("#greet").await);
        browser.type_into("#name", "Ada").await;
        browser.click("#greet").await;
        assert_eq!(browser.wait_for_text("#greeting", "Ada").await, "Hello Ada");

        browser.click("#name").await;
        browser.press([Key::Shift, Key::Home]).await;
        browser.press("Bob".chars()).await;
        browser.press([Key::Enter]).await;
        browser.wait_for_text("#greeting", "Bob").await;
        assert_eq!(browser.text("#greeting").await, "Hello Bob");
        assert_eq!(browser.attribute("html", "lang").await.as_deref(), Some("en"));
        assert_eq!(browser.texts("h1, noscript").await, ["Harness", ""]);
        browser.wait_until_gone("noscript").await;
        assert_eq!(browser.console_errors().await, [""; 0]);
    });
}

#[test]
fn accessibility_and_policy_violations_are_found() {
    with_browser_only("violations_are_found", Options::default(), async |browser| {
        browser.goto(&url()).await;
        assert_eq!(browser.axe().await, [""; 0]);
        browser.emulate(Options::default().dark()).await;
        let violations = browser.axe().await;
        assert!(violations.iter().any(|line| line.starts_with("color-contrast: ")), "{violations:?}");
        browser.script("document.body.append(document.createElement('img'))", Vec::new()).await;
        let violations = browser.axe().await;
        assert!(violations.iter().any(|line| line.starts_with("image-alt: ")), "{violations:?}");

        // The policy forbids this.
        browser.script("document.body.setAttribute('style', 'color: red')", Vec::new()).await;
        let errors = browser.console_errors().await;
        assert!(errors.iter().any(|error| error.contains("Content Security Policy")), "{errors:?}");
    });
}

#[test]
fn a_page_works_with_scripts_disabled() {
    with_browser_only("without_scripts", Options::default().without_javascript(), async |browser| {
        browser.goto(&url()).await;
        // The driver never reports a noscript element as shown.
        let note = browser.script("return document.querySelector('#note').innerText", Vec::new()).await;
        assert_eq!(note, "No script");
        browser.type_into("#name", "Ada").await;
        assert_eq!(browser.script("return document.title + arguments[0]", vec![json!(1)]).await, "Harness1");
        assert_eq!(browser.axe().await, [""; 0]);
    });
}

#[test]
fn a_phone_in_the_dark_is_emulated() {
    let options = Options::default().narrow().dark().with_reduced_motion();
    with_browser_only("a_phone_in_the_dark", options, async |browser| {
        browser.goto(&url()).await;
        let seen = "return [innerWidth, document.documentElement.clientWidth, innerHeight, \
            matchMedia('(prefers-color-scheme: dark)').matches, \
            matchMedia('(prefers-reduced-motion: reduce)').matches]";
        assert_eq!(browser.script(seen, Vec::new()).await, json!([360, 360, 740, true, true]));
        let whole = fs::read(browser.screenshot("harness/whole").await).unwrap();
        let view = fs::read(browser.screenshot_view("harness/view").await).unwrap();
        assert_eq!(size(&view), (360, 740));
        assert!(size(&whole).0 == 360 && size(&whole).1 > 2000, "{:?}", size(&whole));
    });
}

#[test]
fn a_download_is_found() {
    with_browser_only("a_download_arrives", Options::default(), async |browser| {
        browser.goto(&url()).await;
        for _ in 0..2 {
            browser.click("#file").await;
            assert_eq!(browser.downloaded().await, ("a b.csv".to_owned(), b"a,b".to_vec()));
        }
    });
}

#[test]
fn a_failure_leaves_a_picture() {
    let picture = folder().join("failed/a_failure_leaves_a_picture.png");
    let _ = fs::remove_file(&picture);
    let failed = catch_unwind(AssertUnwindSafe(|| {
        with_browser_only("a_failure_leaves_a_picture", Options::default(), async |browser| {
            browser.goto(&url()).await;
            panic!("on purpose");
        });
    }));
    assert_eq!(failed.unwrap_err().downcast_ref(), Some(&"on purpose"));
    assert!(picture.exists());
}

/// Width and height of a PNG, which are big-endian numbers at fixed offsets in its header:
/// <https://www.w3.org/TR/png-3/#11IHDR>.
fn size(png: &[u8]) -> (u32, u32) {
    let number = |at: usize| u32::from_be_bytes(png[at..at + 4].try_into().unwrap());
    (number(16), number(20))
}
