//! What a caller asks for, parsed from the body of `POST /export_data`.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::interval::Interval;
pub use crate::id::MAX_ID_BYTES;
use crate::problem::{FieldError, Problem};
use crate::usage::Field;

#[cfg(feature = "schema")]
mod body;
mod cancel;
mod query;
mod reader;
mod scope;
mod summary;

#[cfg(feature = "schema")]
pub use body::{AuditParameters, CancelBody, ExportBody, HistoryParameters, StatusParameters};
pub use cancel::CancelCall;
pub(crate) use query::Query;
pub use query::{HistoryCall, StatusCall, Wanted};
use reader::Reader;
pub use scope::{NamedIds, Scope};
pub use summary::{RequestSummary, ScopeSummary};

/// The largest body, in bytes. It keeps the item of the ids that a request names below DynamoDB's 400 KB.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html>
pub const MAX_BODY_BYTES: usize = 256 * 1024;

/// The most ids that `workspace_ids` and `entity_ids` may have each. It keeps them small enough for one item.
pub const MAX_IDS: usize = 5_000;

/// Makes sure that an id is not longer than [`MAX_ID_BYTES`].
///
/// ```
/// use usage_export::export::request::check_id;
/// assert_eq!(check_id("user_id", "usr_1"), Ok(()));
/// assert_eq!(check_id("user_id", &"x".repeat(257)).unwrap_err().message, "is longer than 256 bytes");
/// ```
///
/// # Errors
///
/// Blames the field of this name.
pub fn check_id(name: &str, id: &str) -> Result<(), FieldError> {
    if id.len() <= MAX_ID_BYTES {
        return Ok(());
    }
    Err(FieldError::new(name, format!("is longer than {MAX_ID_BYTES} bytes")))
}

/// The longest `Idempotency-Key` header, in bytes.
pub const MAX_IDEMPOTENCY_KEY_BYTES: usize = 255;

/// A valid request: its fields are known, its interval is in order, and its scope selects something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportRequest {
    /// The columns of the CSV in their order: at least one, and none twice.
    pub fields: Vec<Field>,
    /// Which runs are exported, by the instant at which they started.
    pub interval: Interval,
    /// Which runs are exported, by workspace and workbook.
    pub scope: Scope,
    /// The IANA name of the time zone in which the days of the interval were meant, to show them as they were chosen. Absent
    /// for UTC. The interval says which instants they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// The name of the saved export that it was made from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
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
        let mut reader = Reader::new(&body);
        let user_id = reader.id("user_id");
        let fields = reader.fields();
        let interval = reader.interval();
        let scope = reader.scope();
        match (user_id, fields, interval, scope) {
            (Some(user_id), Some(fields), Some(interval), Some(scope)) if reader.errors.is_empty() => {
                Ok(Self {
                    user_id,
                    request: ExportRequest { fields, interval, scope, time_zone: None, name: None },
                })
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
    fn shared_workspaces_are_selected_without_the_personal_ones() {
        let mut body = body();
        body["include_all_workspaces"] = json!(false);
        body["include_organization_workspaces"] = json!(true);
        let scope = parse(&body).unwrap().request.scope;
        assert!(scope.organization_workspaces && !scope.personal_workspaces && !scope.looks_everywhere());
        // All of them include these.
        body["include_all_workspaces"] = json!(true);
        let scope = parse(&body).unwrap().request.scope;
        assert!(scope.all_workspaces && !scope.organization_workspaces);
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
            ("include_organization_workspaces", vec![json!("yes")]),
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
