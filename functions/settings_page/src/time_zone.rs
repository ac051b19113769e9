//! The time zone in which the days of a form are meant. The file stays in UTC.

use chrono::{DateTime, Datelike, Days, NaiveDate, TimeDelta, Utc};
use jiff::Timestamp;
use jiff::civil::{Date, Time};
use jiff::tz::AmbiguousOffset;

/// A time zone of the IANA database, which says when each of its days begins and ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimeZone(jiff::tz::TimeZone);

impl TimeZone {
    /// Coordinated universal time: the time zone of a form that says nothing else.
    pub const UTC: Self = Self(jiff::tz::TimeZone::UTC);

    /// The time zone of this name, such as `America/New_York`; `None` if the database has none. No name is UTC.
    pub fn from_name(name: &str) -> Option<Self> {
        if name.is_empty() { Some(Self::UTC) } else { jiff::tz::TimeZone::get(name).ok().map(Self) }
    }

    /// The time zone of this name, UTC where there is none.
    pub fn from_name_or_utc(name: Option<&str>) -> Self {
        name.and_then(Self::from_name).unwrap_or(Self::UTC)
    }

    /// Its name in the database.
    pub fn name(&self) -> &str {
        self.0.iana_name().unwrap_or("UTC")
    }

    /// The place that it is named after: `New York`.
    pub fn place(&self) -> String {
        self.name().rsplit('/').next().unwrap_or_default().replace('_', " ")
    }

    /// Whether its days are those of UTC.
    pub fn is_utc(&self) -> bool {
        *self == Self::UTC
    }

    /// The day on which an instant falls, that of UTC if it is outside the years -9999 to 9999.
    pub fn day_of(&self, instant: DateTime<Utc>) -> NaiveDate {
        let local =
            Timestamp::from_millisecond(instant.timestamp_millis()).map(|ts| self.0.to_datetime(ts).date());
        local.ok().and_then(to_chrono).unwrap_or_else(|| instant.date_naive())
    }

    /// The first instant of a day: midnight, or where a change of the clocks leaves midnight out, the instant of the change.
    /// `None` outside the years -9999 to 9999.
    pub fn first_instant(&self, day: NaiveDate) -> Option<DateTime<Utc>> {
        let midnight = to_jiff(day)?.to_datetime(Time::midnight());
        let first = match self.0.to_ambiguous_timestamp(midnight).offset() {
            AmbiguousOffset::Unambiguous { offset } | AmbiguousOffset::Fold { before: offset, .. } => {
                offset.to_timestamp(midnight).ok()?
            }
            // By the clocks after the change, midnight was before the change.
            AmbiguousOffset::Gap { after, .. } => {
                self.0.following(after.to_timestamp(midnight).ok()?).next()?.timestamp()
            }
        };
        DateTime::from_timestamp_millis(first.as_millisecond())
    }

    /// The last millisecond of a day.
    pub fn last_instant(&self, day: NaiveDate) -> Option<DateTime<Utc>> {
        let next = self.first_instant(day.checked_add_days(Days::new(1))?)?;
        next.checked_sub_signed(TimeDelta::milliseconds(1))
    }
}

fn to_jiff(day: NaiveDate) -> Option<Date> {
    let (month, of_month) = (i8::try_from(day.month()).ok()?, i8::try_from(day.day()).ok()?);
    Date::new(i16::try_from(day.year()).ok()?, month, of_month).ok()
}

fn to_chrono(day: Date) -> Option<NaiveDate> {
    let (month, of_month) = (u32::try_from(day.month()).ok()?, u32::try_from(day.day()).ok()?);
    NaiveDate::from_ymd_opt(i32::from(day.year()), month, of_month)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use usage_export::timestamp;

    use super::*;

    fn bounds(zone: &str, day: (i32, u32, u32)) -> (String, String) {
        let zone = TimeZone::from_name(zone).unwrap();
        let day = NaiveDate::from_ymd_opt(day.0, day.1, day.2).unwrap();
        let text = |instant: Option<DateTime<Utc>>| timestamp::to_text(instant.unwrap());
        (text(zone.first_instant(day)), text(zone.last_instant(day)))
    }

    #[test]
    fn a_day_has_the_hours_that_its_clocks_have() {
        let told = |zone, day, first: &str, last: &str| {
            assert_eq!(bounds(zone, day), (first.to_owned(), last.to_owned()), "{zone} {day:?}");
        };
        told("UTC", (2025, 1, 31), "2025-01-31T00:00:00.000Z", "2025-01-31T23:59:59.999Z");
        told("America/New_York", (2025, 1, 31), "2025-01-31T05:00:00.000Z", "2025-02-01T04:59:59.999Z");
        // 23 and 25 hours.
        told("Europe/Berlin", (2025, 3, 30), "2025-03-29T23:00:00.000Z", "2025-03-30T21:59:59.999Z");
        told("Europe/Berlin", (2025, 10, 26), "2025-10-25T22:00:00.000Z", "2025-10-26T22:59:59.999Z");
        // There was no midnight: the day began at one o'clock.
        told("America/Sao_Paulo", (2018, 11, 4), "2018-11-04T03:00:00.000Z", "2018-11-05T01:59:59.999Z");
        // At half past eleven the clocks went to half past twelve.
        told("America/Toronto", (1919, 3, 31), "1919-03-31T04:30:00.000Z", "1919-04-01T03:59:59.999Z");
        // There were two midnights: the day began at the first.
        told("America/Havana", (2024, 11, 3), "2024-11-03T04:00:00.000Z", "2024-11-04T04:59:59.999Z");
        // There was no such day.
        told("Pacific/Apia", (2011, 12, 30), "2011-12-30T10:00:00.000Z", "2011-12-30T09:59:59.999Z");
    }

    #[test]
    fn unknown_names_are_no_time_zones() {
        assert_eq!(TimeZone::from_name(""), Some(TimeZone::UTC));
        for name in ["utc+1", "Mars/Olympus_Mons", "../etc/passwd", "Europe/Berlin "] {
            assert_eq!(TimeZone::from_name(name), None, "{name}");
        }
    }

    proptest! {
        #[test]
        fn days_follow_each_other_without_a_gap(zone: proptest::sample::Index, days in 690_000..750_000_i32) {
            let names: Vec<_> = jiff::tz::db().available().collect();
            let zone = TimeZone::from_name(zone.get(&names).as_str()).unwrap();
            let day = NaiveDate::from_num_days_from_ce_opt(days).unwrap();
            let next = zone.first_instant(day.succ_opt().unwrap()).unwrap();
            prop_assert_eq!(zone.last_instant(day).unwrap() + TimeDelta::milliseconds(1), next);
            prop_assert!(zone.first_instant(day).unwrap() <= next);
            prop_assert_eq!(zone.day_of(next), day.succ_opt().unwrap());
        }
    }
}
