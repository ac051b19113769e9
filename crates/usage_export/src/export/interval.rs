//! The date range of an export. It reads several forms of a date, and each has one exact meaning.

use chrono::{DateTime, Datelike, Days, FixedOffset, NaiveDate, NaiveTime, Offset, TimeDelta, Timelike, Utc};
use serde::{Deserialize, Serialize};

use crate::problem::FieldError;
#[cfg(feature = "schema")]
use crate::schema;
use crate::timestamp;
use crate::usage::Month;

/// The longest interval, about a hundred years. It bounds how many months, and so partitions, one export reads.
pub const MAX_SPAN: TimeDelta = TimeDelta::days(36_600);

/// The longest text that is parsed as a date, in bytes.
const MAX_TEXT_BYTES: usize = 64;

/// A range of instants from its first to its last millisecond, both included. The start is never after the end.
///
/// Text and JSON have it as two timestamps; see [`crate::timestamp`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(description = "Between which instants runs started, both included."))]
pub struct Interval {
    #[serde(with = "timestamp::serde_text")]
    #[cfg_attr(feature = "schema", schemars(with = "schema::Timestamp"))]
    start: DateTime<Utc>,
    #[serde(with = "timestamp::serde_text")]
    #[cfg_attr(feature = "schema", schemars(with = "schema::Timestamp"))]
    end: DateTime<Utc>,
}

impl Interval {
    /// Makes the interval between two instants, of which [`parse_start`] and [`parse_end`] make the first and the last
    /// millisecond.
    ///
    /// ```
    /// use usage_export::export::interval::{Interval, parse_end, parse_start};
    /// let interval = Interval::new(parse_start("2025-01-31").unwrap(), parse_end("2025-02-01").unwrap()).unwrap();
    /// let months: Vec<_> = interval.months().map(|month| month.to_string()).collect();
    /// assert_eq!(months, ["2025-01", "2025-02"]);
    ///
    /// let error = Interval::new(interval.end(), interval.start()).unwrap_err();
    /// assert_eq!(error.field, "end_date");
    /// ```
    ///
    /// # Errors
    ///
    /// The end is before the start, or the interval is longer than [`MAX_SPAN`]. Both blame the member `end_date`.
    pub fn new(start: DateTime<Utc>, end: DateTime<Utc>) -> Result<Self, FieldError> {
        if end < start {
            return Err(FieldError::new("end_date", "is before start_date"));
        }
        if end - start > MAX_SPAN {
            return Err(FieldError::new(
                "end_date",
                "is more than 100 years after start_date; choose a shorter range",
            ));
        }
        Ok(Self { start, end })
    }

    /// The first millisecond of the interval.
    pub fn start(self) -> DateTime<Utc> {
        self.start
    }

    /// The last millisecond of the interval.
    pub fn end(self) -> DateTime<Utc> {
        self.end
    }

    /// The UTC months of which the interval has at least a millisecond, in order.
    pub fn months(self) -> impl Iterator<Item = Month> + Clone + Send {
        let last = Month::of(self.end);
        std::iter::successors(Some(Month::of(self.start)), |month| Some(month.next()))
            .take_while(move |month| *month <= last)
    }
}

/// Parses `start_date`: the first millisecond at or after the given instant. Without an offset it is in UTC, without a
/// time it is midnight.
///
/// ```
/// use usage_export::export::interval::parse_start;
/// let start = parse_start("2025-01-31T00:00:00+02:00").unwrap();
/// assert_eq!(usage_export::timestamp::to_text(start), "2025-01-30T22:00:00.000Z");
/// ```
///
/// # Errors
///
/// A text to follow the member's name, if it is no ISO 8601 date, or date and time, of the years 1 to 9999.
pub fn parse_start(text: &str) -> Result<DateTime<Utc>, String> {
    let given = read(text)?;
    let below_a_milli = given.timestamp_subsec_nanos() % 1_000_000 != 0;
    at_millis(given.timestamp_millis() + i64::from(below_a_milli)).ok_or_else(|| OUT_OF_RANGE.to_owned())
}

/// Parses `end_date`: the last millisecond that is included. A date without a time and a midnight, in its own offset,
/// include the whole day.
///
/// ```
/// use usage_export::export::interval::parse_end;
/// let end = |text| usage_export::timestamp::to_text(parse_end(text).unwrap());
/// assert_eq!(end("2025-01-31"), "2025-01-31T23:59:59.999Z");
/// assert_eq!(end("2025-01-31T00:00:00+02:00"), "2025-01-31T21:59:59.999Z");
/// assert_eq!(end("2025-01-31T12:30:00Z"), "2025-01-31T12:30:00.000Z");
/// ```
///
/// # Errors
///
/// As for [`parse_start`].
pub fn parse_end(text: &str) -> Result<DateTime<Utc>, String> {
    let given = read(text)?;
    let millis = if given.time() == NaiveTime::MIN {
        let next_day = given.checked_add_days(Days::new(1)).ok_or(OUT_OF_RANGE)?;
        next_day.timestamp_millis() - 1
    } else {
        given.timestamp_millis()
    };
    at_millis(millis).ok_or_else(|| OUT_OF_RANGE.to_owned())
}

const OUT_OF_RANGE: &str = "is outside the years 1 to 9999";
const MALFORMED: &str = "is not an ISO 8601 date; write 2025-01-31, 2025-01-31T00:00:00, 2025-01-31T00:00:00Z or 2025-01-31T00:00:00+02:00";

/// The instant, if its year has four digits, as our text form needs.
fn at_millis(millis: i64) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp_millis(millis).filter(|instant| (1..=9999).contains(&instant.year()))
}

/// Parses a date, or a date and time with or without an offset. No offset means UTC, no time means midnight.
fn read(text: &str) -> Result<DateTime<FixedOffset>, String> {
    let text = text.trim();
    let malformed = || MALFORMED.to_owned();
    if text.len() > MAX_TEXT_BYTES || !text.is_ascii() || text.len() < 10 {
        return Err(malformed());
    }
    let (date, rest) = text.split_at(10);
    let date = read_date(date).ok_or_else(malformed)?;
    let (time, offset) = match rest.strip_prefix(['T', 't', ' ']) {
        Some(rest) => read_time_and_offset(rest).ok_or_else(malformed)?,
        None if rest.is_empty() => (NaiveTime::MIN, utc()),
        None => return Err(malformed()),
    };
    date.and_time(time).and_local_timezone(offset).single().ok_or_else(|| OUT_OF_RANGE.to_owned())
}

/// Parses exactly `YYYY-MM-DD`; chrono alone would accept `2025-1-5` and signs.
fn read_date(text: &str) -> Option<NaiveDate> {
    let shape = text.bytes().enumerate().all(|(i, byte)| match i {
        4 | 7 => byte == b'-',
        _ => byte.is_ascii_digit(),
    });
    if shape { NaiveDate::parse_from_str(text, "%Y-%m-%d").ok() } else { None }
}

/// Parses `HH:MM`, `HH:MM:SS` or `HH:MM:SS.f`, then nothing, `Z`, `±HH:MM`, `±HHMM` or `±HH`.
fn read_time_and_offset(text: &str) -> Option<(NaiveTime, FixedOffset)> {
    let at = text.find(['Z', 'z', '+', '-']).unwrap_or(text.len());
    let (time, offset) = text.split_at(at);
    if !time.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b':' | b'.')) {
        return None;
    }
    let time = match time.len() {
        5 => NaiveTime::parse_from_str(time, "%H:%M").ok()?,
        8 => NaiveTime::parse_from_str(time, "%H:%M:%S").ok()?,
        10.. => NaiveTime::parse_from_str(time, "%H:%M:%S%.f").ok()?,
        _ => return None,
    };
    // No usage record is of a leap second, which chrono takes at the end of any minute.
    let is_leap_second = time.nanosecond() >= 1_000_000_000;
    if is_leap_second { None } else { Some((time, read_offset(offset)?)) }
}

fn read_offset(text: &str) -> Option<FixedOffset> {
    if matches!(text, "" | "Z" | "z") {
        return Some(utc());
    }
    let (sign, digits) = match text.split_at(1) {
        ("+", digits) => (1, digits),
        ("-", digits) => (-1, digits),
        _ => return None,
    };
    let digits: String = match digits.len() {
        2 => format!("{digits}00"),
        4 => digits.to_owned(),
        5 if digits.as_bytes()[2] == b':' => digits.replacen(':', "", 1),
        _ => return None,
    };
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (hours, minutes) = digits.split_at(2);
    let (hours, minutes): (i32, i32) = (hours.parse().ok()?, minutes.parse().ok()?);
    if minutes > 59 {
        return None;
    }
    FixedOffset::east_opt(sign * (hours * 3600 + minutes * 60))
}

fn utc() -> FixedOffset {
    Utc.fix()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn start(text: &str) -> String {
        timestamp::to_text(parse_start(text).unwrap())
    }

    fn end(text: &str) -> String {
        timestamp::to_text(parse_end(text).unwrap())
    }

    #[test]
    fn every_documented_form_is_parsed() {
        for text in
            ["2025-01-31", "2025-01-31T00:00:00", "2025-01-31T00:00:00Z", "2025-01-31T00:00", " 2025-01-31 "]
        {
            assert_eq!(start(text), "2025-01-31T00:00:00.000Z", "{text}");
            assert_eq!(end(text), "2025-01-31T23:59:59.999Z", "{text}");
        }
        for text in ["2025-01-31T02:00:00+02:00", "2025-01-31T02:00:00+0200", "2025-01-31 02:00:00.000+02"] {
            assert_eq!(start(text), "2025-01-31T00:00:00.000Z", "{text}");
            assert_eq!(
                end(text),
                "2025-01-31T00:00:00.000Z",
                "midnight in UTC is not midnight there: {text}"
            );
        }
        assert_eq!(end("2025-01-31T00:00:00-08:00"), "2025-02-01T07:59:59.999Z");
    }

    #[test]
    fn fractions_of_a_millisecond_never_add_or_lose_a_run() {
        assert_eq!(start("2025-01-31T10:00:00.0005Z"), "2025-01-31T10:00:00.001Z");
        assert_eq!(end("2025-01-31T10:00:00.0015Z"), "2025-01-31T10:00:00.001Z");
        assert_eq!(end("2025-01-31T00:00:00.000001Z"), "2025-01-31T00:00:00.000Z");
    }

    #[test]
    fn other_texts_are_refused_with_examples() {
        for text in [
            "",
            "today",
            "2025-02-30",
            "31.01.2025",
            "01/31/2025",
            "2025-1-5",
            "2025-01-31T",
            "2025-01-31T25:00:00",
            "2025-01-31T10:00:00+25:00",
            "2025-01-31T10:00:00+02:99",
            "2025-01-31x",
            "+2025-01-3",
            "２０２５-01-31",
            "2025-01-31T10:00:00ZZ",
            "2025-01-31T23:59:60Z",
            "2025-01-31T10:00:60.5",
            "2025-01-31T10",
            "2025-01-31T1:00:00",
            "1738315800",
        ] {
            assert!(parse_start(text).is_err(), "{text}");
            assert!(parse_end(text).is_err(), "{text}");
        }
        assert!(parse_start("someday").unwrap_err().contains("2025-01-31"));
        assert!(
            parse_start("0001-01-01T00:00:00+10:00").is_err(),
            "the year 0 has no place in our text form"
        );
        assert!(parse_end("9999-12-31T00:00:00-10:00").is_err());
    }

    #[test]
    fn an_end_before_the_start_blames_the_end() {
        let (start, end) = (parse_start("2025-02-01").unwrap(), parse_end("2025-01-31").unwrap());
        assert_eq!(Interval::new(start, end).unwrap_err().field, "end_date");
        let one_day = Interval::new(parse_start("2025-01-31").unwrap(), end).unwrap();
        assert_eq!(one_day.months().map(|month| month.to_string()).collect::<Vec<_>>(), ["2025-01"]);
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parser_panic(text in "\\PC{0,40}") {
            let _ = (parse_start(&text), parse_end(&text));
        }

        #[test]
        fn any_instant_reads_back_in_any_offset(millis in 0_i64..4_102_444_800_000, quarters in -56_i32..=56) {
            let instant = DateTime::from_timestamp_millis(millis).unwrap();
            let offset = FixedOffset::east_opt(quarters * 900).unwrap();
            let text = instant.with_timezone(&offset).to_rfc3339();
            prop_assert_eq!(parse_start(&text).unwrap(), instant);
            let end = parse_end(&text).unwrap();
            if instant.with_timezone(&offset).time() == NaiveTime::MIN {
                prop_assert_eq!(end - instant, TimeDelta::milliseconds(86_399_999));
            } else {
                prop_assert_eq!(end, instant);
            }
        }

        #[test]
        fn the_months_of_an_interval_hold_every_instant_in_it(
            a in 0..=MAX_SPAN.num_milliseconds(), b in 0..=MAX_SPAN.num_milliseconds(), share in 0.0..=1.0_f64
        ) {
            let (first, last) = (a.min(b), a.max(b));
            #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "any instant between will do")]
            let inside = first + ((last - first) as f64 * share) as i64;
            let at = |millis| DateTime::from_timestamp_millis(millis).unwrap();
            let interval = Interval::new(at(first), at(last)).unwrap();
            prop_assert!(interval.months().any(|month| month == Month::of(at(inside.clamp(first, last)))));
        }
    }
}
