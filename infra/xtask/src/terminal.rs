//! What a person sees while it works: numbered steps, and one line that is redrawn.

use std::cell::Cell;
use std::io::{IsTerminal, Write, stdout};
use std::time::{Duration, Instant};

/// Where the output is not a terminal, progress is a line of its own, and no more often than this.
const PLAIN_LINES_EVERY: Duration = Duration::from_secs(5);

/// Numbered steps: `[2/6] Building the release binaries…`, then how long it took.
pub struct Steps {
    total: usize,
    number: usize,
    started: Instant,
}

impl Steps {
    pub fn new(total: usize) -> Self {
        Self { total, number: 0, started: Instant::now() }
    }

    pub fn begin(&mut self, text: &str) {
        self.number += 1;
        self.started = Instant::now();
        println!("[{}/{}] {text}…", self.number, self.total);
    }

    pub fn done(&self, text: &str) {
        println!("      {text} ({:.1} s)", self.started.elapsed().as_secs_f64());
    }
}

/// A line that is redrawn while something goes on.
pub struct ProgressLine {
    redraws: bool,
    last: Cell<Instant>,
}

impl ProgressLine {
    pub fn new() -> Self {
        Self { redraws: stdout().is_terminal(), last: Cell::new(Instant::now()) }
    }

    pub fn show(&self, text: &str) {
        if self.redraws {
            print!("\r\x1b[2K      {text}");
            // Only the display suffers if it cannot be written.
            let _ = stdout().flush();
        } else if self.last.get().elapsed() >= PLAIN_LINES_EVERY {
            println!("      {text}");
            self.last.set(Instant::now());
        }
    }

    /// Makes room for the next line.
    pub fn clear(&self) {
        if self.redraws {
            print!("\r\x1b[2K");
            let _ = stdout().flush();
        }
    }
}

/// `12345678` as `12,345,678`.
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Bytes as people read them: `3.4 MB`.
#[expect(clippy::cast_precision_loss, reason = "one decimal is shown")]
pub fn size(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} bytes"),
        1_000..1_000_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        _ => format!("{:.1} MB", bytes as f64 / 1e6),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped() {
        assert_eq!(thousands(7), "7");
        assert_eq!(thousands(123), "123");
        assert_eq!(thousands(20_000), "20,000");
        assert_eq!(thousands(1_234_567), "1,234,567");
    }

    #[test]
    fn sizes_have_a_unit() {
        assert_eq!(size(999), "999 bytes");
        assert_eq!(size(3_400_000), "3.4 MB");
    }
}
