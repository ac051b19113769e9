//! The time zone in which the days of a form are meant. The file stays in UTC.

use chrono::{DateTime, Days, MappedLocalTime, NaiveDate, NaiveTime, TimeDelta, TimeZone as _, Utc};
use chrono_tz::Tz;

/// The longest time without a valid local time is a whole day: Samoa had no December 30, 2011.
const LONGEST_GAP: TimeDelta = TimeDelta::hours(25);

/// All gaps of the time zone database begin and end at whole quarters of an hour.
const STEP: TimeDelta = TimeDelta::minutes(15);

/// A time zone of the IANA database, which says when each of its days begins and ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeZone(Tz);

impl TimeZone {
    /// Coordinated universal time: the time zone of a form that says nothing else.
    pub const UTC: Self = Self(Tz::UTC);

    /// The time zone of this name, such as `America/New_York`; `None` if the database has none. No name is UTC.
    pub fn from_name(name: &str) -> Option<Self> {
        if name.is_empty() { Some(Self::UTC) } else { name.parse().ok().map(Self) }
    }

    /// Its name in the database.
    pub fn name(self) -> &'static str {
        self.0.name()
    }

    /// The place that it is named after: `New York`.
    pub fn place(self) -> String {
        self.name().rsplit('/').next().unwrap_or_default().replace('_', " ")
    }

    /// Whether its days are those of UTC.
    pub fn is_utc(self) -> bool {
        self == Self::UTC
    }

    /// The day on which an instant falls.
    pub fn day_of(self, instant: DateTime<Utc>) -> NaiveDate {
        instant.with_timezone(&self.0).date_naive()
    }

    /// The first instant of a day: midnight, or where a change of the clocks leaves midnight out, the instant of the change.
    /// `None` outside the time that can be counted.
    pub fn first_instant(self, day: NaiveDate) -> Option<DateTime<Utc>> {
        let mut local = day.and_time(NaiveTime::MIN);
        let latest = local.checked_add_signed(LONGEST_GAP)?;
        while local <= latest {
            match self.0.from_local_datetime(&local) {
                MappedLocalTime::Single(instant) | MappedLocalTime::Ambiguous(instant, _) => {
                    return Some(instant.to_utc());
                }
                MappedLocalTime::None => local = local.checked_add_signed(STEP)?,
            }
        }
        None
    }

    /// The last millisecond of a day.
    pub fn last_instant(self, day: NaiveDate) -> Option<DateTime<Utc>> {
        let next = self.first_instant(day.checked_add_days(Days::new(1))?)?;
        next.checked_sub_signed(TimeDelta::milliseconds(1))
    }
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
        fn days_follow_each_other_without_a_gap(zone in 0..chrono_tz::TZ_VARIANTS.len(), days in 700_000..750_000_i32) {
            let zone = TimeZone(chrono_tz::TZ_VARIANTS[zone]);
            let day = NaiveDate::from_num_days_from_ce_opt(days).unwrap();
            let next = zone.first_instant(day.succ_opt().unwrap()).unwrap();
            prop_assert_eq!(zone.last_instant(day).unwrap() + TimeDelta::milliseconds(1), next);
            prop_assert!(zone.first_instant(day).unwrap() <= next);
            prop_assert_eq!(zone.day_of(next), day.succ_opt().unwrap());
        }
    }
}
