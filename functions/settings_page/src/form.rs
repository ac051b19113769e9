//! The export form: what was typed into it, what is wrong with it, and the request that it makes.

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDate, Utc};
use serde_json::{Value, json};
use usage_export::error::AwsError;
use usage_export::export::DataExport;
use usage_export::export::request::{ExportCall, ExportRequest, MAX_IDS, NamedIds};
use usage_export::problem::Problem;
use usage_export::timestamp;
use usage_export::usage::FIELDS;
use uuid::Uuid;

use crate::day;
use crate::time_zone::TimeZone;

mod choices;
mod errors;
mod presets;

pub use choices::Choices;
pub use errors::FormErrors;
pub use presets::DatePreset;

/// The largest form that is read, in bytes. A form that names [`MAX_IDS`] workspaces by ids of some 40 bytes has a tenth of
/// it.
pub const MAX_FORM_BYTES: usize = 2 * 1024 * 1024;

/// The longest input, in characters, other than the list of workspaces. Valid dates and ids are shorter. Of a longer input one
/// character more is kept, so that it is refused and not cut to something valid.
const MAX_INPUT_CHARS: usize = 256;

/// What the form holds, and what is wrong with it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExportForm {
    /// Random and part of the form, so that a form sent twice makes one export.
    pub idempotency_key: String,
    /// What is chosen.
    pub choices: Choices,
    /// The name under which it is to be saved, as typed.
    pub name: String,
    /// Id of the saved export that it was filled from: saved under the same name, it takes its place.
    pub replaces: String,
    /// What is wrong with it.
    pub errors: FormErrors,
    /// What the reader should know before they send it.
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
    /// A new form with these choices.
    pub fn new(choices: Choices) -> Self {
        Self { idempotency_key: Uuid::new_v4().to_string(), choices, ..Self::default() }
    }

    /// The form before anything was typed.
    pub fn blank(now: DateTime<Utc>) -> Self {
        Self::new(Choices::blank(now))
    }

    /// The form filled with what an earlier export was asked for. `ids` are those that its request names, if they are still
    /// known.
    pub fn from_export(export: &DataExport, ids: Option<NamedIds>) -> Self {
        let (choices, notes) = Choices::of_export(export, ids);
        Self { note: (!notes.is_empty()).then(|| notes.join(" ")), ..Self::new(choices) }
    }

    /// The form of a saved export. Dates of a preset are counted from the day of `now`.
    ///
    /// # Errors
    ///
    /// Internal, if what was saved cannot be read.
    pub fn from_saved(json: &[u8], now: DateTime<Utc>, first_day: NaiveDate) -> Result<Self, AwsError> {
        let mut choices: Choices =
            serde_json::from_slice(json).map_err(|error| AwsError::unreadable("saved export", &error))?;
        choices.count_dates(now, first_day);
        Ok(Self::new(choices))
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
            let value = if name == "workspace_ids" {
                value.into_owned()
            } else {
                value.chars().take(MAX_INPUT_CHARS + 1).collect()
            };
            match &*name {
                "idempotency_key" => form.idempotency_key = value,
                "name" => form.name = value,
                "replaces" => form.replaces = value,
                _ => form.choices.take(&name, value),
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
    pub fn parse(&self, user_id: &str) -> Result<ParsedForm, Box<FormErrors>> {
        let choices = &self.choices;
        let mut errors = FormErrors::default();
        let start = read_day(&choices.start_date, &mut errors.start_date, "start");
        let end = read_day(&choices.end_date, &mut errors.end_date, "end");
        if let (Some(start), Some(end)) = (start, end)
            && end < start
        {
            errors.end_date = Some("The end date must be on or after the start date.".to_owned());
        }
        let zone = TimeZone::from_name(&choices.time_zone);
        if zone.is_none() {
            errors.time_zone = Some("Choose one of the time zones in the list.".to_owned());
        }
        if self.names_no_workspace() {
            errors.workspaces =
                Some("Select at least one workspace, or include personal workspaces.".to_owned());
        }
        if choices.workspace_ids.len() > MAX_IDS && !choices.all_workspaces {
            errors.workspaces = Some(format!(
                "Select at most {} workspaces, or all of them.",
                usage_export::wording::thousands(MAX_IDS as u64)
            ));
        }
        if choices.fields.is_empty() {
            errors.fields = Some("Select at least one field.".to_owned());
        }
        let (Some(start), Some(end), Some(zone), true) = (start, end, zone, errors.is_empty()) else {
            return Err(Box::new(errors));
        };
        let body = self.body(user_id, dates(start, end, &zone));
        match ExportCall::parse(body.to_string().as_bytes()) {
            Ok(call) => {
                let time_zone = (!zone.is_utc()).then(|| zone.name().to_owned());
                Ok(ParsedForm { request: ExportRequest { time_zone, ..call.request }, body })
            }
            Err(problem) => Err(Box::new(FormErrors::from_problem(&problem))),
        }
    }

    fn names_no_workspace(&self) -> bool {
        let choices = &self.choices;
        let names_one = !choices.workspace_ids.is_empty() || choices.shared_workspaces;
        !choices.all_workspaces && !choices.personal_workspaces && !names_one
    }

    /// The body that a program would send for the form. The order of the columns is that of the page.
    fn body(&self, user_id: &str, [start_date, end_date]: [String; 2]) -> Value {
        let choices = &self.choices;
        let known = FIELDS.iter().map(|info| info.id).filter(|id| choices.fields.contains(*id));
        let is_unknown = |id: &&str| FIELDS.iter().all(|info| info.id != *id);
        let unknown = choices.fields.iter().map(String::as_str).filter(is_unknown);
        json!({
            "user_id": user_id,
            "export_fields": known.chain(unknown).collect::<Vec<_>>(),
            "start_date": start_date,
            "end_date": end_date,
            "time_zone": choices.time_zone,
            "include_all_workspaces": choices.all_workspaces,
            "include_organization_workspaces": choices.shared_workspaces && !choices.all_workspaces,
            "include_personal_workspaces": choices.personal_workspaces,
            "workspace_ids": if choices.all_workspaces { BTreeSet::new() } else { choices.workspace_ids.clone() },
            "entity_ids": choices.entity_ids,
        })
    }
}

/// The first and the last day as the API takes them: days of UTC as they are, of another time zone as their instants. A day
/// that the zone cannot place is left to the API, which refuses it.
fn dates(start: NaiveDate, end: NaiveDate, zone: &TimeZone) -> [String; 2] {
    let instants = zone.first_instant(start).zip(zone.last_instant(end));
    match instants {
        Some((start, end)) if !zone.is_utc() => [start, end].map(timestamp::to_text),
        _ => [day::iso(start), day::iso(end)],
    }
}

/// Reads a date input; `which` names it in the error.
fn read_day(text: &str, error: &mut Option<String>, which: &str) -> Option<NaiveDate> {
    if text.trim().is_empty() {
        *error = Some(format!("Enter the {which} date."));
        return None;
    }
    day::read(text).inspect_err(|wrong| *error = Some(wrong.sentence())).ok()
}

#[cfg(test)]
mod tests;
