//! The export form: what was typed into it, what is wrong with it, and the request that it makes.

use std::collections::BTreeSet;

use chrono::{DateTime, Days, NaiveDate, Utc};
use serde_json::{Value, json};
use usage_export::export::DataExport;
use usage_export::export::request::{ExportCall, ExportRequest, MAX_IDS, NamedIds, RequestSummary};
use usage_export::problem::Problem;
use usage_export::usage::FIELDS;
use uuid::Uuid;

use crate::day;

mod errors;

pub use errors::FormErrors;

/// The largest form that is read, in bytes. A form that selects [`MAX_IDS`] workspaces by ids of some 40 bytes has a
/// tenth of it.
const MAX_FORM_BYTES: usize = 2 * 1024 * 1024;

/// The longest input, in characters. Valid dates and ids are shorter. Of a longer input one character more is kept, so
/// that it is refused and not cut to something valid.
const MAX_INPUT_CHARS: usize = 256;

/// How many days an empty form selects, today included.
const DEFAULT_DAYS: u64 = 30;

/// What the form holds: what was typed into it, as it was typed, and what is wrong with it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExportForm {
    /// Random and part of the form, so that a form sent twice makes one export.
    pub idempotency_key: String,
    /// First day, as typed.
    pub start_date: String,
    /// Last day, as typed.
    pub end_date: String,
    /// Whether every workspace is selected, the personal ones too.
    pub all_workspaces: bool,
    /// Whether the members' personal workspaces are selected.
    pub personal_workspaces: bool,
    /// Ids of the selected workspaces.
    pub workspace_ids: BTreeSet<String>,
    /// Ids of workbooks: only their runs are exported. The page has no input for them; they come from an earlier export
    /// that a program asked for.
    pub entity_ids: BTreeSet<String>,
    /// Ids of the selected fields.
    pub fields: BTreeSet<String>,
    /// What is wrong with it.
    pub errors: FormErrors,
    /// What differs from the earlier export that the form was filled from.
    pub note: Option<String>,
}

/// The request that a form makes.
#[derive(Debug)]
pub struct ParsedForm {
    /// What the form asks for.
    pub request: ExportRequest,
    /// The body that a program would have sent for it. The idempotency record is about this body.
    pub body: Value,
}

impl ExportForm {
    /// The form before anything was typed: the last 30 days, all workspaces, every field.
    pub fn blank(now: DateTime<Utc>) -> Self {
        let today = now.date_naive();
        Self {
            idempotency_key: Uuid::new_v4().to_string(),
            start_date: day::iso(today - Days::new(DEFAULT_DAYS - 1)),
            end_date: day::iso(today),
            all_workspaces: true,
            fields: FIELDS.iter().map(|info| info.id.to_owned()).collect(),
            ..Self::default()
        }
    }

    /// The form filled with what an earlier export was asked for. `ids` are those that its request names, if they are still known.
    pub fn from_export(export: &DataExport, ids: Option<NamedIds>) -> Self {
        let RequestSummary { fields, interval, scope } = &export.request;
        let mut notes = Vec::new();
        if !day::is_whole(*interval) {
            let range = day::range(*interval);
            notes.push(format!("The earlier export covered {range}. This form exports whole days."));
        }
        if !fields.is_sorted_by_key(|field| FIELDS.iter().position(|info| info.field == *field)) {
            notes.push("The earlier export had its columns in another order than this form.".to_owned());
        }
        if ids.is_none() {
            notes.push(
                "The workspaces and workbooks of the earlier export are not known any more.".to_owned(),
            );
        }
        let all_workspaces = ids.is_some() && scope.looks_everywhere();
        let NamedIds { workspace_ids, entity_ids } = ids.unwrap_or_default();
        Self {
            idempotency_key: Uuid::new_v4().to_string(),
            start_date: day::iso(interval.start().date_naive()),
            end_date: day::iso(interval.end().date_naive()),
            all_workspaces,
            personal_workspaces: scope.personal_workspaces,
            workspace_ids,
            entity_ids,
            fields: fields.iter().map(|field| field.id().to_owned()).collect(),
            note: (!notes.is_empty()).then(|| notes.join(" ")),
            ..Self::default()
        }
    }

    /// Reads the body that the browser sent. Inputs that the form does not have are ignored.
    ///
    /// # Errors
    ///
    /// 400 for a body of more than 2 MiB, which no form of the page reaches.
    pub fn read(body: &[u8]) -> Result<Self, Problem> {
        if body.len() > MAX_FORM_BYTES {
            return Err(Problem::field("form", format!("is larger than {MAX_FORM_BYTES} bytes")));
        }
        let mut form = Self::default();
        for (name, value) in form_urlencoded::parse(body) {
            let value: String = value.chars().take(MAX_INPUT_CHARS + 1).collect();
            match &*name {
                "idempotency_key" => form.idempotency_key = value,
                "start_date" => form.start_date = value,
                "end_date" => form.end_date = value,
                "workspaces" => form.all_workspaces = value == "all",
                "include_personal_workspaces" => form.personal_workspaces = true,
                "workspace_ids" => drop(form.workspace_ids.insert(value)),
                "entity_ids" => drop(form.entity_ids.insert(value)),
                "export_fields" => drop(form.fields.insert(value)),
                _ => {}
            }
        }
        Ok(form)
    }

    /// Makes a request of the form, for this user. [`ExportCall`] parses it as it parses a program's, so page and API
    /// take the same requests.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with the form, in the words of the page.
    pub fn parse(&self, user_id: &str) -> Result<ParsedForm, FormErrors> {
        let mut errors = FormErrors::default();
        let start = read_day(&self.start_date, &mut errors.start_date, "start");
        let end = read_day(&self.end_date, &mut errors.end_date, "end");
        if let (Some(start), Some(end)) = (start, end)
            && end < start
        {
            errors.end_date = Some("The end date must be on or after the start date.".to_owned());
        }
        if !self.all_workspaces && !self.personal_workspaces && self.workspace_ids.is_empty() {
            errors.workspaces =
                Some("Select at least one workspace, or include personal workspaces.".to_owned());
        }
        if self.workspace_ids.len() > MAX_IDS && !self.all_workspaces {
            errors.workspaces = Some(format!("Select at most {MAX_IDS} workspaces, or choose all of them."));
        }
        if self.fields.is_empty() {
            errors.fields = Some("Select at least one field.".to_owned());
        }
        let (Some(start), Some(end), true) = (start, end, errors.is_empty()) else { return Err(errors) };
        let body = self.body(user_id, start, end);
        match ExportCall::parse(body.to_string().as_bytes()) {
            Ok(call) => Ok(ParsedForm { request: call.request, body }),
            Err(problem) => Err(FormErrors::from_problem(&problem)),
        }
    }

    /// The body that a program would send for the form. The order of the columns is that of the page.
    fn body(&self, user_id: &str, start: NaiveDate, end: NaiveDate) -> Value {
        let known = FIELDS.iter().map(|info| info.id).filter(|id| self.fields.contains(*id));
        let unknown =
            self.fields.iter().map(String::as_str).filter(|id| FIELDS.iter().all(|info| info.id != *id));
        let workspace_ids = if self.all_workspaces { BTreeSet::new() } else { self.workspace_ids.clone() };
        json!({
            "user_id": user_id,
            "export_fields": known.chain(unknown).collect::<Vec<_>>(),
            "start_date": day::iso(start),
            "end_date": day::iso(end),
            "include_all_workspaces": self.all_workspaces,
            "include_personal_workspaces": self.personal_workspaces,
            "workspace_ids": workspace_ids,
            "entity_ids": self.entity_ids,
        })
    }
}

/// Reads a date input; `which` names it in the error.
fn read_day(text: &str, error: &mut Option<String>, which: &str) -> Option<NaiveDate> {
    let read = day::read(text);
    if read.is_none() {
        *error = Some(if text.trim().is_empty() {
            format!("Enter the {which} date.")
        } else {
            "Enter a date as MM/DD/YYYY, such as 01/31/2025.".to_owned()
        });
    }
    read
}

#[cfg(test)]
mod tests;
