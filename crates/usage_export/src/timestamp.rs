//! The text form of an instant in tables, answers and the CSV: ISO 8601 in UTC with milliseconds and `Z`. All texts have
//! the same length, so they sort by time.

use chrono::{DateTime, NaiveDateTime, SecondsFormat, Utc};

/// The length of the text, in bytes.
const TEXT_BYTES: usize = 24;

/// Writes an instant of the years 0 to 9999. What it has below a millisecond is cut off.
///
/// ```
/// let instant = chrono::DateTime::from_timestamp_millis(1_738_315_800_000).unwrap();
/// assert_eq!(usage_export::timestamp::to_text(instant), "2025-01-31T09:30:00.000Z");
/// ```
pub fn to_text(instant: DateTime<Utc>) -> String {
    instant.to_rfc3339_opts(SecondsFormat::Millis, true)
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
    let naive = NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.3fZ").ok()?;
    let instant = naive.and_utc();
    // chrono also reads leap seconds, spaces in front of numbers and years before 0, which are never written. It gives a leap
    // second more than 999,999,999 ns.
    let is_leap_second = instant.timestamp_subsec_nanos() >= 1_000_000_000;
    (text.len() == TEXT_BYTES && !is_leap_second && to_text(instant) == text).then_some(instant)
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
        fn reads_exactly_the_times_that_chrono_parses(text in "[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-6][0-9]\\.[0-9]{3}Z") {
            let chrono = NaiveDateTime::parse_from_str(&text, "%Y-%m-%dT%H:%M:%S%.3fZ").map(|naive| naive.and_utc());
            // Leap seconds are the one thing that chrono reads and nobody writes.
            let expected = chrono.ok().filter(|_| &text[17..19] != "60");
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
