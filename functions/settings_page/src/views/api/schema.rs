//! What a schema says, as people read it.

use serde_json::Value;

use super::prose::Prose;
use super::{members, text};

/// A schema of the document's components.
#[derive(Debug)]
pub struct Schema {
    pub name: String,
    pub description: Prose,
    /// What it is, unless it has members or values.
    pub kind: Kind,
    /// The members of an object, those that are always there first.
    pub members: Vec<Member>,
    /// The values that a text can have, and what they mean.
    pub values: Vec<(String, Prose)>,
}

/// A member of an object, or a parameter.
#[derive(Debug)]
pub struct Member {
    pub name: String,
    pub kind: Kind,
    pub is_required: bool,
    pub description: Prose,
}

/// What a value is: some words, and the name of the schema that says the rest.
#[derive(Debug, Default)]
pub struct Kind {
    pub words: String,
    pub schema: Option<String>,
}

impl Schema {
    /// The schema of this name.
    pub fn of(name: &str, schema: &Value) -> Self {
        let is_required = |name: &str| required(schema).any(|required| required == name);
        let mut found: Vec<_> = members(&schema["properties"])
            .map(|(name, member)| Member::of(name, member, is_required(name)))
            .collect();
        let order = |name: &str| required(schema).position(|required| required == name).unwrap_or(usize::MAX);
        found.sort_by_key(|member| order(&member.name));
        let values = schema["oneOf"].as_array().into_iter().flatten();
        Self {
            name: name.to_owned(),
            description: Prose::of(text(schema, "description")),
            kind: Kind::of(schema),
            members: found,
            values: values.map(|value| (text(value, "const").to_owned(), description(value))).collect(),
        }
    }
}

impl Member {
    /// A member with this schema.
    pub fn of(name: &str, schema: &Value, is_required: bool) -> Self {
        Self { name: name.to_owned(), kind: Kind::of(schema), is_required, description: description(schema) }
    }
}

impl Kind {
    /// What a value with this schema is.
    pub fn of(schema: &Value) -> Self {
        if let Some(name) = schema["$ref"].as_str().and_then(|reference| reference.rsplit('/').next()) {
            return Self { words: String::new(), schema: Some(name.to_owned()) };
        }
        if let Some(value) = schema.get("const") {
            return Self { words: value.to_string(), schema: None };
        }
        let types = match &schema["type"] {
            Value::Array(types) => types.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" or "),
            kind => kind.as_str().unwrap_or_default().to_owned(),
        };
        let items = schema.get("items").or_else(|| schema.get("additionalProperties")).map(Self::of);
        let mut words = [types, rules(schema)]
            .into_iter()
            .filter(|words| !words.is_empty())
            .collect::<Vec<_>>()
            .join(", ");
        if let Some(items) = items {
            let of = if items.words.is_empty() { String::new() } else { format!(" {}", items.words) };
            words = format!("{words} of{of}");
            return Self { words, schema: items.schema };
        }
        Self { words, schema: None }
    }
}

fn description(schema: &Value) -> Prose {
    Prose::of(text(schema, "description"))
}

fn required(schema: &Value) -> impl Iterator<Item = &str> {
    schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str)
}

/// The limits of a value.
fn rules(schema: &Value) -> String {
    let mut rules = Vec::new();
    for (least, most, unit) in [
        ("minLength", "maxLength", " characters"),
        ("minItems", "maxItems", " entries"),
        ("minimum", "maximum", ""),
    ] {
        match (schema.get(least), schema.get(most)) {
            (Some(least), Some(most)) => rules.push(format!("{least} to {most}{unit}")),
            (None, Some(most)) => rules.push(format!("at most {most}{unit}")),
            (Some(least), None) => rules.push(format!("at least {least}{unit}")),
            (None, None) => {}
        }
    }
    if schema["uniqueItems"] == true {
        rules.push("no repeats".to_owned());
    }
    if let Some(format) = schema["format"].as_str() {
        rules.push(format.to_owned());
    }
    if let Some(default) = schema.get("default") {
        rules.push(format!("{default} if absent"));
    }
    rules.join(", ")
}
