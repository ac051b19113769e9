//! Reads the parameters of a request and collects what is wrong with them.

use chrono::{DateTime, Utc};
use lambda_http::{Request, RequestExt};
use usage_export::audit::read::{Cursor, Instants};
use usage_export::export::created_ts_of_id;
use usage_export::export::interval::{Interval, parse_end, parse_start};
use usage_export::export::request::check_id;
use usage_export::problem::{FieldError, Problem};

const NO_CURSOR: &str = "is not the next_cursor of an earlier page";

/// The parameters of `GET /exports`.
pub struct HistoryQuery {
    pub cursor: Option<String>,
    /// Only exports of this user.
    pub mine: bool,
}

/// The parameters of `GET /audit`.
pub struct AuditQuery {
    /// Only events of this time.
    pub interval: Option<Instants>,
    /// Only events of this export.
    pub data_export_id: Option<String>,
    pub cursor: Option<Cursor>,
    /// All of the interval, as CSV.
    pub is_file: bool,
}

/// What a caller wants to know of an export.
#[derive(Debug, Clone, Copy)]
pub enum Wanted {
    Status,
    File,
    Manifest,
}

/// Reads the parameters of a request and collects what is wrong with them.
pub struct Query<'a> {
    request: &'a Request,
    errors: Vec<FieldError>,
}

impl<'a> Query<'a> {
    /// The parameters of this request.
    pub fn of(request: &'a Request) -> Self {
        Self { request, errors: Vec::new() }
    }

    /// The parameters of `GET /export_status`: the user, the export, and what of it is wanted.
    pub fn status(mut self) -> Result<(String, (String, Wanted)), Problem> {
        let user_id = self.id("user_id");
        let data_export_id = self.id("data_export_id");
        let wanted = match (self.flag("download"), self.flag("manifest")) {
            (false, false) => Wanted::Status,
            (true, false) => Wanted::File,
            (false, true) => Wanted::Manifest,
            (true, true) => {
                self.errors
                    .push(FieldError::new("manifest", "cannot be true together with download: ask twice"));
                Wanted::Status
            }
        };
        match (user_id, data_export_id) {
            (Some(user_id), Some(data_export_id)) if self.errors.is_empty() => {
                Ok((user_id, (data_export_id, wanted)))
            }
            _ => Err(Problem::fields(self.errors)),
        }
    }

    /// The parameters of `GET /exports`, after the user.
    pub fn history(mut self) -> Result<(String, HistoryQuery), Problem> {
        let user_id = self.id("user_id");
        let mine = self.flag("mine");
        let cursor = self.value("cursor").filter(|cursor| !cursor.is_empty());
        if cursor.as_deref().is_some_and(|cursor| created_ts_of_id(cursor).is_none()) {
            self.errors.push(FieldError::new("cursor", NO_CURSOR));
        }
        match user_id {
            Some(user_id) if self.errors.is_empty() => Ok((user_id, HistoryQuery { cursor, mine })),
            _ => Err(Problem::fields(self.errors)),
        }
    }

    /// The parameters of `GET /audit`, after the user.
    pub fn audit(mut self) -> Result<(String, AuditQuery), Problem> {
        let user_id = self.id("user_id");
        let start = self.parsed("start_date", parse_start);
        let end = self.parsed("end_date", parse_end);
        let data_export_id =
            self.value("data_export_id").is_some().then(|| self.id("data_export_id")).flatten();
        let cursor =
            self.parsed("cursor", |text| Cursor::from_text(text).ok_or_else(|| NO_CURSOR.to_owned()));
        let is_file = self.flag("download");
        let interval = self.interval(start, end, is_file);
        if is_file && (data_export_id.is_some() || cursor.is_some()) {
            let message =
                "goes with user_id, start_date and end_date only: a file has every event of that time";
            self.errors.push(FieldError::new("download", message));
        }
        if interval.is_some() && data_export_id.is_some() {
            let message = "cannot be together with start_date and end_date: an export has few events";
            self.errors.push(FieldError::new("data_export_id", message));
        }
        match user_id {
            Some(user_id) if self.errors.is_empty() => {
                Ok((user_id, AuditQuery { interval, data_export_id, cursor, is_file }))
            }
            _ => Err(Problem::fields(self.errors)),
        }
    }

    /// From `start_date` to `end_date`, which come together. A file needs them.
    fn interval(
        &mut self,
        start: Option<DateTime<Utc>>,
        end: Option<DateTime<Utc>>,
        is_needed: bool,
    ) -> Option<Instants> {
        let is_wanted = is_needed || ["start_date", "end_date"].iter().any(|name| self.value(name).is_some());
        if is_wanted {
            let _ = self.required("start_date");
            let _ = self.required("end_date");
        }
        let interval = Interval::new(start?, end?).map_err(|error| self.errors.push(error)).ok()?;
        Some(Instants { first: interval.start(), last: interval.end() })
    }

    /// A parameter that may be absent.
    fn parsed<T>(&mut self, name: &str, parse: impl FnOnce(&str) -> Result<T, String>) -> Option<T> {
        let text = self.value(name).filter(|text| !text.is_empty())?;
        parse(&text).map_err(|message| self.errors.push(FieldError::new(name, message))).ok()
    }

    fn flag(&mut self, name: &str) -> bool {
        match self.value(name).as_deref() {
            None | Some("false") => false,
            Some("true") => true,
            Some(_) => {
                self.errors.push(FieldError::new(name, "must be true or false"));
                false
            }
        }
    }

    fn value(&self, name: &str) -> Option<String> {
        self.request.query_string_parameters_ref()?.first(name).map(str::to_owned)
    }

    fn id(&mut self, name: &str) -> Option<String> {
        let id = self.required(name)?;
        check_id(name, &id).map_err(|error| self.errors.push(error)).ok()?;
        Some(id)
    }

    fn required(&mut self, name: &str) -> Option<String> {
        let value = self.value(name).filter(|value| !value.trim().is_empty());
        if value.is_none() {
            self.errors.push(FieldError::new(name, "is required"));
        }
        value
    }
}
