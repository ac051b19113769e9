//! What the file will be: about how large, and its first rows.

use askama::Template;
use chrono::{DateTime, Utc};
use usage_export::export::interval::Interval;
use usage_export::wording::{counted, size};
use usage_records::preview::{Preview, RowsAre};

use super::dates;

/// Values of `preview.html`.
#[derive(Debug, Template)]
#[template(path = "preview.html")]
pub struct PreviewPart {
    /// Rows and size: `About 1,200,000 rows, 380 MB`.
    size: Option<String>,
    /// How far to trust it.
    trust: &'static str,
    /// Between which instants the runs started.
    instants: Option<String>,
    /// Which rows these are.
    caption: &'static str,
    header: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl PreviewPart {
    /// What is known of the file of a request for this interval, at `now`.
    pub fn new(preview: Preview, interval: Interval, now: DateTime<Utc>) -> Self {
        let Preview { header, rows, rows_are, estimate } = preview;
        let in_future = interval.start() > now;
        let (about, is_empty) = (!estimate.is_exact, estimate.is_exact && estimate.rows == 0);
        let size = if about {
            let size = size(rounded(estimate.bytes)).replace(".0 ", " ");
            format!("About {}, {size}", counted(rounded(estimate.rows), "row"))
        } else {
            format!("{}, {}", counted(estimate.rows, "row"), size(estimate.bytes))
        };
        let trust = match (in_future, is_empty, about, estimate.is_rough) {
            (true, ..) => "These dates are in the future: there is nothing to export yet.",
            (_, true, ..) => "Nothing ran in these workspaces on these days.",
            (_, _, true, true) => "A rough estimate from a few of the workspaces. The export counts exactly.",
            (_, _, true, false) => "An estimate from a sample. The export counts exactly.",
            _ => "As of now.",
        };
        let caption = match rows_are {
            RowsAre::All => "All rows",
            RowsAre::First => "The first rows",
            RowsAre::Examples => "Some of the rows",
        };
        Self { size: Some(size), trust, instants: Some(instants(interval)), caption, header, rows }
    }

    /// There is no preview, because it could not be made in time.
    pub fn missing(interval: Interval) -> Self {
        Self {
            size: None,
            trust: "There is no estimate at the moment. The export can be started all the same.",
            instants: Some(instants(interval)),
            caption: "",
            header: Vec::new(),
            rows: Vec::new(),
        }
    }
}

/// Writes the bounds of an interval: `Runs that started from 01/01/2025, 05:00:00 UTC to 02/01/2025, 04:59:59 UTC`.
fn instants(interval: Interval) -> String {
    format!("Runs that started from {} to {}", dates::exact(interval.start()), dates::exact(interval.end()))
}

/// A number with two digits that say something: an estimate knows no more.
fn rounded(number: u64) -> u64 {
    let mut unit = 1;
    while number / unit >= 100 {
        unit *= 10;
    }
    (number + unit / 2) / unit * unit
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_estimate_has_two_digits() {
        let numbers = [0, 7, 99, 100, 104, 105, 996, 1_234_567, 9_949_999];
        assert_eq!(numbers.map(rounded), [0, 7, 99, 100, 100, 110, 1_000, 1_200_000, 9_900_000]);
    }
}
