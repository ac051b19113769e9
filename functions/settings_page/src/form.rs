//! The export form: what was typed into it, what is wrong with it, and the request that it makes.

use std::collections::BTreeSet;

use chrono::{DateTime, Days, NaiveDate, Utc};
use serde_json::{Value, json};
use usage_export::export::DataExport;
use usage_export::export::request::{ExportCall, ExportRequest, MAX_IDS};
use usage_export::problem::Problem;
use usage_export::usage::FIELDS;
use uuid::Uuid;

use crate::day;

/// The largest form: 5,000 ids of the longest kind would not fit, ids as they are do ten times.
const MAX_FORM_BYTES: usize = 2 * 1024 * 1024;

/// The longest text of one input that is looked at.
const MAX_TEXT_CHARS: usize = 256;

/// Days of a form that nobody has touched.
const DEFAULT_DAYS: u64 = 30;

/// What the form holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportForm {
    /// Makes sending the form twice one export.
    pub idempotency_key: String,
    /// As typed.
    pub start_date: String,
    /// As typed.
    pub end_date: String,
    /// Every workspace, the personal ones too.
    pub all_workspaces: bool,
    /// The members' personal workspaces.
    pub personal_workspaces: bool,
    /// The chosen workspaces.
    pub workspace_ids: BTreeSet<String>,
    /// Only runs of these workbooks. The page has no control for them: they come from an export made by a program that
    /// is tried again.
    pub entity_ids: BTreeSet<String>,
    /// Ids of the chosen fields.
    pub fields: BTreeSet<String>,
    /// What is wrong, beside the input that can mend it.
    pub errors: FormErrors,
    /// What was changed about an export that is tried again.
    pub note: Option<String>,
}

/// A sentence for each step that has something wrong with it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FormErrors {
    /// Not about one step.
    pub form: Option<String>,
    /// About the first day.
    pub start_date: Option<String>,
    /// About the last day.
    pub end_date: Option<String>,
    /// About the workspaces.
    pub workspaces: Option<String>,
    /// About the fields.
    pub fields: Option<String>,
}

impl FormErrors {
    /// Whether the form can be sent.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// A request and the body that a program would have sent for it.
#[derive(Debug)]
pub struct Parsed {
    /// What is asked for.
    pub request: ExportRequest,
    /// Tells one request from another.
    pub body: Value,
}

impl ExportForm {
    /// The form as it greets people: the last 30 days, everywhere, every field.
    pub fn blank(now: DateTime<Utc>) -> Self {
        let today = now.date_naive();
        Self {
            idempotency_key: Uuid::new_v4().to_string(),
            start_date: day::iso(today - Days::new(DEFAULT_DAYS - 1)),
            end_date: day::iso(today),
            all_workspaces: true,
            personal_workspaces: false,
            workspace_ids: BTreeSet::new(),
            entity_ids: BTreeSet::new(),
            fields: FIELDS.iter().map(|info| info.id.to_owned()).collect(),
            errors: FormErrors::default(),
            note: None,
        }
    }

    /// The form filled with what an earlier export was asked for.
    pub fn again(export: &DataExport) -> Self {
        let ExportRequest { fields, interval, scope } = &export.request;
        let mut notes = Vec::new();
        if !day::is_whole(*interval) {
            let range = day::range(*interval);
            notes.push(format!("The earlier export covered {range}. This form exports whole days."));
        }
        if !fields.is_sorted_by_key(|field| FIELDS.iter().position(|info| info.field == *field)) {
            notes.push("The earlier export had its columns in another order than this form.".to_owned());
        }
        Self {
            idempotency_key: Uuid::new_v4().to_string(),
            start_date: day::iso(interval.start().date_naive()),
            end_date: day::iso(interval.end().date_naive()),
            all_workspaces: scope.looks_everywhere(),
            personal_workspaces: scope.personal_workspaces,
            workspace_ids: scope.workspace_ids.clone(),
            entity_ids: scope.entity_ids.clone(),
            fields: fields.iter().map(|field| field.id().to_owned()).collect(),
            errors: FormErrors::default(),
            note: (!notes.is_empty()).then(|| notes.join(" ")),
        }
    }

    /// Reads what the browser sent.
    ///
    /// # Errors
    ///
    /// A form that is larger than any that the page makes.
    pub fn read(body: &[u8]) -> Result<Self, Problem> {
        if body.len() > MAX_FORM_BYTES {
            return Err(Problem::field("form", format!("is larger than {MAX_FORM_BYTES} bytes")));
        }
        let mut form = Self {
            idempotency_key: String::new(),
            start_date: String::new(),
            end_date: String::new(),
            all_workspaces: false,
            personal_workspaces: false,
            workspace_ids: BTreeSet::new(),
            entity_ids: BTreeSet::new(),
            fields: BTreeSet::new(),
            errors: FormErrors::default(),
            note: None,
        };
        for (name, value) in form_urlencoded::parse(body) {
            let value: String = value.chars().take(MAX_TEXT_CHARS + 1).collect();
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

    /// The request that the form makes, read by the same code as a program's.
    ///
    /// # Errors
    ///
    /// What is wrong with it, in the words of the page.
    pub fn parse(&self, user_id: &str) -> Result<Parsed, FormErrors> {
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
            Ok(call) => Ok(Parsed { request: call.request, body }),
            Err(problem) => Err(errors_of(&problem)),
        }
    }

    fn body(&self, user_id: &str, start: NaiveDate, end: NaiveDate) -> Value {
        // In the page's order, which is that of the CSV.
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

/// A refusal of the request, put beside the input that it is about.
pub fn errors_of(problem: &Problem) -> FormErrors {
    let mut errors = FormErrors::default();
    for error in &problem.errors {
        let sentence = format!("{} {}.", error.field, error.message);
        match error.field.as_str() {
            "start_date" => errors.start_date = Some(sentence.replace("start_date", "The start date")),
            "end_date" => {
                let sentence = sentence.replacen("end_date", "The end date", 1);
                errors.end_date = Some(sentence.replace("start_date", "the start date"));
            }
            "workspace_ids" => {
                errors.workspaces = Some(sentence.replace("workspace_ids has", "The selection has"));
            }
            "export_fields" => {
                errors.fields = Some(sentence.replace("export_fields has", "The selection has"));
            }
            _ => errors.form = Some(sentence),
        }
    }
    if errors.is_empty() {
        errors.form = Some(problem.detail.clone());
    }
    errors
}

#[cfg(test)]
mod tests;
