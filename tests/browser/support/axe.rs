//! Accessibility checks with axe: <https://github.com/dequelabs/axe-core>.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use serde::Deserialize;
use serde_json::{Value, json};

use super::browser::Browser;
use super::options::Options;

const SOURCE: &str = "../functions/settings_page/assets/node_modules/axe-core/axe.min.js";
const TAGS: [&str; 6] = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
/// Waits for animations first, because axe would measure colours in the middle of a transition. Does not wait for those
/// that never end, such as a spinner.
const RUN: &str = "
    const ends = animation => animation.effect.getComputedTiming().endTime !== Infinity;
    await Promise.allSettled(document.getAnimations().filter(ends).map(animation => animation.finished));
    const results = await axe.run(arguments[1], {runOnly: arguments[0]});
    const incomplete = results.incomplete.map((rule) => ({...rule, id: `unsure about ${rule.id}`}));
    return [...results.violations, ...incomplete];";

/// What can be pressed.
const PRESSABLE: &str = "a, button, input, select, textarea, label, [tabindex='0'], [role=option]";

static AXE: LazyLock<String> = LazyLock::new(|| {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(SOURCE);
    fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{}: {error}: building the settings page installs it", path.display()))
});

#[derive(Deserialize)]
struct Violation {
    id: String,
    help: String,
    nodes: Vec<Node>,
}

#[derive(Deserialize)]
struct Node {
    /// Selectors; more than one for an element in a frame or shadow root.
    target: Vec<Value>,
    /// What was found, of which any would do.
    any: Vec<Check>,
}

#[derive(Deserialize)]
struct Check {
    message: String,
}

impl Browser {
    /// Checks the page as it is now. Returns a line for each rule that it breaks, or of which axe cannot tell whether it does.
    pub async fn axe(&self) -> Vec<String> {
        self.axe_within("html").await
    }

    /// The same for a part of the page: what lies over the rest leaves axe unsure about the rest.
    async fn axe_within(&self, part: &str) -> Vec<String> {
        // Without scripts, the timers of axe would never fire. The scripts of the page do not start by this.
        self.allow_scripts(true).await;
        // What sticks to an edge of the window would lie over the rest.
        self.show_whole_page().await;
        self.script(&AXE, Vec::new()).await;
        let run = format!("return (async function () {{{RUN}}})(...arguments)");
        let violations = self.script(&run, vec![json!(TAGS), json!(part)]).await;
        self.show_window().await;
        self.allow_scripts(self.options.javascript).await;
        let violations: Vec<Violation> = serde_json::from_value(violations).unwrap();
        violations.iter().map(line).collect()
    }

    /// Asserts that the page breaks no rule: in light, in dark and in forced colours, and in light and dark while the pointer
    /// is over everything that can be pressed, or the focus on it. `name` names the state of the page.
    pub async fn assert_accessible(&self, name: &str) {
        self.assert_part_accessible(name, "html").await;
    }

    /// The same for a part of the page that lies over the rest.
    pub async fn assert_part_accessible(&self, name: &str, part: &str) {
        let (light, dark) = (Options { dark: false, ..self.options }, self.options.dark());
        let forced = light.with_forced_colors();
        let mut found = String::new();
        for (look, options, forced_state) in [
            ("light", light, None),
            ("dark", dark, None),
            ("forced colours", forced, None),
            ("light, hovered", light, Some("hover")),
            ("dark, hovered", dark, Some("hover")),
            ("light, focused", light, Some("focus-visible")),
        ] {
            self.emulate(options).await;
            self.force_state(forced_state).await;
            for violation in self.axe_within(part).await {
                let _ = writeln!(found, "{look}: {violation}");
            }
        }
        assert!(found.is_empty(), "{name} in {found}");
        self.force_state(None).await;
        self.emulate(self.options).await;
    }

    /// Makes everything that can be pressed look as if the pointer were over it, or the focus on it; or as it is.
    async fn force_state(&self, state: Option<&str>) {
        for domain in ["DOM", "CSS"] {
            self.cdp(&format!("{domain}.enable"), json!({})).await;
        }
        let root = self.cdp("DOM.getDocument", json!({"depth": 0})).await["root"]["nodeId"].clone();
        let found = self.cdp("DOM.querySelectorAll", json!({"nodeId": root, "selector": PRESSABLE})).await;
        for node in found["nodeIds"].as_array().unwrap() {
            let forced = json!({"nodeId": node, "forcedPseudoClasses": Vec::from_iter(state)});
            self.cdp_if_possible("CSS.forcePseudoState", forced).await;
        }
        for domain in ["CSS", "DOM"] {
            if state.is_none() {
                self.cdp(&format!("{domain}.disable"), json!({})).await;
            }
        }
    }

    /// Sets the colour scheme and the preference for motion until the next call.
    pub async fn emulate(&self, options: Options) {
        self.cdp("Emulation.setEmulatedMedia", options.media()).await;
    }
}

fn line(violation: &Violation) -> String {
    let node = |node: &Node| {
        let selector = node.target.iter().map(selector).collect::<Vec<_>>().join(" ");
        let messages: Vec<_> = node.any.iter().map(|check| check.message.as_str()).collect();
        format!("\n  {selector}: {}", messages.join("; "))
    };
    format!("{}: {}{}", violation.id, violation.help, violation.nodes.iter().map(node).collect::<String>())
}

/// The selector without the quotes that it has in JSON.
fn selector(target: &Value) -> String {
    target.as_str().map_or_else(|| target.to_string(), str::to_owned)
}
