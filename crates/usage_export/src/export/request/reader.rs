//! Reads the members of a body.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

use super::{MAX_ID_BYTES, MAX_IDS, Scope, check_id};
use crate::export::interval::{Interval, parse_end, parse_start};
use crate::problem::FieldError;
use crate::usage::{FIELDS, Field};

/// Reads one member after the other and collects what is wrong, so that a caller learns of every fault at once.
pub(super) struct Reader<'a> {
    body: &'a Map<String, Value>,
    pub(super) errors: Vec<FieldError>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(body: &'a Map<String, Value>) -> Self {
        Self { body, errors: Vec::new() }
    }

    fn value(&self, name: &str) -> Option<&Value> {
        self.body.get(name).filter(|value| !value.is_null())
    }

    fn blame<T>(&mut self, name: &str, message: impl Into<String>) -> Option<T> {
        self.errors.push(FieldError::new(name, message));
        None
    }

    fn required_text(&mut self, name: &str) -> Option<String> {
        match self.value(name) {
            None => self.blame(name, "is required"),
            Some(Value::String(text)) if text.trim().is_empty() => self.blame(name, "must not be empty"),
            Some(Value::String(text)) => Some(text.clone()),
            Some(other) => {
                let message = format!("must be a string, not {}", type_name(other));
                self.blame(name, message)
            }
        }
    }

    pub(super) fn id(&mut self, name: &str) -> Option<String> {
        let id = self.required_text(name)?;
        check_id(name, &id).map_err(|error| self.errors.push(error)).ok()?;
        Some(id)
    }

    /// Reads an optional flag. `None` after a fault.
    fn flag(&mut self, name: &str) -> Option<bool> {
        match self.value(name) {
            None => Some(false),
            Some(Value::Bool(flag)) => Some(*flag),
            Some(other) => {
                let message = format!("must be true or false, not {}", type_name(other));
                self.blame(name, message)
            }
        }
    }

    /// Reads an optional list of strings. `None` after a fault.
    fn texts(&mut self, name: &str) -> Option<Vec<String>> {
        let values = match self.value(name) {
            None => return Some(Vec::new()),
            Some(Value::Array(values)) => values,
            Some(other) => {
                let message = format!("must be a list of strings, not {}", type_name(other));
                return self.blame(name, message);
            }
        };
        let mut texts = Vec::with_capacity(values.len());
        for (index, value) in values.iter().enumerate() {
            let Value::String(text) = value else {
                let message = format!("must be a list of strings; entry {index} is {}", type_name(value));
                return self.blame(name, message);
            };
            texts.push(text.clone());
        }
        Some(texts)
    }

    fn ids(&mut self, name: &str) -> Option<BTreeSet<String>> {
        let ids = self.texts(name)?;
        if ids.len() > MAX_IDS {
            return self.blame(name, format!("has more than {MAX_IDS} ids; split it over several exports"));
        }
        if ids.iter().any(|id| id.is_empty() || id.len() > MAX_ID_BYTES) {
            return self.blame(name, format!("has an id that is empty or longer than {MAX_ID_BYTES} bytes"));
        }
        Some(ids.into_iter().collect())
    }

    pub(super) fn fields(&mut self) -> Option<Vec<Field>> {
        const NAME: &str = "export_fields";
        if self.value(NAME).is_none() {
            return self.blame(NAME, "is required");
        }
        let ids = self.texts(NAME)?;
        if ids.is_empty() {
            return self.blame(NAME, "must name at least one field");
        }
        let mut fields = Vec::with_capacity(FIELDS.len());
        for id in &ids {
            let Some(field) = Field::from_id(id) else {
                let known: Vec<_> = FIELDS.iter().map(|info| info.id).collect();
                let shown: String = id.chars().take(64).collect();
                return self.blame(
                    NAME,
                    format!("has the unknown field \"{shown}\"; known are {}", known.join(", ")),
                );
            };
            if fields.contains(&field) {
                return self.blame(NAME, format!("has {id} more than once"));
            }
            fields.push(field);
        }
        Some(fields)
    }

    pub(super) fn interval(&mut self) -> Option<Interval> {
        let start = self.date("start_date", parse_start);
        let end = self.date("end_date", parse_end);
        match Interval::new(start?, end?) {
            Ok(interval) => Some(interval),
            Err(error) => {
                self.errors.push(error);
                None
            }
        }
    }

    fn date(
        &mut self,
        name: &str,
        parse: impl Fn(&str) -> Result<DateTime<Utc>, String>,
    ) -> Option<DateTime<Utc>> {
        let text = self.required_text(name)?;
        parse(&text).map_err(|message| self.errors.push(FieldError::new(name, message))).ok()
    }

    pub(super) fn scope(&mut self) -> Option<Scope> {
        let all_workspaces = self.flag("include_all_workspaces");
        let organization_workspaces = self.flag("include_organization_workspaces");
        let personal_workspaces = self.flag("include_personal_workspaces");
        let workspace_ids = self.ids("workspace_ids");
        let entity_ids = self.ids("entity_ids");
        let (all_workspaces, organization_workspaces) = (all_workspaces?, organization_workspaces?);
        let personal_workspaces = personal_workspaces?;
        let (mut workspace_ids, entity_ids) = (workspace_ids?, entity_ids?);
        let personal_workspaces = personal_workspaces || all_workspaces;
        let organization_workspaces = organization_workspaces && !all_workspaces;
        if all_workspaces {
            workspace_ids.clear();
        }
        if !organization_workspaces
            && !personal_workspaces
            && workspace_ids.is_empty()
            && entity_ids.is_empty()
        {
            return self.blame(
                "workspace_ids",
                "selects nothing; set include_all_workspaces, include_organization_workspaces or \
                 include_personal_workspaces, or name workspace_ids or entity_ids",
            );
        }
        Some(Scope {
            all_workspaces,
            organization_workspaces,
            personal_workspaces,
            workspace_ids,
            entity_ids,
        })
    }
}

fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
