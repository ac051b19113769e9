//! Instants and ranges as the page writes them. Days are written as the form takes them, `01/31/2025`; times are UTC.

use chrono::{DateTime, NaiveDate, Utc};
use usage_export::export::interval::Interval;

use crate::day;
use crate::time_zone::TimeZone;

/// An instant on the page: a `time` element.
#[derive(Debug, Clone)]
pub struct Moment {
    /// To the minute, UTC: `01/31/2025, 09:30`.
    pub text: String,
    /// How long ago it was when the page was made.
    pub ago: String,
    /// To the millisecond, for the script.
    pub iso: String,
}

impl Moment {
    /// An instant, seen at `now`.
    pub fn new(instant: DateTime<Utc>, now: DateTime<Utc>) -> Self {
        Self {
            text: format!("{}, {}", day::us(instant.date_naive()), instant.format("%H:%M")),
            ago: ago(instant, now),
            iso: usage_export::timestamp::to_text(instant),
        }
    }
}

/// Writes an instant to the second: `01/31/2025, 09:30:00 UTC`.
pub fn exact(instant: DateTime<Utc>) -> String {
    format!("{}, {}", day::us(instant.date_naive()), instant.format("%H:%M:%S UTC"))
}

/// The first and the last day of an interval that is made of whole days of a time zone.
fn whole_days(interval: Interval, zone: &TimeZone) -> Option<(NaiveDate, NaiveDate)> {
    let (start, end) = (zone.day_of(interval.start()), zone.day_of(interval.end()));
    let is_whole =
        zone.first_instant(start)? == interval.start() && zone.last_instant(end)? == interval.end();
    is_whole.then_some((start, end))
}

/// Writes an interval of whole days of a time zone as `01/01/2025 – 01/31/2025`, any other with times:
/// `01/05/2025 10:00:00 – 01/05/2025 12:30:00 UTC`.
pub fn range(interval: Interval, zone: &TimeZone) -> String {
    let (start, end) = (interval.start(), interval.end());
    if let Some((start, end)) = whole_days(interval, zone) {
        return if start == end {
            day::us(start)
        } else {
            format!("{} – {}", day::us(start), day::us(end))
        };
    }
    let time =
        |instant: DateTime<Utc>| format!("{} {}", day::us(instant.date_naive()), instant.format("%H:%M:%S"));
    format!("{} – {} UTC", time(start), time(end))
}

/// Writes how long before `now` an instant was, in its largest unit: `just now`, `3 minutes ago`, `2 days ago`.
pub fn ago(instant: DateTime<Utc>, now: DateTime<Utc>) -> String {
    let minutes = (now - instant).num_minutes();
    let (count, unit) = match minutes {
        ..1 => return "just now".to_owned(),
        1..60 => (minutes, "minute"),
        60..1440 => (minutes / 60, "hour"),
        _ => (minutes / 1440, "day"),
    };
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {unit}{plural} ago")
}

/// Writes how long after `now` an instant is, in round numbers: `less than a minute left`, `about 3 minutes left`,
/// `about 2 hours left`.
pub fn left(instant: DateTime<Utc>, now: DateTime<Utc>) -> String {
    let minutes = ((instant - now).num_seconds() + 59) / 60;
    let (count, unit) = match minutes {
        ..=1 => return "less than a minute left".to_owned(),
        2..=90 => (minutes, "minute"),
        91..=2880 => ((minutes + 30) / 60, "hour"),
        _ => ((minutes + 720) / 1440, "day"),
    };
    format!("about {count} {unit}s left")
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use usage_export::export::interval::{parse_end, parse_start};

    use super::*;

    #[test]
    fn whole_days_of_a_time_zone_are_written_as_days() {
        let interval =
            |start, end| Interval::new(parse_start(start).unwrap(), parse_end(end).unwrap()).unwrap();
        let new_york = TimeZone::from_name("America/New_York").unwrap();
        let march = interval("2025-03-01T00:00:00-05:00", "2025-03-31T23:59:59.999-04:00");
        assert_eq!(range(march, &new_york), "03/01/2025 – 03/31/2025");
        assert_eq!(range(march, &TimeZone::UTC), "03/01/2025 05:00:00 – 04/01/2025 03:59:59 UTC");
        assert_eq!(range(interval("2025-03-01", "2025-03-01"), &TimeZone::UTC), "03/01/2025");
    }

    #[test]
    fn an_age_is_written_in_its_largest_unit() {
        let now = DateTime::from_timestamp(1_763_900_000, 0).unwrap();
        let told = |seconds| ago(now - TimeDelta::seconds(seconds), now);
        assert_eq!(
            [told(-5), told(59), told(60), told(3599)],
            ["just now", "just now", "1 minute ago", "59 minutes ago"]
        );
        assert_eq!([told(3600), told(86_399), told(172_800)], ["1 hour ago", "23 hours ago", "2 days ago"]);
    }

    #[test]
    fn what_is_left_is_written_in_a_round_number() {
        let now = DateTime::from_timestamp(1_763_900_000, 0).unwrap();
        let told = |seconds| left(now + TimeDelta::seconds(seconds), now);
        assert_eq!([told(-5), told(60)], ["less than a minute left"; 2]);
        assert_eq!([told(61), told(5400)], ["about 2 minutes left", "about 90 minutes left"]);
        assert_eq!(
            [told(5401), told(7200), told(172_800)],
            ["about 2 hours left", "about 2 hours left", "about 48 hours left"]
        );
        assert_eq!(told(180_000), "about 2 days left");
    }
}
