//! The one text form of an instant in tables, answers and CSV: ISO 8601 UTC with milliseconds and `Z`.

use chrono::{DateTime, NaiveDateTime, SecondsFormat, Utc};

/// Writes an instant, cut to milliseconds.
///
/// ```
/// let instant = chrono::DateTime::from_timestamp_millis(1_738_315_800_000).unwrap();
/// assert_eq!(usage_export::timestamp::to_text(instant), "2025-01-31T09:30:00.000Z");
/// ```
pub fn to_text(instant: DateTime<Utc>) -> String {
    instant.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// Reads what [`to_text`] wrote; `None` for anything else.
pub fn from_text(text: &str) -> Option<DateTime<Utc>> {
    let naive = NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.3fZ").ok()?;
    Some(naive.and_utc())
}

/// For `#[serde(with = "timestamp::serde_text")]`.
pub mod serde_text {
    use chrono::{DateTime, Utc};
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    /// Writes the instant as text.
    pub fn serialize<S: Serializer>(instant: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&super::to_text(*instant))
    }

    /// Reads the instant; any other form than ours is an error.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<DateTime<Utc>, D::Error> {
        let text = String::deserialize(deserializer)?;
        super::from_text(&text).ok_or_else(|| D::Error::custom("not an ISO 8601 UTC time with milliseconds"))
    }
}

/// For `#[serde(default, with = "timestamp::serde_text_option")]`.
pub mod serde_text_option {
    use chrono::{DateTime, Utc};
    use serde::{Deserialize, Deserializer, Serializer};

    /// Writes the instant as text.
    pub fn serialize<S: Serializer>(
        instant: &Option<DateTime<Utc>>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match instant {
            Some(instant) => super::serde_text::serialize(instant, serializer),
            None => serializer.serialize_none(),
        }
    }

    /// Reads the instant where there is one.
    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<DateTime<Utc>>, D::Error> {
        #[derive(Deserialize)]
        struct Text(#[serde(with = "super::serde_text")] DateTime<Utc>);
        Ok(Option::<Text>::deserialize(deserializer)?.map(|text| text.0))
    }
}
