//! Ranges of days that one press of a button selects.

use chrono::{Datelike as _, Days, Months, NaiveDate};

/// A range of days that is counted from today.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DatePreset {
    /// From the first of the month to today.
    ThisMonth,
    /// The whole month before.
    LastMonth,
    /// From the first of the quarter to today.
    ThisQuarter,
    /// The whole quarter before.
    LastQuarter,
    /// From January 1 to today.
    YearToDate,
    /// The whole year before.
    LastYear,
    /// Today and the 29 days before.
    Last30Days,
    /// Today and the 89 days before.
    Last90Days,
    /// From the organization's first day to today.
    AllTime,
}

impl DatePreset {
    /// In the order of the page.
    pub const ALL: [Self; 9] = [
        Self::ThisMonth,
        Self::LastMonth,
        Self::ThisQuarter,
        Self::LastQuarter,
        Self::YearToDate,
        Self::LastYear,
        Self::Last30Days,
        Self::Last90Days,
        Self::AllTime,
    ];

    /// The preset with this id.
    pub fn from_id(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|preset| preset.id() == id)
    }

    /// Its name in forms.
    pub fn id(self) -> &'static str {
        match self {
            Self::ThisMonth => "this_month",
            Self::LastMonth => "last_month",
            Self::ThisQuarter => "this_quarter",
            Self::LastQuarter => "last_quarter",
            Self::YearToDate => "year_to_date",
            Self::LastYear => "last_year",
            Self::Last30Days => "last_30_days",
            Self::Last90Days => "last_90_days",
            Self::AllTime => "all_time",
        }
    }

    /// The text of its button.
    pub fn label(self) -> &'static str {
        match self {
            Self::ThisMonth => "This month",
            Self::LastMonth => "Last month",
            Self::ThisQuarter => "This quarter",
            Self::LastQuarter => "Last quarter",
            Self::YearToDate => "Year to date",
            Self::LastYear => "Last year",
            Self::Last30Days => "Last 30 days",
            Self::Last90Days => "Last 90 days",
            Self::AllTime => "All time",
        }
    }

    /// Its first and its last day. `first_day` is the first on which the organization can have runs.
    pub fn range(self, today: NaiveDate, first_day: NaiveDate) -> (NaiveDate, NaiveDate) {
        let month = today.with_day(1).unwrap_or(today);
        let quarter = month - Months::new(month.month0() % 3);
        let year = month - Months::new(month.month0());
        let until = |start: NaiveDate| start.pred_opt().unwrap_or(start);
        match self {
            Self::ThisMonth => (month, today),
            Self::LastMonth => (month - Months::new(1), until(month)),
            Self::ThisQuarter => (quarter, today),
            Self::LastQuarter => (quarter - Months::new(3), until(quarter)),
            Self::YearToDate => (year, today),
            Self::LastYear => (year - Months::new(12), until(year)),
            Self::Last30Days => (today - Days::new(29), today),
            Self::Last90Days => (today - Days::new(89), today),
            Self::AllTime => (first_day.min(today), today),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::day;

    #[test]
    fn ranges_are_counted_from_today() {
        let at = |text: &str, preset: DatePreset| {
            let (start, end) = preset.range(day::read(text).unwrap(), day::read("05/17/2021").unwrap());
            format!("{} {}", day::us(start), day::us(end))
        };
        assert_eq!(at("03/31/2024", DatePreset::ThisMonth), "03/01/2024 03/31/2024");
        assert_eq!(at("03/31/2024", DatePreset::LastMonth), "02/01/2024 02/29/2024");
        assert_eq!(at("01/01/2025", DatePreset::LastMonth), "12/01/2024 12/31/2024");
        assert_eq!(at("05/15/2024", DatePreset::ThisQuarter), "04/01/2024 05/15/2024");
        assert_eq!(at("02/15/2024", DatePreset::LastQuarter), "10/01/2023 12/31/2023");
        assert_eq!(at("12/31/2024", DatePreset::YearToDate), "01/01/2024 12/31/2024");
        assert_eq!(at("12/31/2024", DatePreset::LastYear), "01/01/2023 12/31/2023");
        assert_eq!(at("01/30/2024", DatePreset::Last30Days), "01/01/2024 01/30/2024");
        assert_eq!(at("03/30/2024", DatePreset::Last90Days), "01/01/2024 03/30/2024");
        assert_eq!(at("03/30/2024", DatePreset::AllTime), "05/17/2021 03/30/2024");
        assert_eq!(at("03/30/2020", DatePreset::AllTime), "03/30/2020 03/30/2020");
    }

    #[test]
    fn an_id_names_its_preset() {
        for preset in DatePreset::ALL {
            assert_eq!(DatePreset::from_id(preset.id()), Some(preset));
        }
        assert_eq!(DatePreset::from_id("tomorrow"), None);
    }
}
