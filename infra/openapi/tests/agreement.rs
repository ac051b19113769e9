//! The document's schemas and the parsers take the same requests: the parsers are written by hand, because they name every fault.

#![expect(clippy::unwrap_used, reason = "a panic is how a test reports")]

use std::sync::LazyLock;

use jsonschema::Validator;
use openapi::document;
use proptest::prelude::*;
use serde_json::{Value, json};
use usage_export::export::request::{CancelCall, ExportCall, HistoryCall, MAX_ID_BYTES, MAX_IDS, StatusCall};
use usage_export::problem::Problem;
use usage_export::schema::DATE_PATTERN;
use usage_export::usage::FIELDS;

fn validator(schema: &Value) -> Validator {
    let schema = json!({ "allOf": [schema], "components": document()["components"] });
    jsonschema::draft202012::new(&schema).unwrap()
}

fn component(name: &str) -> Validator {
    validator(&json!({ "$ref": format!("#/components/schemas/{name}") }))
}

/// The schema of each parameter by path and name: made once, because there are thousands of cases.
static PARAMETERS: LazyLock<Vec<(&str, String, Value, Validator)>> = LazyLock::new(|| {
    let document = document();
    let of = |path: &'static str| {
        let parameters = document["paths"][path]["get"]["parameters"].as_array().unwrap().clone();
        parameters.into_iter().map(move |mut parameter| {
            let schema = parameter["schema"].take();
            let validator = validator(&schema);
            (path, parameter["name"].as_str().unwrap().to_owned(), schema, validator)
        })
    };
    of("/export_status").chain(of("/exports")).collect()
});
static DATE: LazyLock<Validator> =
    LazyLock::new(|| validator(&json!({ "type": "string", "pattern": DATE_PATTERN })));
static EXPORT: LazyLock<Validator> = LazyLock::new(|| component("ExportRequest"));
static CANCEL: LazyLock<Validator> = LazyLock::new(|| component("CancelRequest"));

/// Whether the parser takes the body. A schema cannot compare two dates or count the days of a month, so a refusal of nothing but dates
/// that have the form of a date counts as none.
fn takes(body: &Value) -> bool {
    match ExportCall::parse(body.to_string().as_bytes()) {
        Ok(_) => true,
        Err(Problem { errors, .. }) => errors.iter().all(|error| {
            matches!(&*error.field, "start_date" | "end_date") && DATE.is_valid(&body[&error.field])
        }),
    }
}

/// A value of any kind, and some that are near to what is right.
fn any_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        "[ -~]{0,4}".prop_map(Value::from),
        Just(json!("x".repeat(MAX_ID_BYTES))),
        Just(json!("x".repeat(MAX_ID_BYTES + 1))),
        proptest::collection::vec("[a-c]{0,2}", 0..4).prop_map(Value::from),
        Just(json!(["x".repeat(MAX_ID_BYTES)])),
        Just(json!(["x".repeat(MAX_ID_BYTES + 1)])),
        Just(json!(["a", 1])),
        Just(json!(["a", null])),
        Just(json!({})),
        Just(json!(vec!["w"; MAX_IDS])),
        Just(json!(vec!["w"; MAX_IDS + 1])),
        proptest::collection::vec(
            proptest::sample::select(FIELDS.iter().map(|info| info.id).collect::<Vec<_>>()),
            0..4
        )
        .prop_map(Value::from),
        date().prop_map(Value::from),
    ]
}

fn date() -> impl Strategy<Value = String> {
    prop_oneof![
        "(20[0-9]{2}|0000|9999)-[01][0-9]-[0-3][0-9]([Tt ][0-2][0-9]:[0-6][0-9](:[0-6][0-9](\\.[0-9]{1,9})?)?([Zz]|[+-][0-2][0-9](:?[0-6][0-9])?)?)?",
        "[0-9TZ:+.-]{8,20}",
    ]
}

fn valid_body() -> Value {
    json!({
        "user_id": "usr_1", "export_fields": ["run_id", "credit_cost"],
        "start_date": "2025-01-01", "end_date": "2025-01-31", "include_all_workspaces": true,
    })
}

const MEMBERS: [&str; 9] = [
    "user_id",
    "export_fields",
    "start_date",
    "end_date",
    "include_all_workspaces",
    "include_organization_workspaces",
    "include_personal_workspaces",
    "workspace_ids",
    "entity_ids",
];

#[test]
fn the_schema_has_the_members_that_are_read() {
    let properties = document()["components"]["schemas"]["ExportRequest"]["properties"].clone();
    let mut members = MEMBERS;
    members.sort_unstable();
    assert_eq!(properties.as_object().unwrap().keys().collect::<Vec<_>>(), members);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, ..ProptestConfig::default() })]

    #[test]
    fn schema_and_parser_take_the_same_exports(
        changes in proptest::collection::vec((proptest::sample::select(&MEMBERS[..]), proptest::option::weighted(0.9, any_value())), 1..4)
    ) {
        let mut body = valid_body();
        for (member, value) in changes {
            match value {
                Some(value) => body[member] = value,
                None => drop(body.as_object_mut().unwrap().remove(member)),
            }
        }
        prop_assert_eq!(EXPORT.is_valid(&body), takes(&body), "{}", body);
    }

    #[test]
    fn schema_and_parser_take_the_same_cancellations(user_id in any_value(), data_export_id in any_value()) {
        let body = json!({ "user_id": user_id, "data_export_id": data_export_id });
        prop_assert_eq!(CANCEL.is_valid(&body), CancelCall::parse(body.to_string().as_bytes()).is_ok(), "{}", body);
    }

    #[test]
    fn schema_and_parser_take_the_same_parameters(
        name in proptest::sample::select(vec!["user_id", "data_export_id", "download", "manifest", "cursor", "mine"]),
        text in prop_oneof![
            "[ -~]{0,4}", "true|false|TRUE|1", Just("x".repeat(MAX_ID_BYTES)), Just("x".repeat(MAX_ID_BYTES + 1)),
            "[0-9a-fA-F]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}",
            "[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}",
        ],
    ) {
        let valid = [("user_id", "usr_1"), ("data_export_id", "e")];
        let of = |wanted: &str| {
            if wanted == name { return Some(text.as_str()) }
            valid.iter().find(|(known, _)| *known == wanted).map(|(_, value)| *value)
        };
        let taken = |path: &str| {
            if path == "/exports" { HistoryCall::parse(of).is_ok() } else { StatusCall::parse(of).is_ok() }
        };
        for (path, _, schema, validator) in PARAMETERS.iter().filter(|(_, known, ..)| known == name) {
            // A flag is a text in a query.
            let value = match (schema["type"] == "boolean", text.as_str()) {
                (true, "true") => json!(true),
                (true, "false") => json!(false),
                (_, text) => json!(text),
            };
            prop_assert_eq!(validator.is_valid(&value), taken(path), "{} {}={}", path, name, text);
        }
    }
}
