//! Accessibility checks with axe: <https://github.com/dequelabs/axe-core>.

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
    const results = await axe.run(document, {runOnly: arguments[0]});
    return results.violations;";

static AXE: LazyLock<String> = LazyLock::new(|| {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(SOURCE);
    fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{}: {error}: run `cargo xtask assets`", path.display()))
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
}

impl Browser {
    /// Checks the page as it is now. Returns a line for each rule that it breaks.
    pub async fn axe(&self) -> Vec<String> {
        // Without scripts, the timers of axe would never fire. The scripts of the page do not start by this.
        self.allow_scripts(true).await;
        self.script(&AXE, Vec::new()).await;
        let run = format!("return (async function () {{{RUN}}})(...arguments)");
        let violations = self.script(&run, vec![json!(TAGS)]).await;
        self.allow_scripts(self.options.javascript).await;
        let violations: Vec<Violation> = serde_json::from_value(violations).unwrap();
        violations.iter().map(line).collect()
    }

    /// Asserts that the page breaks no rule, in light and in dark. `name` names the state of the page.
    pub async fn assert_accessible(&self, name: &str) {
        for dark in [false, true] {
            self.emulate(Options { dark, ..self.options }).await;
            let violations = self.axe().await;
            let scheme = if dark { "dark" } else { "light" };
            assert!(violations.is_empty(), "{name} in {scheme}:\n{}", violations.join("\n"));
        }
        self.emulate(self.options).await;
    }

    /// Sets the colour scheme and the preference for motion until the next call.
    pub async fn emulate(&self, options: Options) {
        self.cdp("Emulation.setEmulatedMedia", options.media()).await;
    }
}

fn line(violation: &Violation) -> String {
    let selector = |node: &Node| node.target.iter().map(selector).collect::<Vec<_>>().join(" ");
    let targets: Vec<_> = violation.nodes.iter().map(selector).collect();
    format!("{}: {} ({})", violation.id, violation.help, targets.join(", "))
}

/// The selector without the quotes that it has in JSON.
fn selector(target: &Value) -> String {
    target.as_str().map_or_else(|| target.to_string(), str::to_owned)
}
