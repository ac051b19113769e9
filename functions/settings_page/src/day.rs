//! Days and times as the page writes and reads them. Days are UTC.

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};
use usage_export::export::interval::Interval;

/// Reads a day as people type it, `1/31/2025` or `01/31/2025`, or as browsers send it, `2025-01-31`.
///
/// Returns `None` for anything else: another format, a year that has not four digits, a day that the calendar lacks.
pub fn read(text: &str) -> Option<NaiveDate> {
    let text = text.trim();
    if text.len() > 10 || !text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'/' | b'-')) {
        return None;
    }
    let (separator, parts) = if text.contains('/') { ('/', [2, 0, 1]) } else { ('-', [0, 1, 2]) };
    let numbers: Vec<&str> = text.split(separator).collect();
    let [year, month, day] = parts.map(|part| numbers.get(part).copied().unwrap_or_default());
    // A year of two digits does not tell the century.
    if numbers.len() != 3 || year.len() != 4 || month.len() > 2 || day.len() > 2 {
        return None;
    }
    let day = NaiveDate::from_ymd_opt(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?)?;
    (day >= NaiveDate::from_ymd_opt(1, 1, 1)?).then_some(day)
}

/// Writes a day as people read it: `01/31/2025`.
pub fn us(day: NaiveDate) -> String {
    day.format("%m/%d/%Y").to_string()
}

/// Writes a day as browsers send it: `2025-01-31`.
pub fn iso(day: NaiveDate) -> String {
    day.format("%Y-%m-%d").to_string()
}

/// Writes an instant to the second: `Jan 31, 2025, 09:30:00 UTC`.
pub fn exact(instant: DateTime<Utc>) -> String {
    instant.format("%b %-d, %Y, %H:%M:%S UTC").to_string()
}

/// Whether the interval is made of whole UTC days, as every interval is that the page itself makes.
pub fn is_whole(interval: Interval) -> bool {
    let after = interval.end() + TimeDelta::milliseconds(1);
    interval.start().time() == NaiveTime::MIN && after.time() == NaiveTime::MIN
}

/// Writes an interval of whole days as `01/01/2025 – 01/31/2025`, any other with times:
/// `01/05/2025 10:00:00 – 01/05/2025 12:30:00 UTC`.
pub fn range(interval: Interval) -> String {
    let (start, end) = (interval.start(), interval.end());
    if is_whole(interval) {
        let (start, end) = (start.date_naive(), end.date_naive());
        return if start == end { us(start) } else { format!("{} – {}", us(start), us(end)) };
    }
    let time = |instant: DateTime<Utc>| instant.format("%m/%d/%Y %H:%M:%S").to_string();
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

/// Writes how long after `now` an instant is, in round numbers: `Less than a minute left`, `About 3 minutes left`,
/// `About 2 hours left`.
pub fn left(instant: DateTime<Utc>, now: DateTime<Utc>) -> String {
    let minutes = ((instant - now).num_seconds() + 59) / 60;
    let (count, unit) = match minutes {
        ..=1 => return "Less than a minute left".to_owned(),
        2..=90 => (minutes, "minute"),
        91..=2880 => ((minutes + 30) / 60, "hour"),
        _ => ((minutes + 720) / 1440, "day"),
    };
    format!("About {count} {unit}s left")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_day_is_read_as_typed_and_as_browsers_send_it() {
        let day = NaiveDate::from_ymd_opt(2025, 1, 5);
        for text in ["01/05/2025", "1/5/2025", " 01/05/2025 ", "2025-01-05"] {
            assert_eq!(read(text), day, "{text}");
        }
        for text in [
            "",
            "01/05/25",
            "13/01/2025",
            "02/30/2025",
            "2025/01/05",
            "01-05-2025",
            "01/05",
            "1/5/2025/1",
            "+1/5/2025",
            "01/05/0000",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
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
        assert_eq!([told(-5), told(60)], ["Less than a minute left"; 2]);
        assert_eq!([told(61), told(5400)], ["About 2 minutes left", "About 90 minutes left"]);
        assert_eq!(
            [told(5401), told(7200), told(172_800)],
            ["About 2 hours left", "About 2 hours left", "About 48 hours left"]
        );
        assert_eq!(told(180_000), "About 2 days left");
    }

    proptest! {
        #[test]
        fn a_written_day_reads_back(days in 1..3_652_059_i32) {
            let day = NaiveDate::from_num_days_from_ce_opt(days).unwrap();
            prop_assert_eq!(read(&us(day)), Some(day));
            prop_assert_eq!(read(&iso(day)), Some(day));
        }

        #[test]
        fn reading_any_text_does_not_panic(text in "\\PC{0,12}") {
            let _ = read(&text);
        }
    }
}
