//! What a caller asks for, parsed from the body of `POST /export_data`.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::interval::{Interval, parse_end, parse_start};
use crate::problem::{FieldError, Problem};
use crate::usage::{FIELDS, Field};

mod cancel;
mod scope;

pub use cancel::CancelCall;
pub use scope::Scope;

/// The largest body, in bytes. It keeps an export's record below DynamoDB's 400 KB an item.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html>
pub const MAX_BODY_BYTES: usize = 256 * 1024;

/// The most ids that `workspace_ids` and `entity_ids` may have each. It keeps the record of an export small enough for one
/// item.
pub const MAX_IDS: usize = 5_000;

/// The longest id that a request may have, in bytes.
pub const MAX_ID_BYTES: usize = 256;

/// A valid request: its fields are known, its interval is in order, and its scope selects something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportRequest {
    /// The columns of the CSV in their order: at least one, and none twice.
    pub fields: Vec<Field>,
    /// Which runs are exported, by the instant at which they started.
    pub interval: Interval,
    /// Which runs are exported, by workspace and workbook.
    pub scope: Scope,
}

/// A parsed body of `POST /export_data`: for whom the request acts, and what it asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportCall {
    /// The user for whom the request acts. [`authorize`](crate::auth::authorize) finds out whether it may.
    pub user_id: String,
    /// What the request asks for.
    pub request: ExportRequest,
}

impl ExportCall {
    /// Parses the body. Unknown members are ignored; an absent member and `null` are the same.
    ///
    /// ```
    /// use usage_export::export::request::ExportCall;
    /// let body = br#"{"user_id": "usr_1", "export_fields": ["run_id", "credit_cost"],
    ///     "start_date": "2025-01-01", "end_date": "2025-01-31", "include_all_workspaces": true}"#;
    /// let call = ExportCall::parse(body).unwrap();
    /// assert_eq!(call.user_id, "usr_1");
    /// assert_eq!(call.request.fields.len(), 2);
    /// assert!(call.request.scope.personal_workspaces, "all workspaces include the personal ones");
    ///
    /// let problem = ExportCall::parse(br#"{"user_id": "usr_1", "start_date": "31.01.2025"}"#).unwrap_err();
    /// let at_fault: Vec<_> = problem.errors.iter().map(|error| error.field.as_str()).collect();
    /// assert_eq!(at_fault, ["export_fields", "start_date", "end_date", "workspace_ids"]);
    /// ```
    ///
    /// # Errors
    ///
    /// A 400 that names every member at fault: a body above [`MAX_BODY_BYTES`], no JSON object, an unknown or repeated
    /// field, a date that is none, more than [`MAX_IDS`] ids, a scope that selects nothing.
    pub fn parse(body: &[u8]) -> Result<Self, Problem> {
        let body = json_object(body)?;
        let mut reader = Reader { body: &body, errors: Vec::new() };
        let user_id = reader.id("user_id");
        let fields = reader.fields();
        let interval = reader.interval();
        let scope = reader.scope();
        match (user_id, fields, interval, scope) {
            (Some(user_id), Some(fields), Some(interval), Some(scope)) if reader.errors.is_empty() => {
                Ok(Self { user_id, request: ExportRequest { fields, interval, scope } })
            }
            _ => Err(Problem::fields(reader.errors)),
        }
    }
}

/// The members of a body.
fn json_object(body: &[u8]) -> Result<Map<String, Value>, Problem> {
    if body.len() > MAX_BODY_BYTES {
        return Err(Problem::field("body", format!("is larger than {MAX_BODY_BYTES} bytes")));
    }
    match serde_json::from_slice(body) {
        Ok(Value::Object(body)) => Ok(body),
        Ok(_) => Err(Problem::field("body", "must be a JSON object")),
        Err(error) => Err(Problem::field("body", format!("is not valid JSON: {error}"))),
    }
}

/// Reads one member after the other and collects what is wrong, so that a caller learns of every fault at once.
struct Reader<'a> {
    body: &'a Map<String, Value>,
    errors: Vec<FieldError>,
}

impl Reader<'_> {
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

    fn id(&mut self, name: &str) -> Option<String> {
        let id = self.required_text(name)?;
        if id.len() > MAX_ID_BYTES {
            return self.blame(name, format!("is longer than {MAX_ID_BYTES} bytes"));
        }
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

    fn fields(&mut self) -> Option<Vec<Field>> {
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

    fn interval(&mut self) -> Option<Interval> {
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

    fn scope(&mut self) -> Option<Scope> {
        let all_workspaces = self.flag("include_all_workspaces");
        let personal_workspaces = self.flag("include_personal_workspaces");
        let workspace_ids = self.ids("workspace_ids");
        let entity_ids = self.ids("entity_ids");
        let (all_workspaces, personal_workspaces) = (all_workspaces?, personal_workspaces?);
        let (mut workspace_ids, entity_ids) = (workspace_ids?, entity_ids?);
        let personal_workspaces = personal_workspaces || all_workspaces;
        if all_workspaces {
            workspace_ids.clear();
        }
        if !personal_workspaces && workspace_ids.is_empty() && entity_ids.is_empty() {
            return self.blame(
                "workspace_ids",
                "selects nothing; set include_all_workspaces or include_personal_workspaces, or name workspace_ids or \
                 entity_ids",
            );
        }
        Some(Scope { all_workspaces, personal_workspaces, workspace_ids, entity_ids })
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn body() -> Value {
        json!({
            "user_id": "usr_1", "export_fields": ["run_id", "credit_cost"],
            "start_date": "2025-01-01", "end_date": "2025-01-31", "include_all_workspaces": true,
        })
    }

    fn parse(body: &Value) -> Result<ExportCall, Problem> {
        ExportCall::parse(body.to_string().as_bytes())
    }

    /// Parses the body with one field replaced; returns the fields that are blamed.
    fn blamed(name: &str, value: Value) -> Vec<String> {
        let mut body = body();
        body[name] = value;
        parse(&body).unwrap_err().errors.into_iter().map(|error| error.field).collect()
    }

    #[test]
    fn all_workspaces_include_the_personal_ones_and_those_that_are_named() {
        let mut body = body();
        body["workspace_ids"] = json!(["wsp_of_nobody"]);
        body["an_unknown_field"] = json!({"is": "ignored"});
        let scope = parse(&body).unwrap().request.scope;
        assert!(scope.all_workspaces && scope.personal_workspaces && scope.workspace_ids.is_empty());
    }

    #[test]
    fn workbooks_alone_are_searched_in_every_workspace() {
        let mut body = body();
        body["include_all_workspaces"] = json!(false);
        body["entity_ids"] = json!(["wbk_1", "wbk_1"]);
        let scope = parse(&body).unwrap().request.scope;
        assert!(scope.looks_everywhere());
        assert_eq!(scope.entity_ids.len(), 1);
        body["workspace_ids"] = json!(["wsp_1"]);
        assert!(!parse(&body).unwrap().request.scope.looks_everywhere());
    }

    #[test]
    fn each_fault_names_its_field() {
        for (name, values) in [
            ("user_id", vec![json!(null), json!(""), json!(7), json!("x".repeat(257))]),
            ("export_fields", vec![json!(null), json!([]), json!("run_id"), json!([1]), json!(["run"])]),
            ("export_fields", vec![json!(["run_id", "run_id"]), json!({})]),
            ("start_date", vec![json!(null), json!("soon"), json!(20_250_101), json!("2025-13-01")]),
            ("end_date", vec![json!(null), json!("2024-12-31"), json!(["2025-01-31"]), json!("2825-01-31")]),
            ("include_all_workspaces", vec![json!("true"), json!(1)]),
            ("include_personal_workspaces", vec![json!("yes")]),
            ("workspace_ids", vec![json!("wsp_1"), json!([null]), json!([""]), json!(vec!["w"; 5001])]),
            ("entity_ids", vec![json!({}), json!([2])]),
        ] {
            for value in values {
                assert_eq!(blamed(name, value.clone()), [name], "{value}");
            }
        }
        assert_eq!(blamed("include_all_workspaces", json!(false)), ["workspace_ids"], "nothing is selected");
    }

    #[test]
    fn every_fault_is_reported_in_one_answer() {
        let problem = parse(&json!({"start_date": "x", "entity_ids": 1})).unwrap_err();
        let fields: Vec<_> = problem.errors.iter().map(|error| error.field.as_str()).collect();
        assert_eq!(fields, ["user_id", "export_fields", "start_date", "end_date", "entity_ids"]);
        assert!(problem.detail.contains("user_id is required"), "{}", problem.detail);
    }

    #[test]
    fn a_body_that_is_not_an_object_is_refused() {
        for body in ["", "[]", "null", "{\"user_id\":", "\u{0}"] {
            assert_eq!(ExportCall::parse(body.as_bytes()).unwrap_err().status, 400);
        }
        let large = format!("{{\"x\":\"{}\"}}", "x".repeat(MAX_BODY_BYTES));
        assert_eq!(ExportCall::parse(large.as_bytes()).unwrap_err().errors[0].field, "body");
    }
}
