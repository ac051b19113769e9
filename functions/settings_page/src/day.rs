//! Days as people type and read them: `MM/DD/YYYY`.

use chrono::{Datelike as _, Month, NaiveDate};

/// Why a text is no day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DayError {
    /// It is not written as a day.
    Malformed,
    /// There is no month of this number.
    NoMonth(u32),
    /// The month, which is valid, does not have this day in this year.
    NoDay {
        /// 1 to 9999.
        year: i32,
        /// 1 to 12.
        month: u32,
        /// Not a day of that month.
        day: u32,
    },
}

/// Reads a day as people type it, `1/31/2025`, `01/31/2025` or `01312025`, or as browsers send it, `2025-01-31`.
///
/// # Errors
///
/// [`DayError`] for anything else: another format, a year that has not four digits, a day that the calendar lacks.
pub fn read(text: &str) -> Result<NaiveDate, DayError> {
    let text = text.trim();
    let is_of_day = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'/' | b'-');
    if text.len() > 10 || !text.bytes().all(is_of_day) {
        return Err(DayError::Malformed);
    }
    let [year, month, day] = parts(text).ok_or(DayError::Malformed)?;
    // A year of two digits does not tell the century.
    if year.len() != 4 || !(1..=2).contains(&month.len()) || !(1..=2).contains(&day.len()) {
        return Err(DayError::Malformed);
    }
    let (Ok(year), Ok(month), Ok(day)) = (year.parse(), month.parse(), day.parse()) else {
        return Err(DayError::Malformed);
    };
    match (year, month) {
        (0, _) => Err(DayError::Malformed),
        (_, 1..=12) => NaiveDate::from_ymd_opt(year, month, day).ok_or(DayError::NoDay { year, month, day }),
        (_, month) => Err(DayError::NoMonth(month)),
    }
}

/// Year, month and day, of one of the four ways in which a day is written.
fn parts(text: &str) -> Option<[&str; 3]> {
    let separator = match text.bytes().find(|byte| !byte.is_ascii_digit()) {
        None if text.len() == 8 => return Some([&text[4..], &text[..2], &text[2..4]]),
        None => return None,
        Some(separator) => char::from(separator),
    };
    let mut parts = text.split(separator);
    let found = [parts.next()?, parts.next()?, parts.next()?];
    if parts.next().is_some() {
        return None;
    }
    let [first, second, third] = found;
    Some(if separator == '/' { [third, first, second] } else { found })
}

impl DayError {
    /// What is wrong, in a sentence for whoever typed it.
    pub fn sentence(self) -> String {
        match self {
            Self::Malformed => "Enter a date as MM/DD/YYYY, such as 01/31/2025.".to_owned(),
            Self::NoMonth(month) => format!("There is no month {month}: months are 01 to 12."),
            Self::NoDay { year, month, day } => {
                let name = u8::try_from(month).ok().and_then(|month| Month::try_from(month).ok());
                let name = name.map_or("that month", |month| month.name());
                format!("There is no {name} {day} in {year}.")
            }
        }
    }
}

/// Writes a day as people read it: `01/31/2025`.
pub fn us(day: NaiveDate) -> String {
    format!("{:02}/{:02}/{:04}", day.month(), day.day(), day.year())
}

/// Writes a day as browsers send it: `2025-01-31`.
pub fn iso(day: NaiveDate) -> String {
    format!("{:04}-{:02}-{:02}", day.year(), day.month(), day.day())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_day_is_read_as_typed_and_as_browsers_send_it() {
        let day = NaiveDate::from_ymd_opt(2025, 1, 5).ok_or(DayError::Malformed);
        for text in ["01/05/2025", "1/5/2025", " 01/05/2025 ", "01052025", "2025-01-05"] {
            assert_eq!(read(text), day, "{text}");
        }
        for text in [
            "",
            "01/05/25",
            "2025/01/05",
            "01-05-2025",
            "01/05",
            "1/5/2025/1",
            "+1/5/2025",
            "01/05/0000",
            "1052025",
            "//2025",
            "01/05-2025",
        ] {
            assert_eq!(read(text), Err(DayError::Malformed), "{text}");
        }
    }

    #[test]
    fn a_day_that_the_calendar_lacks_is_named() {
        let told = |text| read(text).unwrap_err().sentence();
        assert_eq!(told("02/29/2023"), "There is no February 29 in 2023.");
        assert_eq!(told("4/31/2025"), "There is no April 31 in 2025.");
        assert_eq!(told("1/0/2025"), "There is no January 0 in 2025.");
        assert_eq!(told("31/01/2025"), "There is no month 31: months are 01 to 12.");
        assert_eq!(told("January"), "Enter a date as MM/DD/YYYY, such as 01/31/2025.");
    }

    proptest! {
        #[test]
        fn a_written_day_reads_back(days in 1..3_652_059_i32) {
            let day = NaiveDate::from_num_days_from_ce_opt(days).unwrap();
            prop_assert_eq!(read(&us(day)), Ok(day));
            prop_assert_eq!(read(&iso(day)), Ok(day));
        }

        #[test]
        fn reading_any_text_does_not_panic(text in "[0-9/-]{0,12}|\\PC{0,12}") {
            let _ = read(&text);
        }
    }
}
