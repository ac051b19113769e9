//! Texts that a spreadsheet would run as a formula.

use std::borrow::Cow;

/// The first characters that make a spreadsheet run a cell as a formula: the four signs, their full-width forms, which some
/// spreadsheets take for the same, and what some skip before a sign.
/// <https://owasp.org/www-community/attacks/CSV_Injection>
const STARTS: [char; 12] =
    ['=', '+', '-', '@', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}', '\t', '\r', '\n', '\0'];

/// Whether a text may be a formula, by its first byte alone: that of an ASCII sign, of a control character or of a full-width
/// form. It is true for some texts that are none, and false for no formula.
#[inline]
pub(crate) fn may_be_formula(text: &[u8]) -> bool {
    matches!(text.first(), Some(b'=' | b'+' | b'-' | b'@' | ..0x20 | 0xef))
}

/// Whether a spreadsheet would run the text.
pub(crate) fn is_formula(text: &[u8]) -> bool {
    let starts_with = |start: char| text.starts_with(start.encode_utf8(&mut [0; 4]).as_bytes());
    may_be_formula(text) && STARTS.into_iter().any(starts_with)
}

/// Puts a `'` before a text that a spreadsheet would run as a formula, so that it is shown instead. For constants and joined
/// values that people choose, such as names; numbers and times must not be passed through it. Texts and ids of records need
/// not be.
///
/// ```
/// assert_eq!(query_csv::escape_formula("=1+1"), "'=1+1");
/// assert_eq!(query_csv::escape_formula("a=1"), "a=1");
/// ```
pub fn escape_formula(text: &str) -> Cow<'_, str> {
    if is_formula(text.as_bytes()) { format!("'{text}").into() } else { text.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_every_start_of_a_formula() {
        for start in STARTS {
            assert_eq!(escape_formula(&format!("{start}cmd")), format!("'{start}cmd"));
            let inside = format!("a{start}cmd");
            assert_eq!(escape_formula(&inside), inside);
        }
        for text in ["", "'", " =1", "\u{feff}", "\u{ff1e}"] {
            assert_eq!(escape_formula(text), text);
        }
    }
}
