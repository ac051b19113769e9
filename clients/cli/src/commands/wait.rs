//! `usage-export wait`: asks how an export stands, less and less often, until it has finished.

use std::time::{Duration, Instant};
use std::{iter, thread};

use indicatif::{HumanCount, ProgressBar};

use super::status::{describe, rows_text};
use crate::args::{WaitOptions, Waiting};
use crate::client::Client;
use crate::console::Console;
use crate::error::{Error, Kind};
use crate::export::{Export, ExportId, State};
use crate::interrupt;

const FIRST_PAUSE: Duration = Duration::from_millis(400);
/// Far fewer requests than a key may make: by default 500 in ten seconds.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// Percent between two lines where there is no terminal for a bar.
const LOGGED_STEP: u64 = 10;

pub fn wait(client: &Client, console: Console, options: &WaitOptions) -> Result<(), Error> {
    let export = wait_until_final(client, console, &options.id, &options.waiting)?;
    console.result(&export.document, &describe(&export))?;
    export.must_be_completed()
}

/// Waits, and returns the export once it is COMPLETED or FAILED.
///
/// # Errors
///
/// The time is up, or the API does not answer any more.
pub fn wait_until_final(
    client: &Client,
    console: Console,
    id: &ExportId,
    waiting: &Waiting,
) -> Result<Export, Error> {
    interrupt::advise(format!(
        "The export goes on. Wait for it again with `usage-export wait {id}`, or end it with `usage-export cancel {id}`."
    ));
    let started = Instant::now();
    let mut pause = FIRST_PAUSE;
    let mut view = View { console, bar: console.percent_bar(), logged: None };
    loop {
        let export = client.status(id)?;
        if export.status.state.is_final() {
            view.bar.finish_and_clear();
            return Ok(export);
        }
        view.show(&export);
        // Not later than the API expects the end, but never in a loop without a pause.
        let pause_now = export.left.map_or(pause, |left| pause.min(left).max(FIRST_PAUSE));
        if waiting.timeout.is_some_and(|timeout| started.elapsed() + pause_now > timeout) {
            view.bar.finish_and_clear();
            return Err(timed_out(&export));
        }
        thread::sleep(pause_now);
        pause = (pause * 3 / 2).min(LONGEST_PAUSE);
    }
}

fn timed_out(export: &Export) -> Error {
    let id = &export.status.data_export_id;
    let message = format!(
        "The time is up, and the export is {} still. It goes on: wait for it again with `usage-export wait {id}`.",
        export.status.state.name()
    );
    Error::new(Kind::NotFinished, message)
}

/// What a person sees of the waiting.
struct View {
    console: Console,
    bar: ProgressBar,
    /// State and progress of the last line in a log.
    logged: Option<(State, u64)>,
}

impl View {
    fn show(&mut self, export: &Export) {
        let percent = export.status.progress.unwrap_or(0).min(100);
        self.bar.set_position(percent);
        self.bar.set_message(message(export));
        if !self.bar.is_hidden() {
            return;
        }
        let step = (export.status.state, percent / LOGGED_STEP);
        if self.logged != Some(step) {
            self.console.note(&format!("{percent} %  {}", message(export)));
            self.logged = Some(step);
        }
    }
}

fn message(export: &Export) -> String {
    let status = &export.status;
    let rows = status.row_count.filter(|rows| *rows > 0).map(rows_text);
    let speed = status
        .rows_per_second
        .filter(|speed| *speed > 0)
        .map(|speed| format!("{} rows/s", HumanCount(speed)));
    let left = export.left.map(|left| format!("{} left", time_text(left)));
    let parts: Vec<_> =
        iter::once(status.state.name().to_owned()).chain([rows, speed, left].into_iter().flatten()).collect();
    parts.join(", ")
}

/// A time as people say it: nobody plans with the seconds of an estimate.
fn time_text(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..90 => format!("{} s", seconds.max(1)),
        90..5400 => format!("{} min", (seconds + 30) / 60),
        _ => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_short() {
        let texts = [0, 12, 95, 3599, 9000].map(|seconds| time_text(Duration::from_secs(seconds)));
        assert_eq!(texts, ["1 s", "12 s", "2 min", "60 min", "2 h 30 min"]);
    }
}
