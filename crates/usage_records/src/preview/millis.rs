//! Times as milliseconds since 1970, from the first one to that behind the last.

use std::ops::Range;

pub const HOUR: i64 = 3_600_000;
pub const DAY: i64 = 24 * HOUR;
pub const WEEK: i64 = 7 * DAY;

/// A time in the range at this phase of the week or the day, near the one that `random` chooses.
pub fn aligned(time: &Range<i64>, phase: f64, random: f64) -> i64 {
    let all = time.end - time.start;
    let at = time.start + millis(length(time) * random).clamp(0, all - 1);
    let period = if all >= WEEK { WEEK } else { DAY };
    if all < period {
        return at;
    }
    let before = (at - millis(length(&(0..period)) * phase)).rem_euclid(period);
    let aligned = at - before;
    if aligned < time.start { (aligned + period).min(time.end - 1) } else { aligned }
}

/// How long a time is.
#[expect(clippy::cast_precision_loss, reason = "a hundred years in milliseconds are below 2^42")]
pub fn length(time: &Range<i64>) -> f64 {
    (time.end - time.start) as f64
}

/// Whole milliseconds.
#[expect(clippy::cast_possible_truncation, reason = "it saturates")]
pub fn millis(millis: f64) -> i64 {
    millis as i64
}
