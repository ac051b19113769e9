//! Parsed parameters of `GET /export_status` and `GET /exports`.

use super::check_id;
use crate::export::created_ts_of_id;
use crate::problem::{FieldError, Problem};

/// Which export a caller asks about, and what they want of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusCall {
    /// The user for whom the request acts.
    pub user_id: String,
    /// The export.
    pub data_export_id: String,
    /// What the answer is, once the export is completed.
    pub wanted: Wanted,
}

/// What a caller wants to have of a completed export.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// How it stands.
    Status,
    /// Its file.
    File,
    /// The manifest of its file.
    Manifest,
}

impl StatusCall {
    /// Reads the parameters; `parameter` gives the decoded value of one by its name, the first if there are several.
    ///
    /// ```
    /// use usage_export::export::request::{StatusCall, Wanted};
    /// let call = StatusCall::parse(|name| match name {
    ///     "user_id" => Some("usr_1"),
    ///     "data_export_id" => Some("019ab0a2-0700-7000-8000-000000000001"),
    ///     "download" => Some("true"),
    ///     _ => None,
    /// });
    /// assert_eq!(call.unwrap().wanted, Wanted::File);
    /// ```
    ///
    /// # Errors
    ///
    /// A 400 that names every parameter at fault.
    pub fn parse<'a>(parameter: impl Fn(&str) -> Option<&'a str>) -> Result<Self, Problem> {
        let mut query = Query::new(parameter);
        let (user_id, data_export_id) = (query.id("user_id"), query.id("data_export_id"));
        let wanted = match (query.flag("download"), query.flag("manifest")) {
            (true, true) => {
                let message = "cannot be true together with download: ask twice";
                query.errors.push(FieldError::new("manifest", message));
                Wanted::Status
            }
            (true, false) => Wanted::File,
            (false, true) => Wanted::Manifest,
            (false, false) => Wanted::Status,
        };
        match (user_id, data_export_id) {
            (Some(user_id), Some(data_export_id)) if query.errors.is_empty() => {
                Ok(Self { user_id, data_export_id, wanted })
            }
            _ => Err(Problem::fields(query.errors)),
        }
    }
}

/// Which exports a caller wants to see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryCall {
    /// The user for whom the request acts.
    pub user_id: String,
    /// The last export of the page before; `None` for the first page.
    pub cursor: Option<String>,
    /// Only exports that this user asked for.
    pub mine: bool,
}

impl HistoryCall {
    /// Reads the parameters, as [`StatusCall::parse`] does.
    ///
    /// ```
    /// use usage_export::export::request::HistoryCall;
    /// let parse = |cursor| HistoryCall::parse(|name| match name {
    ///     "user_id" => Some("usr_1"),
    ///     "cursor" => cursor,
    ///     _ => None,
    /// });
    /// assert!(parse(None).is_ok() && parse(Some("019ab0a2-0700-7000-8000-000000000001")).is_ok());
    /// assert_eq!(parse(Some("")).unwrap_err().errors[0].field, "cursor");
    /// ```
    ///
    /// # Errors
    ///
    /// A 400 that names every parameter at fault.
    pub fn parse<'a>(parameter: impl Fn(&str) -> Option<&'a str>) -> Result<Self, Problem> {
        let mut query = Query::new(parameter);
        let user_id = query.id("user_id");
        let mine = query.flag("mine");
        let cursor = (query.parameter)("cursor");
        if cursor.is_some_and(|cursor| created_ts_of_id(cursor).is_none()) {
            query.errors.push(FieldError::new("cursor", "is not the next_cursor of an earlier page"));
        }
        match user_id {
            Some(user_id) if query.errors.is_empty() => {
                Ok(Self { user_id, cursor: cursor.map(str::to_owned), mine })
            }
            _ => Err(Problem::fields(query.errors)),
        }
    }
}

/// Reads one parameter after the other and collects what is wrong, so that a caller learns of every fault at once.
pub(crate) struct Query<P> {
    parameter: P,
    errors: Vec<FieldError>,
}

impl<'a, P: Fn(&str) -> Option<&'a str>> Query<P> {
    pub(crate) fn new(parameter: P) -> Self {
        Self { parameter, errors: Vec::new() }
    }

    /// Adds a fault.
    pub(crate) fn blame(&mut self, name: &str, message: impl Into<String>) {
        self.errors.push(FieldError::new(name, message));
    }

    /// Whether the parameter was sent, empty or not.
    pub(crate) fn given(&self, name: &str) -> bool {
        (self.parameter)(name).is_some()
    }

    /// A parameter that may be absent.
    pub(crate) fn parsed<T, E: Into<String>>(
        &mut self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        parse((self.parameter)(name)?).map_err(|message| self.blame(name, message)).ok()
    }

    /// What was read, unless something was wrong.
    pub(crate) fn finish<T>(self, read: Option<T>) -> Result<T, Problem> {
        match read {
            Some(read) if self.errors.is_empty() => Ok(read),
            _ => Err(Problem::fields(self.errors)),
        }
    }

    pub(crate) fn flag(&mut self, name: &str) -> bool {
        match (self.parameter)(name) {
            None | Some("false") => false,
            Some("true") => true,
            Some(_) => {
                self.errors.push(FieldError::new(name, "must be true or false"));
                false
            }
        }
    }

    pub(crate) fn id(&mut self, name: &str) -> Option<String> {
        let Some(id) = (self.parameter)(name).filter(|value| !value.trim().is_empty()) else {
            self.errors.push(FieldError::new(name, "is required"));
            return None;
        };
        check_id(name, id).map_err(|error| self.errors.push(error)).ok()?;
        Some(id.to_owned())
    }
}
