//! The text form of an instant in tables, answers and the CSV: ISO 8601 in UTC with milliseconds and `Z`. All texts have
//! the same length, so they sort by time.

use chrono::{DateTime, NaiveDateTime, SecondsFormat, Utc};
use wide::u8x16;

/// Writes an instant of the years 0 to 9999. What it has below a millisecond is cut off.
///
/// ```
/// let instant = chrono::DateTime::from_timestamp_millis(1_738_315_800_000).unwrap();
/// assert_eq!(usage_export::timestamp::to_text(instant), "2025-01-31T09:30:00.000Z");
/// ```
pub fn to_text(instant: DateTime<Utc>) -> String {
    instant.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// The length of the text, in bytes.
pub const TEXT_BYTES: usize = 24;

/// The least and the greatest that each byte may be.
const LEAST: &[u8; TEXT_BYTES] = b"0000-00-00T00:00:00.000Z";
const GREATEST: &[u8; TEXT_BYTES] = b"9999-19-39T29:59:59.999Z";

/// The first and the last sixteen bytes of a text: all of it.
#[inline]
fn ends(text: &[u8; TEXT_BYTES]) -> [u8x16; 2] {
    let (first, _) = text.as_chunks::<16>();
    let (_, last) = text.as_rchunks::<16>();
    [u8x16::from(first[0]), u8x16::from(last[0])]
}

/// Whether [`from_text`] reads this text, found out without reading it: an export asks twice for every row.
///
/// ```
/// use usage_export::timestamp::is_text;
/// assert!(is_text(b"2024-02-29T23:59:59.999Z"));
/// assert!(!is_text(b"2025-02-29T23:59:59.999Z"));
/// ```
pub fn is_text(text: &[u8]) -> bool {
    let Ok(text) = <&[u8; TEXT_BYTES]>::try_from(text) else { return false };
    let [texts, least, greatest] = [text, LEAST, GREATEST].map(ends);
    let is_within = |end: usize| texts[end].max(least[end]).min(greatest[end]).simd_eq(texts[end]);
    if !(is_within(0) & is_within(1)).all() || (text[11] == b'2' && text[12] > b'3') {
        return false;
    }
    let two = |at: usize| u32::from(text[at] - b'0') * 10 + u32::from(text[at + 1] - b'0');
    let (month, day) = (two(5), two(8));
    // Nearly every day is none of a month's last.
    ((1..=12).contains(&month) && (1..=28).contains(&day))
        || (1..=days_of_month(two(0) * 100 + two(2), month)).contains(&day)
}

/// 0 for a month that is none.
fn days_of_month(year: u32, month: u32) -> u32 {
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        _ => 0,
    }
}

/// Reads a text that [`to_text`] wrote. `None` for any other text.
///
/// ```
/// use usage_export::timestamp::from_text;
/// assert!(from_text("2025-01-31T09:30:00.000Z").is_some());
/// assert_eq!(from_text("2025-01-31T09:30:00Z"), None, "the milliseconds are missing");
/// assert_eq!(from_text("2025-02-30T09:30:00.000Z"), None, "there is no such day");
/// ```
pub fn from_text(text: &str) -> Option<DateTime<Utc>> {
    if !is_text(text.as_bytes()) {
        return None;
    }
    let naive = NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.3fZ").ok()?;
    Some(naive.and_utc())
}

/// For `#[serde(with = "timestamp::serde_text")]`: an instant as text.
///
/// ```
/// use chrono::{DateTime, Utc};
/// use usage_export::timestamp;
/// #[derive(serde::Serialize, serde::Deserialize)]
/// struct Run {
///     #[serde(with = "timestamp::serde_text")]
///     started: DateTime<Utc>,
/// }
/// let run: Run = serde_json::from_str(r#"{"started":"2025-01-31T09:30:00.000Z"}"#)?;
/// assert_eq!(serde_json::to_string(&run)?, r#"{"started":"2025-01-31T09:30:00.000Z"}"#);
/// # Ok::<(), serde_json::Error>(())
/// ```
pub mod serde_text {
    use chrono::{DateTime, Utc};
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    /// Writes the instant as text.
    ///
    /// # Errors
    ///
    /// The serializer's own.
    pub fn serialize<S: Serializer>(instant: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&super::to_text(*instant))
    }

    /// Reads the instant from text.
    ///
    /// # Errors
    ///
    /// The value is not a string, or is not in our text form.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<DateTime<Utc>, D::Error> {
        let text = String::deserialize(deserializer)?;
        super::from_text(&text).ok_or_else(|| D::Error::custom("not an ISO 8601 UTC time with milliseconds"))
    }
}

/// For `#[serde(default, with = "timestamp::serde_text_option")]`: an instant as text that may be absent.
pub mod serde_text_option {
    use chrono::{DateTime, Utc};
    use serde::{Deserialize, Deserializer, Serializer};

    /// Writes the instant as text, or `null`.
    ///
    /// # Errors
    ///
    /// The serializer's own.
    pub fn serialize<S: Serializer>(
        instant: &Option<DateTime<Utc>>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match instant {
            Some(instant) => super::serde_text::serialize(instant, serializer),
            None => serializer.serialize_none(),
        }
    }

    /// Reads the instant from text; `null` is `None`.
    ///
    /// # Errors
    ///
    /// The value is neither `null` nor a string in our text form.
    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<DateTime<Utc>>, D::Error> {
        #[derive(Deserialize)]
        struct Text(#[serde(with = "super::serde_text")] DateTime<Utc>);
        Ok(Option::<Text>::deserialize(deserializer)?.map(|text| text.0))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_fast_check_agrees_with_chrono(text in "[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-6][0-9]\\.[0-9]{3}Z") {
            let chrono = NaiveDateTime::parse_from_str(&text, "%Y-%m-%dT%H:%M:%S%.3fZ").map(|naive| naive.and_utc());
            // Leap seconds are the one thing that chrono reads and nobody writes.
            let expected = chrono.ok().filter(|_| &text[17..19] != "60");
            prop_assert_eq!(is_text(text.as_bytes()), expected.is_some());
            prop_assert_eq!(from_text(&text), expected);
        }

        #[test]
        fn what_is_written_reads_back(millis in -62_167_219_200_000_i64..253_402_300_800_000) {
            let instant = DateTime::from_timestamp_millis(millis).unwrap();
            prop_assert_eq!(from_text(&to_text(instant)), Some(instant));
        }

        #[test]
        fn other_texts_are_refused(text in any::<String>()) {
            prop_assert_eq!(from_text(&text), None);
        }
    }
}
