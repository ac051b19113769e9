//! What people do with a browser, and what they see.
//!
//! A selector stands for one element: a function that acts on it waits until exactly one such element is shown, and fails
//! when the time is up.

use std::fs;
use std::path::PathBuf;

use fantoccini::actions::{InputSource, KeyAction, KeyActions};
use fantoccini::elements::Element;
use fantoccini::error::CmdError;
use fantoccini::key::Key;
use fantoccini::{Client, Locator};
use integration_tests::system::system;
use integration_tests::wait_for;
use serde::Deserialize;
use serde_json::{Value, json};

use super::command::Command;
use super::options::Options;

/// Errors that pass by themselves, because the page is changing at that moment.
const TRANSIENT_ERRORS: [&str; 4] =
    ["element click intercepted", "element not interactable", "no such element", "stale element reference"];
/// The text of such an error that has no name of its own in the driver.
const GONE: &str = "does not belong to the document";
/// Keys that `press` holds down.
const MODIFIERS: [Key; 4] = [Key::Shift, Key::Control, Key::Alt, Key::Meta];

/// A session with one tab.
#[derive(Clone)]
pub struct Browser {
    pub client: Client,
    pub options: Options,
    downloads: PathBuf,
}

/// A line of the console.
#[derive(Debug, Deserialize)]
pub struct ConsoleEntry {
    /// `SEVERE`, `WARNING`, `INFO` or `DEBUG`.
    pub level: String,
    /// Its source and its text.
    pub message: String,
}

impl Browser {
    pub fn new(client: Client, options: Options, downloads: PathBuf) -> Self {
        Self { client, options, downloads }
    }

    /// Goes to a URL or to a path of the system under test. Returns when the page has loaded.
    pub async fn goto(&self, address: &str) {
        let url = match address.strip_prefix('/') {
            Some(path) => format!("{}/{path}", system().outputs.api_url),
            None => address.to_owned(),
        };
        self.client.goto(&url).await.unwrap();
    }

    pub async fn url(&self) -> String {
        self.client.current_url().await.unwrap().to_string()
    }

    /// Waits until one such element is shown, and returns it.
    pub async fn find(&self, css: &str) -> Element {
        until(&format!("one `{css}` to be shown"), async || self.shown(css).await).await
    }

    pub async fn click(&self, css: &str) {
        until(&format!("`{css}` to take a click"), async || {
            let Some(element) = self.shown(css).await? else { return Ok(None) };
            self.click_on(element).await.map(Some)
        })
        .await;
    }

    /// Replaces the text of a field.
    pub async fn type_into(&self, css: &str, text: &str) {
        until(&format!("`{css}` to take text"), async || {
            let Some(field) = self.shown(css).await? else { return Ok(None) };
            field.clear().await?;
            field.send_keys(text).await.map(Some)
        })
        .await;
    }

    /// Presses keys one after the other, where the focus is. Modifiers such as Shift are held down until the end.
    pub async fn press(&self, keys: impl IntoIterator<Item = impl Into<char>>) {
        let mut actions = KeyActions::new("keyboard".to_owned());
        let mut held = Vec::new();
        for value in keys.into_iter().map(Into::into) {
            actions = actions.then(KeyAction::Down { value });
            if MODIFIERS.iter().any(|modifier| char::from(*modifier) == value) {
                held.push(value);
            } else {
                actions = actions.then(KeyAction::Up { value });
            }
        }
        for value in held {
            actions = actions.then(KeyAction::Up { value });
        }
        self.client.perform_actions(actions).await.unwrap();
    }

    /// The text of the one such element that is shown.
    pub async fn text(&self, css: &str) -> String {
        until(&format!("one `{css}` to be shown"), async || {
            let Some(element) = self.shown(css).await? else { return Ok(None) };
            element.text().await.map(Some)
        })
        .await
    }

    /// The texts of all such elements right now.
    pub async fn texts(&self, css: &str) -> Vec<String> {
        until(&format!("the texts of `{css}`"), async || {
            let mut texts = Vec::new();
            for element in self.client.find_all(Locator::Css(css)).await? {
                texts.push(element.text().await?);
            }
            Ok(Some(texts))
        })
        .await
    }

    /// Waits until the text of the element contains `part`, and returns the whole text.
    pub async fn wait_for_text(&self, css: &str, part: &str) -> String {
        until(&format!("`{css}` to say {part:?}"), async || {
            let Some(element) = self.shown(css).await? else { return Ok(None) };
            let text = element.text().await?;
            Ok(text.contains(part).then_some(text))
        })
        .await
    }

    /// An attribute of one element, which need not be shown. `None` if it has no such attribute.
    pub async fn attribute(&self, css: &str, name: &str) -> Option<String> {
        until(&format!("one `{css}`"), async || {
            let elements = self.client.find_all(Locator::Css(css)).await?;
            let [element] = &elements[..] else { return Ok(None) };
            element.attr(name).await.map(Some)
        })
        .await
    }

    /// Whether any such element is shown right now.
    pub async fn is_shown(&self, css: &str) -> bool {
        until(&format!("a look at `{css}`"), async || Ok(Some(!self.all_shown(css).await?.is_empty()))).await
    }

    /// Waits until no such element is shown.
    pub async fn wait_until_gone(&self, css: &str) {
        until(&format!("`{css}` to go"), async || Ok(self.all_shown(css).await?.is_empty().then_some(())))
            .await;
    }

    /// Runs a script, given as the body of a function, in the page, and returns its result; if that is a promise, waits for
    /// it. The arguments are `arguments[0]` and so on.
    pub async fn script(&self, body: &str, arguments: Vec<Value>) -> Value {
        self.client.execute(body, arguments).await.unwrap()
    }

    /// Sends a command of the `DevTools` protocol: <https://chromedevtools.github.io/devtools-protocol/>.
    pub async fn cdp(&self, command: &str, parameters: Value) -> Value {
        self.client.issue_cmd(Command::devtools(command, parameters)).await.unwrap()
    }

    /// The same for something that may be gone by then, because the page has changed.
    pub async fn cdp_if_possible(&self, command: &str, parameters: Value) {
        let _ = self.client.issue_cmd(Command::devtools(command, parameters)).await;
    }

    /// Sets whether scripts of pages run, from the next page on. Scripts of [`Self::script`] always run.
    pub async fn allow_scripts(&self, allow: bool) {
        self.cdp("Emulation.setScriptExecutionDisabled", json!({"value": !allow})).await;
    }

    /// Takes the lines that the console has got since the last call.
    pub async fn console(&self) -> Vec<ConsoleEntry> {
        let entries = self.client.issue_cmd(Command::take_console()).await.unwrap();
        serde_json::from_value(entries).unwrap()
    }

    /// The same, but only errors: of scripts, of the content security policy, of requests that were answered 4xx or 5xx.
    pub async fn console_errors(&self) -> Vec<String> {
        let errors = self.console().await.into_iter().filter(|entry| entry.level == "SEVERE");
        errors.map(|entry| entry.message).collect()
    }

    /// Clicks on a day of the calendar, such as `2025-03-10`.
    pub async fn click_day(&self, day: &str) {
        self.click(&format!("[data-day='{day}']")).await;
    }

    /// Scrolls the element to the middle and clicks on it. At the edge of the window, a bar that stays there may cover it.
    async fn click_on(&self, element: Element) -> Result<(), CmdError> {
        let script = "arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})";
        self.client.execute(script, vec![serde_json::to_value(&element)?]).await?;
        element.click().await
    }

    /// Cuts the browser off from the network, or connects it again.
    pub async fn set_offline(&self, offline: bool) {
        self.cdp("Network.enable", json!({})).await;
        let conditions =
            json!({"offline": offline, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1});
        self.cdp("Network.emulateNetworkConditions", conditions).await;
    }

    /// Makes every answer come this much later.
    pub async fn set_latency(&self, milliseconds: u32) {
        self.cdp("Network.enable", json!({})).await;
        let conditions = json!({
            "offline": false, "latency": milliseconds, "downloadThroughput": -1, "uploadThroughput": -1,
        });
        self.cdp("Network.emulateNetworkConditions", conditions).await;
    }

    /// The value of a field.
    pub async fn value(&self, css: &str) -> String {
        let script = "return document.querySelector(arguments[0]).value";
        self.script(script, vec![json!(css)]).await.as_str().unwrap().to_owned()
    }

    /// A selector of the element that has the focus: its id, or its tag and classes.
    pub async fn focused(&self) -> String {
        let script = "const {id, tagName, classList} = document.activeElement;
            return id ? `#${id}` : [tagName.toLowerCase(), ...classList].join('.')";
        self.script(script, Vec::new()).await.as_str().unwrap().to_owned()
    }

    /// Waits until one download is complete, and takes its name and content.
    pub async fn downloaded(&self) -> (String, Vec<u8>) {
        wait_for("one finished download", async || {
            let files: Vec<_> = fs::read_dir(&self.downloads).unwrap().map(Result::unwrap).collect();
            let [file] = &files[..] else { return None };
            let name = file.file_name().into_string().unwrap();
            // Chromium hides the file until it has its name, and then gives it this ending until it is complete.
            if name.starts_with('.') || name.ends_with(".crdownload") {
                return None;
            }
            let bytes = fs::read(file.path()).unwrap();
            fs::remove_file(file.path()).unwrap();
            Some((name, bytes))
        })
        .await
    }

    /// The element, if exactly one is shown.
    async fn shown(&self, css: &str) -> Result<Option<Element>, CmdError> {
        let mut shown = self.all_shown(css).await?;
        Ok(if shown.len() == 1 { shown.pop() } else { None })
    }

    async fn all_shown(&self, css: &str) -> Result<Vec<Element>, CmdError> {
        let mut shown = Vec::new();
        for element in self.client.find_all(Locator::Css(css)).await? {
            if element.is_displayed().await? {
                shown.push(element);
            }
        }
        Ok(shown)
    }
}

/// Calls `look` again and again until it returns something. Errors that pass by themselves count as nothing.
pub(super) async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Result<Option<T>, CmdError>) -> T {
    wait_for(what, async || match look().await {
        Ok(seen) => seen,
        Err(error) if is_transient(&error) => None,
        Err(error) => panic!("{error} while waiting for {what}"),
    })
    .await
}

fn is_transient(error: &CmdError) -> bool {
    let CmdError::Standard(error) = error else { return false };
    TRANSIENT_ERRORS.contains(&&*error.error()) || error.message.contains(GONE)
}
