//! The document is up to date, its references lead somewhere, and its examples are what its schemas say.

#![expect(clippy::unwrap_used, reason = "a panic is how a test reports")]

use std::fs;
use std::path::Path;

use openapi::{COMMAND, FILES, document, yaml};
use saphyr::{LoadableYamlNode, Yaml};
use serde_json::{Value, json};

/// The schema of the document with this reference or content, with all that it refers to.
fn validator(schema: &Value) -> jsonschema::Validator {
    let schema = json!({ "allOf": [schema], "components": document()["components"] });
    jsonschema::draft202012::options().should_validate_formats(true).build(&schema).unwrap()
}

/// Calls `look` with every object of the document and where it is.
fn each_object(value: &Value, path: &str, look: &mut impl FnMut(&str, &serde_json::Map<String, Value>)) {
    match value {
        Value::Object(members) => {
            look(path, members);
            for (name, member) in members {
                each_object(member, &format!("{path}/{name}"), look);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                each_object(item, &format!("{path}/{index}"), look);
            }
        }
        _ => {}
    }
}

#[test]
fn the_files_in_the_repository_are_up_to_date() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap();
    for (path, text) in FILES {
        let kept = fs::read_to_string(root.join(path)).unwrap_or_default();
        assert!(kept == text(&document()), "{path} is not what the code says: run `{COMMAND}`");
    }
}

#[test]
fn the_yaml_reads_back_as_the_document() {
    fn json(yaml: &Yaml<'_>) -> Value {
        if let Some(items) = yaml.as_sequence() {
            return items.iter().map(json).collect();
        }
        if let Some(members) = yaml.as_mapping() {
            return members.iter().map(|(name, it)| (name.as_str().unwrap().to_owned(), json(it))).collect();
        }
        if let Some(integer) = yaml.as_integer() {
            return integer.into();
        }
        yaml.as_bool().map(Value::from).or_else(|| yaml.as_str().map(Value::from)).unwrap_or_default()
    }
    let text = yaml::to_text(&document());
    let read = Yaml::load_from_str(&text).unwrap();
    assert_eq!(json(&read[0]), document());
}

#[test]
fn every_reference_leads_somewhere_and_every_component_is_used() {
    let document = document();
    let mut referred = Vec::new();
    each_object(&document, "", &mut |path, object| {
        if let Some(Value::String(reference)) = object.get("$ref") {
            let found = document.pointer(reference.strip_prefix('#').unwrap());
            assert!(found.is_some(), "{path}: {reference} leads nowhere");
            referred.push(reference.clone());
        }
    });
    for name in document["components"]["schemas"].as_object().unwrap().keys() {
        let reference = format!("#/components/schemas/{name}");
        assert!(referred.contains(&reference), "nothing refers to {reference}");
    }
}

#[test]
fn every_example_is_what_its_schema_says() {
    let mut validated = 0;
    each_object(&document(), "", &mut |path, object| {
        let Some(schema) = object.get("schema") else { return };
        let named = object.get("examples").and_then(Value::as_object).into_iter().flatten();
        let values = named.map(|(_, example)| &example["value"]).chain(object.get("example"));
        let validator = validator(schema);
        for value in values {
            if let Err(error) = validator.validate(value) {
                panic!("{path}: {error} in {value}");
            }
            validated += 1;
        }
    });
    assert!(validated > 40, "{validated}");
    let document = document();
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        for example in schema.get("examples").and_then(Value::as_array).into_iter().flatten() {
            assert!(validator(schema).is_valid(example), "{name}: {example}");
        }
    }
}

#[test]
fn every_operation_has_every_status_that_it_can_give() {
    let expected = [
        ("/export_data", "post", "200 400 401 403 404 405 422 429 500"),
        ("/cancel_export", "post", "200 400 401 403 404 405 409 429 500"),
        ("/export_status", "get", "200 302 400 401 403 404 405 429 500"),
        ("/exports", "get", "200 400 401 403 404 405 429 500"),
        ("/audit", "get", "200 400 401 403 404 405 429 500"),
    ];
    let document = document();
    for (path, method, statuses) in expected {
        let responses = document["paths"][path][method]["responses"].as_object().unwrap();
        let found: Vec<_> = responses.keys().map(String::as_str).collect();
        assert_eq!(found.join(" "), statuses, "{path}");
        assert_eq!(responses["429"]["headers"]["Retry-After"]["required"], true);
        assert_eq!(responses["405"]["headers"]["Allow"]["required"], true);
    }
}

#[test]
fn no_text_has_names_of_the_code() {
    each_object(&document(), "", &mut |path, object| {
        for name in ["description", "summary", "title"] {
            let Some(Value::String(text)) = object.get(name) else { continue };
            assert!(!text.contains("[`") && !text.contains("::"), "{path}: {text}");
        }
    });
}
