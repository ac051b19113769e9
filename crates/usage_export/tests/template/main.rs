//! What `template.yaml` promises and no local stack shows: an emulator drops encryption, expiry and access blocks
//! without a word.

mod functions;
mod operations;
mod parameters;
mod permissions;
mod storage;
mod update;

use std::collections::BTreeMap;

use saphyr::{LoadableYamlNode, Scalar, Yaml};
use serde_json::{Map, Value, json};

const TEMPLATE: &str = include_str!("../../../../template.yaml");

const FUNCTIONS: [&str; 5] = [
    "ExportDataFunction",
    "ExportReconcilerFunction",
    "ExportStatusFunction",
    "ExportWorkerFunction",
    "SettingsPageFunction",
];
const TABLES: [&str; 4] = ["UsageRecordsTable", "DirectoryTable", "ExportsTable", "AuditTable"];

/// The template as JSON; `!Ref x` is `{"Ref": "x"}`, `!Sub x` is `{"Fn::Sub": "x"}`: the long form.
fn template() -> Value {
    parsed(TEMPLATE)
}

fn parsed(template: &str) -> Value {
    match Yaml::load_from_str(template) {
        Ok(documents) => json(&documents[0]),
        Err(error) => panic!("the template is no YAML: {error}"),
    }
}

fn json(yaml: &Yaml) -> Value {
    match yaml {
        Yaml::Value(Scalar::String(text)) => json!(text),
        Yaml::Value(Scalar::Integer(number)) => json!(number),
        Yaml::Value(Scalar::Boolean(flag)) => json!(flag),
        Yaml::Sequence(items) => items.iter().map(json).collect(),
        Yaml::Mapping(members) => {
            Value::Object(members.iter().map(|(name, value)| (key(name), json(value))).collect())
        }
        Yaml::Tagged(tag, value) if tag.suffix == "Ref" => json!({"Ref": json(value)}),
        Yaml::Tagged(tag, value) => {
            Value::Object(Map::from_iter([(format!("Fn::{}", tag.suffix), json(value))]))
        }
        other => panic!("not expected in a template: {other:?}"),
    }
}

fn key(yaml: &Yaml) -> String {
    match json(yaml) {
        Value::String(key) => key,
        other => panic!("not expected as a key: {other}"),
    }
}

fn properties(resource: &str) -> Value {
    template()["Resources"][resource]["Properties"].take()
}

/// The resources of a type, by their names.
fn resources(kind: &str) -> BTreeMap<String, Value> {
    let Value::Object(mut resources) = template()["Resources"].take() else { panic!("no resources") };
    resources.retain(|_, resource| resource["Type"] == kind);
    resources.into_iter().collect()
}

fn list(value: &Value) -> Vec<Value> {
    match value {
        Value::Array(items) => items.clone(),
        Value::Null => Vec::new(),
        one => vec![one.clone()],
    }
}

fn texts(value: &Value) -> Vec<String> {
    list(value).iter().map(|text| text.as_str().unwrap_or("not a text").to_owned()).collect()
}

fn attribute(resource: &str) -> Value {
    json!({"Fn::GetAtt": format!("{resource}.Arn")})
}

fn sub(text: &str) -> Value {
    json!({"Fn::Sub": text})
}

fn role_of(function: &str) -> String {
    let role = properties(function)["Role"]["Fn::GetAtt"].take();
    role.as_str().expect("a role").trim_end_matches(".Arn").to_owned()
}
