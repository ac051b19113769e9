//! What is printed where: results on standard output, everything else on standard error, and with `--json` nothing but documents.

use std::io::{self, Write as _};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressFinish, ProgressStyle};
use serde_json::Value;

use crate::error::{Error, Kind};
use crate::text;

/// Between two pictures of a spinner.
const TICK: Duration = Duration::from_millis(120);

/// Who reads what is printed.
#[derive(Clone, Copy, Debug)]
pub struct Console {
    /// Programs read it: results are JSON, and nothing is told on the way.
    pub json: bool,
}

impl Console {
    /// Tells a person what goes on.
    pub fn note(self, text: &str) {
        if !self.json {
            // Who has closed standard error does not want to know.
            let _ = writeln!(io::stderr(), "{text}");
        }
    }

    /// Prints a result: the document for a program, the text for a person.
    ///
    /// # Errors
    ///
    /// Standard output cannot be written.
    pub fn result(self, document: &Value, text: &str) -> Result<(), Error> {
        print(&if self.json { text::json(document) } else { text.to_owned() })
    }

    /// Says why there is no result.
    pub fn error(self, error: &Error) {
        let said = if self.json { text::json(&error.to_json()) } else { format!("error: {}", error.message) };
        let _ = writeln!(io::stderr(), "{said}");
    }

    /// A bar from 0 to 100 percent. Only a terminal shows it.
    pub fn percent_bar(self) -> ProgressBar {
        self.bar(100, "{spinner} {bar:30} {pos:>3} %  {msg}")
    }

    /// A bar of bytes. Only a terminal shows it.
    pub fn bytes_bar(self, total: u64) -> ProgressBar {
        let template = "{spinner} {bar:30} {decimal_bytes} of {decimal_total_bytes}, {decimal_bytes_per_sec}, {eta} left";
        self.bar(total, template)
    }

    fn bar(self, total: u64, template: &str) -> ProgressBar {
        if self.json {
            return ProgressBar::hidden();
        }
        let style = ProgressStyle::with_template(template).expect("a template written here is valid");
        let bar = ProgressBar::new(total).with_style(style.progress_chars("█▉▊▋▌▍▎▏ "));
        let bar = bar.with_finish(ProgressFinish::AndClear);
        bar.enable_steady_tick(TICK);
        bar
    }
}

/// Writes a text and a line end to standard output.
///
/// # Errors
///
/// Standard output cannot be written.
pub fn print(text: &str) -> Result<(), Error> {
    let mut out = io::stdout().lock();
    let written = writeln!(out, "{}", text.trim_end()).and_then(|()| out.flush());
    written.map_err(|error| Error::new(Kind::Refused, format!("Standard output cannot be written: {error}.")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_templates_are_valid() {
        let console = Console { json: false };
        assert_eq!((console.percent_bar().length(), console.bytes_bar(7).length()), (Some(100), Some(7)));
        assert!(Console { json: true }.bytes_bar(7).is_hidden());
    }
}
