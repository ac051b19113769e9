//! Text from the server, made inert: whoever fills in a name there must not move the cursor, change colours or reorder words in
//! the terminal of who reads it.

use std::fmt::{self, Display, Formatter, Write as _};

use serde::Deserialize;
use serde_json::Value;

/// Characters of one text that are shown: more than any honest sentence has.
const MAX_CHARS: usize = 600;

/// Text that somebody else wrote. It can be printed only with what a terminal would obey written as `\u{1b}`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Text(String);

impl Text {
    /// The text as it came, for comparisons. Not to be printed.
    pub fn raw(&self) -> &str {
        &self.0
    }
}

impl<T: Into<String>> From<T> for Text {
    fn from(text: T) -> Self {
        Self(text.into())
    }
}

impl Display for Text {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        // Collected first, so that a column of a table gets its width.
        let mut shown = String::with_capacity(self.0.len());
        for (index, character) in self.0.chars().enumerate() {
            if index == MAX_CHARS {
                shown.push('…');
                break;
            }
            if is_obeyed(character) {
                write!(shown, "{}", character.escape_unicode())?;
            } else {
                shown.push(character);
            }
        }
        formatter.pad(&shown)
    }
}

/// A document as JSON. What a terminal would obey is escaped as JSON does it: the value stays the same.
pub fn json(document: &Value) -> String {
    let mut shown = String::new();
    for character in format!("{document:#}").chars() {
        // The line ends are those between members: serde_json has escaped all others.
        if character != '\n' && is_obeyed(character) {
            for unit in character.encode_utf16(&mut [0; 2]) {
                let _ = write!(shown, "\\u{unit:04x}");
            }
        } else {
            shown.push(character);
        }
    }
    shown
}

/// Whether a terminal does something else with the character than to show it: control characters (C0, DEL, C1), and what is
/// invisible or reorders the text around it.
fn is_obeyed(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_written_out() {
        let hostile = Text::from("a\u{1b}[2J\r\nb\u{9b}31m\u{202e}c\u{7f} ü 表 \"'\\");
        let shown = hostile.to_string();
        assert_eq!(shown, "a\\u{1b}[2J\\u{d}\\u{a}b\\u{9b}31m\\u{202e}c\\u{7f} ü 表 \"'\\");
        assert_eq!(format!("{:5}|", Text::from("ab")), "ab   |");
        assert_eq!(Text::from("x".repeat(MAX_CHARS + 1)).to_string().chars().count(), MAX_CHARS + 1);
    }

    #[test]
    fn json_says_the_same_in_other_letters() {
        let document = json!({"name": "\u{1b}[2J\u{9b}\u{7f}\u{202e}\u{e0041}\n"});
        let shown = json(&document);
        assert!(shown.chars().all(|c| c == '\n' || (' '..='~').contains(&c)), "{shown:?}");
        assert_eq!(serde_json::from_str::<Value>(&shown).unwrap(), document);
    }
}
