//! Using the page with the keyboard alone.

use fantoccini::key::Key;
use serde_json::{Value, json};

use super::browser::Browser;

/// More elements than Tab stops at on a page with a few workspaces.
const MAX_STOPS: usize = 150;

/// Whether this element has the focus, and whether the bar at the bottom of the form hides the focused element.
const LOOK: &str = "
    const focused = document.activeElement;
    const {left, top, width, height} = focused.getBoundingClientRect();
    const bar = document.elementFromPoint(left + width / 2, top + height / 2)?.closest('.send');
    return [focused.matches(arguments[0]), Boolean(bar) && !bar.contains(focused)]";

const FRAME: &str = "return new Promise((done) => requestAnimationFrame(() => setTimeout(done)))";

impl Browser {
    /// Presses Tab until the element has the focus. Asserts that no focused element on the way is hidden.
    pub async fn tab_to(&self, css: &str) {
        self.press_until(&[Key::Tab], css).await;
    }

    /// The same, backwards.
    pub async fn tab_back_to(&self, css: &str) {
        self.press_until(&[Key::Shift, Key::Tab], css).await;
    }

    async fn press_until(&self, keys: &[Key], css: &str) {
        for _ in 0..MAX_STOPS {
            self.press(keys.iter().copied()).await;
            let seen = self.script(LOOK, vec![json!(css)]).await;
            let [Value::Bool(there), Value::Bool(hidden)] = seen.as_array().unwrap()[..] else {
                panic!("{seen}")
            };
            assert!(!hidden, "the focus is out of sight on the way to `{css}`");
            if there {
                return;
            }
        }
        panic!("Tab does not lead to `{css}`");
    }

    /// Presses keys and waits for a frame after each, because the calendar moves the focus a moment after a key.
    pub async fn press_in_turn(&self, keys: impl IntoIterator<Item = Key>) {
        for key in keys {
            self.press([key]).await;
            self.script(FRAME, Vec::new()).await;
        }
    }

    /// Replaces the text of the field that has the focus.
    pub async fn type_over(&self, text: &str) {
        self.press([Key::Control.into(), 'a']).await;
        self.press(text.chars()).await;
    }
}
