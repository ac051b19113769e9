//! The UTC month of a partition of usage records.

use std::str::FromStr;

use chrono::{DateTime, Datelike, NaiveDate, NaiveTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::timestamp;

/// A UTC month. The records of one workspace and month are a partition. Months are ordered by time. Its text is that of a
/// partition key, also in JSON.
///
/// ```
/// use usage_export::usage::Month;
/// let month: Month = "2025-01".parse()?;
/// assert_eq!(serde_json::to_string(&month)?, r#""2025-01""#);
/// for text in ["2025-1", "2025-13", "2025-00", "25-01", "2025-01-01", "+025-01"] {
///     assert!(text.parse::<Month>().is_err(), "{text}");
/// }
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Month {
    year: i32,
    month: u32,
}

impl Month {
    /// The UTC month of an instant.
    ///
    /// ```
    /// use usage_export::timestamp::from_text;
    /// use usage_export::usage::Month;
    /// let month = Month::of(from_text("2024-12-31T23:59:59.999Z").unwrap());
    /// assert_eq!(month.to_string(), "2024-12");
    /// ```
    pub fn of(instant: DateTime<Utc>) -> Self {
        Self { year: instant.year(), month: instant.month() }
    }

    /// The month after this one.
    ///
    /// ```
    /// use usage_export::timestamp::from_text;
    /// use usage_export::usage::Month;
    /// let month = Month::of(from_text("2024-12-31T23:59:59.999Z").unwrap());
    /// assert_eq!(month.next().to_string(), "2025-01");
    /// ```
    #[must_use]
    pub fn next(self) -> Self {
        if self.month == 12 {
            Self { year: self.year + 1, month: 1 }
        } else {
            Self { month: self.month + 1, ..self }
        }
    }

    /// The month so many months after this one.
    ///
    /// ```
    /// use usage_export::usage::Month;
    /// let november: Month = "2024-11".parse()?;
    /// assert_eq!(november.plus(14).to_string(), "2026-01");
    /// assert_eq!(november.plus(14).since(november), 14);
    /// # Ok::<(), usage_export::usage::ParseMonthError>(())
    /// ```
    #[must_use]
    pub fn plus(self, months: u32) -> Self {
        let number = self.number() + i64::from(months);
        let month = u32::try_from(number.rem_euclid(12)).unwrap_or_default() + 1;
        Self { year: i32::try_from(number.div_euclid(12)).unwrap_or(i32::MAX), month }
    }

    /// How many months this one is after an earlier one; 0 if the other is not earlier.
    pub fn since(self, earlier: Self) -> u32 {
        u32::try_from(self.number() - earlier.number()).unwrap_or_default()
    }

    /// The count of months since that of the year 0.
    fn number(self) -> i64 {
        i64::from(self.year) * 12 + i64::from(self.month) - 1
    }

    /// The first millisecond of the month.
    ///
    /// ```
    /// use usage_export::timestamp::to_text;
    /// use usage_export::usage::Month;
    /// let month: Month = "2024-12".parse()?;
    /// assert_eq!(to_text(month.start()), "2024-12-01T00:00:00.000Z");
    /// assert_eq!(to_text(month.end()), "2024-12-31T23:59:59.999Z");
    /// # Ok::<(), usage_export::usage::ParseMonthError>(())
    /// ```
    pub fn start(self) -> DateTime<Utc> {
        let first_day = NaiveDate::from_ymd_opt(self.year, self.month, 1).unwrap_or_default();
        first_day.and_time(NaiveTime::MIN).and_utc()
    }

    /// The last millisecond of the month.
    pub fn end(self) -> DateTime<Utc> {
        self.next().start() - TimeDelta::milliseconds(1)
    }
}

/// A text that is not a month such as `2025-01`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a month such as 2025-01")]
pub struct ParseMonthError;

impl FromStr for Month {
    type Err = ParseMonthError;

    fn from_str(text: &str) -> Result<Self, ParseMonthError> {
        let first_day = timestamp::from_text(&format!("{text}-01T00:00:00.000Z"));
        first_day.map(Self::of).ok_or(ParseMonthError)
    }
}

impl TryFrom<String> for Month {
    type Error = ParseMonthError;

    fn try_from(text: String) -> Result<Self, ParseMonthError> {
        text.parse()
    }
}

impl From<Month> for String {
    fn from(month: Month) -> Self {
        month.to_string()
    }
}

impl std::fmt::Display for Month {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{:04}-{:02}", self.year, self.month)
    }
}
