//! Going through the page with the keyboard alone.

use fantoccini::key::Key;
use serde_json::{Value, json};

use super::browser::Browser;

/// More stops than the page has, with a list of a few workspaces.
const STOPS: usize = 150;

/// Whether the focus is at this element, and whether the bar at the bottom of the form hides it.
const LOOK: &str = "
    const focused = document.activeElement;
    const {left, top, width, height} = focused.getBoundingClientRect();
    const bar = document.elementFromPoint(left + width / 2, top + height / 2)?.closest('.send');
    return [focused.matches(arguments[0]), Boolean(bar) && !bar.contains(focused)]";

const FRAME: &str = "return new Promise((done) => requestAnimationFrame(() => setTimeout(done)))";

impl Browser {
    /// Presses Tab until the focus is there. What has the focus on the way is never hidden.
    pub async fn tab_to(&self, css: &str) {
        for _ in 0..STOPS {
            self.press([Key::Tab]).await;
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

    /// Presses keys with a frame between them, so that each meets what the one before it did: the calendar moves the
    /// focus a moment later.
    pub async fn press_in_turn(&self, keys: impl IntoIterator<Item = Key>) {
        for key in keys {
            self.press([key]).await;
            self.script(FRAME, Vec::new()).await;
        }
    }

    /// Types over what is in the field that has the focus.
    pub async fn type_over(&self, text: &str) {
        self.press([Key::Control.into(), 'a']).await;
        self.press(text.chars()).await;
    }
}
