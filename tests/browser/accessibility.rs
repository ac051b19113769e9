//! What a screen reader, a finger, the keyboard and a magnifier meet. `looks.rs` has the rules of axe.

use std::fmt::Write as _;

use fantoccini::key::Key;
use integration_tests::page::PAGE;
use serde::Deserialize;
use serde_json::json;

use crate::looks::fill;
use crate::support::browser::Browser;
use crate::support::options::Options;
use crate::support::{open_page, with_browser};

/// A node of the accessibility tree.
/// <https://chromedevtools.github.io/devtools-protocol/tot/Accessibility/#type-AXNode>
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Node {
    #[serde(rename = "nodeId")]
    id: String,
    ignored: bool,
    role: Option<Value>,
    name: Option<Value>,
    #[serde(default)]
    properties: Vec<Property>,
    #[serde(default)]
    child_ids: Vec<String>,
}

impl Node {
    /// The role of the closest node around it that says something.
    fn parent_role(&self, nodes: &[Self]) -> String {
        let parent = nodes.iter().find(|node| node.child_ids.contains(&self.id));
        let role = |node: &Self| text_of(node.role.as_ref());
        match parent {
            Some(parent) if SILENT.contains(&role(parent).as_str()) => parent.parent_role(nodes),
            Some(parent) => role(parent),
            None => String::new(),
        }
    }
}

fn text_of(value: Option<&Value>) -> String {
    value.and_then(|value| value.value.as_str()).unwrap_or_default().to_owned()
}

#[derive(Deserialize)]
struct Value {
    #[serde(default)]
    value: serde_json::Value,
}

#[derive(Deserialize)]
struct Property {
    name: String,
    value: Value,
}

/// Roles that say nothing by themselves.
const SILENT: [&str; 7] =
    ["generic", "none", "InlineTextBox", "paragraph", "LineBreak", "RootWebArea", "MenuListPopup"];

/// States that are part of the snapshot where they are set.
const STATES: [&str; 7] =
    ["checked", "pressed", "selected", "expanded", "invalid", "level", "multiselectable"];

/// The accessibility tree of an element as text: a line for each node that a screen reader tells, with its role, name and
/// states.
async fn tree(browser: &Browser, css: &str) -> String {
    browser.cdp("Accessibility.enable", json!({})).await;
    browser.cdp("DOM.enable", json!({})).await;
    let document = browser.cdp("DOM.getDocument", json!({"depth": 0})).await["root"]["nodeId"].clone();
    let found = browser.cdp("DOM.querySelector", json!({"nodeId": document, "selector": css})).await;
    let described = browser.cdp("DOM.describeNode", json!({"nodeId": found["nodeId"]})).await;
    let nodes = browser.cdp("Accessibility.getFullAXTree", json!({})).await;
    let root = nodes["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .find(|node| node["backendDOMNodeId"] == described["node"]["backendNodeId"]);
    let root = root.unwrap()["nodeId"].as_str().unwrap().to_owned();
    let nodes: Vec<Node> = serde_json::from_value(nodes["nodes"].clone()).unwrap();
    let mut text = String::new();
    write_node(&nodes, &root, 0, "", &mut text);
    browser.cdp("Accessibility.disable", json!({})).await;
    browser.cdp("DOM.disable", json!({})).await;
    text
}

/// `told` is the name of the node around it, which a screen reader has told already.
fn write_node(nodes: &[Node], id: &str, depth: usize, told: &str, text: &mut String) {
    let Some(node) = nodes.iter().find(|node| node.id == id) else { return };
    let role = text_of(node.role.as_ref());
    let name = without_variables(&text_of(node.name.as_ref()));
    let is_repeated = role == "StaticText" && told.contains(name.trim());
    // Of the options of a list only the chosen one is told, unless it is opened.
    let is_chosen =
        node.properties.iter().any(|property| property.name == "selected" && property.value.value == true);
    let is_closed = role == "option" && node.parent_role(nodes) == "combobox" && !is_chosen;
    let is_told = !node.ignored && !is_repeated && !is_closed && !SILENT.contains(&role.as_str());
    if is_told {
        let _ = write!(text, "{:indent$}{role}", "", indent = depth * 2);
        if !name.is_empty() {
            let _ = write!(text, " {name:?}");
        }
        for property in node.properties.iter().filter(|property| STATES.contains(&&*property.name)) {
            let value = property.value.value.to_string().replace('"', "");
            if value != "false" {
                let _ = write!(text, " [{}: {value}]", property.name);
            }
        }
        text.push('\n');
    }
    for child in &node.child_ids {
        let told = if is_told { &name } else { told };
        write_node(nodes, child, depth + usize::from(is_told), told, text);
    }
}

/// A name without what is different from run to run: digits become zeros, and ids their kind.
fn without_variables(name: &str) -> String {
    let word = |word: &str| match word.split_once('_') {
        Some((kind @ ("wsp" | "usr"), _)) => format!("{kind}_…"),
        _ if uuid::Uuid::try_parse(word).is_ok() => "an id".to_owned(),
        _ => word.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect(),
    };
    name.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

#[test]
fn a_screen_reader_is_told_what_is_there() {
    with_browser("a_screen_reader", Options::default(), async |org, browser| {
        org.set_email(&org.caller.user_id, "ada@example.com").await;
        browser.goto(PAGE).await;
        insta::assert_snapshot!("sign_in", tree(&browser, "body").await);
        open_page(&browser, &org.caller).await;
        insta::assert_snapshot!("empty_history", tree(&browser, "main").await);
        fill(&org).await;
        browser.goto(PAGE).await;
        insta::assert_snapshot!("history", tree(&browser, "body").await);
        browser.click(".export:last-child .range").await;
        browser.wait_for_text("#drawer", "Export ID").await;
        insta::assert_snapshot!("drawer", tree(&browser, "#drawer").await);

        browser.goto(&format!("{PAGE}/new")).await;
        browser.wait_for_text("#workspace_count", "9 selected").await;
        browser.type_into("#start_date", "03/10/2025").await;
        browser.type_into("#end_date", "04/05/2025").await;
        browser.click("#start_date").await;
        insta::assert_snapshot!("calendar", tree(&browser, "#calendar").await);
        browser.press([Key::Escape]).await;
        browser.find("#preview .estimate").await;
        insta::assert_snapshot!("form", tree(&browser, "main").await);
    });
}

#[test]
fn everything_is_large_enough_for_a_finger() {
    with_browser("fingers", Options::default().narrow(), async |org, browser| {
        open_page(&browser, &org.caller).await;
        fill(&org).await;
        browser.cdp("Emulation.setTouchEmulationEnabled", json!({"enabled": true})).await;
        let script = "return [...document.querySelectorAll('button, .button, input, select, .option')]
            .map((element) => element.closest('label') ?? element)
            .filter((element) => element.checkVisibility() && !element.closest('.vh'))
            .map((element) => [element.outerHTML.slice(0, 120), element.getBoundingClientRect()])
            .filter(([, {width, height}]) => height < 43.9 || width < 43.9)
            .map(([html, {width, height}]) => `${width} × ${height}: ${html}`)";
        for address in ["", "/new", "/audit"] {
            browser.goto(&format!("{PAGE}{address}")).await;
            assert_eq!(browser.script("return matchMedia('(pointer: coarse)').matches", vec![]).await, true);
            if address == "/new" {
                browser.wait_for_text("#workspace_count", "9 selected").await;
                browser.click(".open-calendar[data-for=start_date]").await;
            }
            assert_eq!(browser.script(script, vec![]).await, json!([]));
        }
    });
}

#[test]
fn the_first_stops_of_the_tab_key_skip_to_the_content() {
    with_browser("skip_links", Options::default(), async |org, browser| {
        open_page(&browser, &org.caller).await;
        fill(&org).await;
        browser.goto(PAGE).await;
        let focused = "return document.activeElement.textContent";
        // The window itself may take the first Tab.
        browser.tab_to("a, button, input").await;
        assert_eq!(browser.script(focused, vec![]).await, "Skip to the content");
        browser.press([Key::Tab]).await;
        assert_eq!(browser.script(focused, vec![]).await, "Skip to the exports");
        browser.press([Key::Enter]).await;
        browser.press([Key::Tab]).await;
        assert_eq!(browser.focused().await, "a.range");
    });
}

#[test]
fn at_four_times_the_size_nothing_covers_the_form() {
    let zoomed = Options { width: 320, height: 225, ..Options::default() };
    with_browser("zoom", zoomed, async |org, browser| {
        open_page(&browser, &org.caller).await;
        fill(&org).await;
        for address in ["", "/audit", "/new"] {
            browser.goto(&format!("{PAGE}{address}")).await;
            let width = browser.script("return document.scrollingElement.scrollWidth", vec![]).await;
            assert_eq!(width, 320, "{address}");
        }
        let position = "return getComputedStyle(document.querySelector('.send')).position";
        assert_eq!(browser.script(position, vec![]).await, "static");
        browser.screenshot_view("zoomed").await;
    });
}
