//! When runs start: eighteen months with working hours, quiet weekends, busy month-ends and growth.

use std::time::Duration;

use chrono::{DateTime, Datelike, Days, Months, NaiveDate, NaiveTime, Utc, Weekday};
use fastrand::Rng;

use super::weighted::Weighted;
use crate::MONTHS;

/// How much more there is to run at the end of the period than at its start: two and a half times as much.
const GROWTH_PER_CENT: u64 = 150;

/// At which hour of the day (UTC) people start runs: a European working day with a dip at noon, then an American
/// afternoon. The numbers are relative weights.
const HOURS: [u64; 24] =
    [4, 3, 2, 2, 3, 5, 10, 30, 65, 95, 100, 92, 68, 80, 98, 100, 88, 62, 40, 28, 20, 14, 9, 6];

/// The days on which runs start, and how busy each of them is.
pub struct Calendar {
    first: NaiveDate,
    end: NaiveDate,
    days: Weighted,
    hours: Weighted,
}

impl Calendar {
    /// Covers the eighteen months before `end`. `end` itself has no runs.
    pub fn before(end: NaiveDate, rng: &mut Rng) -> Self {
        let first = end - MONTHS;
        let dates = || first.iter_days().take_while(|&date| date < end);
        let length: u64 = dates().map(|_| 1).sum();
        let weights = (0..).zip(dates()).map(|(nth, date)| {
            let growth = 100 + GROWTH_PER_CENT * nth / length;
            growth * weekday_weight(date) * month_end_weight(date) * rng.u64(85..=115)
        });
        Self { first, end, days: Weighted::new(weights), hours: Weighted::new(HOURS) }
    }

    /// The instant before which all runs start.
    pub fn end(&self) -> DateTime<Utc> {
        midnight(self.end)
    }

    /// Picks a day, busy ones more often.
    pub fn day(&self, rng: &mut Rng) -> NaiveDate {
        self.first + Days::new(self.days.pick(rng) as u64)
    }

    /// Picks a time of that day at which a person would start a run.
    pub fn time_by_hand(&self, day: NaiveDate, rng: &mut Rng) -> DateTime<Utc> {
        let hour = self.hours.pick(rng) as u64;
        midnight(day) + Duration::from_hours(hour) + Duration::from_millis(rng.u64(0..3_600_000))
    }

    /// The first day of the month after `day`; in the last month, the first day of that month. There are runs on both
    /// sides of it.
    pub fn month_boundary(&self, day: NaiveDate) -> NaiveDate {
        let beginning = day - Days::new(u64::from(day.day0()));
        let next = beginning + Months::new(1);
        if next < self.end { next } else { beginning }
    }
}

/// Picks a full hour of that day, by day or night. Every other time is up to 400 ms late, as schedulers are.
pub fn time_by_schedule(day: NaiveDate, rng: &mut Rng) -> DateTime<Utc> {
    let delay = if rng.bool() { rng.u64(1..400) } else { 0 };
    midnight(day) + Duration::from_hours(rng.u64(0..24)) + Duration::from_millis(delay)
}

/// The instant at which `day` begins.
pub fn midnight(day: NaiveDate) -> DateTime<Utc> {
    day.and_time(NaiveTime::MIN).and_utc()
}

fn weekday_weight(date: NaiveDate) -> u64 {
    match date.weekday() {
        Weekday::Sat => 16,
        Weekday::Sun => 12,
        Weekday::Fri => 85,
        Weekday::Mon => 95,
        Weekday::Tue | Weekday::Wed | Weekday::Thu => 100,
    }
}

/// The last two days and the first day of a month are busier, because books are closed then.
fn month_end_weight(date: NaiveDate) -> u64 {
    let in_two_days = date + Days::new(2);
    if in_two_days.month() != date.month() {
        170
    } else if date.day() == 1 {
        130
    } else {
        100
    }
}
