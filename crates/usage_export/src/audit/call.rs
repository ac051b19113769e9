//! What a caller asks to see of the audit trail: parsed parameters of `GET /audit`.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};

use crate::export::interval::{Interval, parse_end, parse_start};
use crate::export::request::Query;
use crate::problem::{FieldError, Problem};
use crate::timestamp;

/// Which events a caller wants to see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditCall {
    /// The user for whom the request acts.
    pub user_id: String,
    /// The events.
    pub wanted: WantedEvents,
}

/// Which events are wanted, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WantedEvents {
    /// A page of them.
    Page {
        /// Only those of this time.
        instants: Option<Instants>,
        /// Only those of this export.
        data_export_id: Option<String>,
        /// Where the page begins.
        cursor: Option<Cursor>,
    },
    /// All of this time as CSV.
    File(Instants),
}

/// From the first to the last millisecond, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Instants {
    /// The first millisecond.
    pub first: DateTime<Utc>,
    /// The last millisecond.
    pub last: DateTime<Utc>,
}

/// Where a page of events begins: behind the event with this sort key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor(pub(super) String);

impl Cursor {
    /// The text for a caller, which says nothing to them.
    pub fn to_text(&self) -> String {
        URL_SAFE_NO_PAD.encode(&self.0)
    }

    /// Reads what [`Cursor::to_text`] has written. `None` for any other text.
    ///
    /// ```
    /// use usage_export::audit::call::Cursor;
    /// let text = "MjAyNS0xMS0yM1QxMjoxMzoyMC4wMDBaI2xvZ18x";
    /// assert_eq!(Cursor::from_text(text).map(|cursor| cursor.to_text()).as_deref(), Some(text));
    /// assert_eq!(Cursor::from_text("next"), None);
    /// ```
    pub fn from_text(text: &str) -> Option<Self> {
        let key = String::from_utf8(URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
        let (instant, log_id) = key.split_once('#')?;
        timestamp::from_text(instant)?;
        (!log_id.is_empty() && key.len() <= 256).then_some(Self(key))
    }
}

impl AuditCall {
    /// Reads the parameters, as [`StatusCall::parse`](crate::export::request::StatusCall::parse) does.
    ///
    /// ```
    /// use usage_export::audit::call::AuditCall;
    /// let parse = |start| AuditCall::parse(|name| match name {
    ///     "user_id" => Some("usr_1"),
    ///     "start_date" => start,
    ///     _ => None,
    /// });
    /// assert!(parse(None).is_ok());
    /// assert_eq!(parse(Some("2025-01-01")).unwrap_err().errors[0].field, "end_date");
    /// ```
    ///
    /// # Errors
    ///
    /// A 400 that names every parameter at fault.
    pub fn parse<'a>(parameter: impl Fn(&str) -> Option<&'a str>) -> Result<Self, Problem> {
        let mut query = Query::new(parameter);
        let user_id = query.id("user_id");
        let is_file = query.flag("download");
        let instants = instants(&mut query, is_file);
        let data_export_id = query.given("data_export_id").then(|| query.id("data_export_id")).flatten();
        let cursor = query.parsed("cursor", |text| {
            Cursor::from_text(text).ok_or("is not the next_cursor of an earlier page")
        });
        for (name, is_given) in [("data_export_id", data_export_id.is_some()), ("cursor", cursor.is_some())] {
            if is_file && is_given {
                query.blame(name, "cannot be together with download: a file has every event of its time");
            }
        }
        if instants.is_some() && data_export_id.is_some() && !is_file {
            query.blame(
                "data_export_id",
                "cannot be together with start_date and end_date: an export has few events",
            );
        }
        let wanted = match instants {
            Some(instants) if is_file => WantedEvents::File(instants),
            _ => WantedEvents::Page { instants, data_export_id, cursor },
        };
        query.finish(user_id.map(|user_id| Self { user_id, wanted }))
    }
}

/// From `start_date` to `end_date`, which come together. A file needs them.
fn instants<'a>(query: &mut Query<impl Fn(&str) -> Option<&'a str>>, is_needed: bool) -> Option<Instants> {
    let is_wanted = is_needed || query.given("start_date") || query.given("end_date");
    for name in ["start_date", "end_date"] {
        if is_wanted && !query.given(name) {
            query.blame(name, "is required");
        }
    }
    let (start, end) = (query.parsed("start_date", parse_start), query.parsed("end_date", parse_end));
    match Interval::new(start?, end?) {
        Ok(interval) => Some(Instants { first: interval.start(), last: interval.end() }),
        Err(FieldError { field, message }) => {
            query.blame(&field, message);
            None
        }
    }
}
