//! What a person sees while a command works: numbered steps, and spinners and bars where a program says nothing itself.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressFinish, ProgressStyle};

/// Between two pictures of a spinner.
const TICK: Duration = Duration::from_millis(100);
/// Lines about a step stand under its text.
const INDENT: &str = "      ";

/// Numbered steps: `[2/6] Building the release binaries…`, then what came out and how long it took.
pub struct Steps {
    total: usize,
    number: usize,
    started: Instant,
}

impl Steps {
    /// Starts to count; `total` steps will follow.
    pub fn new(total: usize) -> Self {
        Self { total, number: 0, started: Instant::now() }
    }

    /// Begins the next step.
    pub fn begin(&mut self, text: &str) {
        self.number += 1;
        self.started = Instant::now();
        println!("[{}/{}] {text}…", self.number, self.total);
    }

    /// Ends the step with what came out of it.
    pub fn done(&self, text: &str) {
        note(&format!("{text} ({:.1} s)", self.started.elapsed().as_secs_f64()));
    }
}

/// Prints a line about the step that is going on. Not while a spinner or a bar is shown.
pub fn note(text: &str) {
    println!("{INDENT}{text}");
}

/// Shows a spinner with the seconds until it is dropped. Where the output is not a terminal, nothing is shown.
#[must_use]
pub fn spinner() -> ProgressBar {
    let style = style(&format!("{INDENT}{{spinner}} {{elapsed}} {{msg}}"));
    let spinner = ProgressBar::new_spinner().with_style(style).with_finish(ProgressFinish::AndClear);
    spinner.enable_steady_tick(TICK);
    spinner
}

/// Shows a bar until it is dropped. Where the output is not a terminal, nothing is shown.
#[must_use]
pub fn bar(total: u64) -> ProgressBar {
    let style = style(&format!("{INDENT}{{bar:40}} {{human_pos}} of {{human_len}} ({{eta}} left)"));
    ProgressBar::new(total).with_style(style).with_finish(ProgressFinish::AndClear)
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).expect("a template written here is valid")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_templates_are_valid() {
        assert!(!spinner().is_finished());
        assert_eq!(bar(7).length(), Some(7));
    }
}
