//! Schemas of the types of requests and answers, under `components`.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value};

/// Collects the schemas that the document refers to.
pub struct Schemas {
    requests: SchemaGenerator,
    answers: SchemaGenerator,
}

impl Default for Schemas {
    fn default() -> Self {
        let mut settings = SchemaSettings::draft2020_12();
        settings.meta_schema = None;
        settings.definitions_path = "/components/schemas".into();
        Self {
            answers: settings.clone().for_serialize().into_generator(),
            requests: settings.for_deserialize().into_generator(),
        }
    }
}

impl Schemas {
    /// A reference to the schema of a request's body.
    pub fn request<T: JsonSchema>(&mut self) -> Value {
        self.requests.subschema_for::<T>().into()
    }

    /// A reference to the schema of an answer's body.
    pub fn answer<T: JsonSchema>(&mut self) -> Value {
        self.answers.subschema_for::<T>().into()
    }

    /// The members of a type whose members are parameters of a query: each as a parameter, those that are required first, by name.
    pub fn query<T: JsonSchema>(&mut self) -> Vec<Value> {
        let schema: Value = T::json_schema(&mut self.requests).into();
        let is_required = |name: &str| {
            schema["required"].as_array().is_some_and(|required| required.iter().any(|it| it == name))
        };
        let members = schema["properties"].as_object().into_iter().flatten();
        let mut parameters: Vec<_> = members
            .map(|(name, schema)| parameter("query", name, is_required(name), schema.clone()))
            .collect();
        parameters.sort_by_key(|parameter| (parameter["required"] != true, parameter["name"].to_string()));
        parameters
    }

    /// All that was referred to, by name.
    pub fn into_components(mut self) -> Value {
        let mut requests = self.requests.take_definitions(true);
        for (name, mut schema) in self.answers.take_definitions(true) {
            without_null(&mut schema);
            let same = requests.insert(name.clone(), schema.clone()).is_none_or(|other| other == schema);
            assert!(same, "two schemas have the name {name}");
        }
        let mut components = Value::Object(requests);
        without_formats_of_rust(&mut components);
        on_one_line(&mut components);
        components
    }
}

/// A parameter. What the schema says about it is moved to the parameter itself.
pub fn parameter(place: &str, name: &str, required: bool, mut schema: Value) -> Value {
    on_one_line(&mut schema);
    let description = schema.as_object_mut().and_then(|schema| schema.remove("description"));
    let mut parameter = Map::from_iter([
        ("name".to_owned(), name.into()),
        ("in".to_owned(), place.into()),
        ("required".to_owned(), required.into()),
        ("schema".to_owned(), schema),
    ]);
    parameter.extend(description.map(|description| ("description".to_owned(), description)));
    parameter.into()
}

/// Answers have no `null`: an absent member is left out.
fn without_null(schema: &mut Value) {
    let Value::Object(members) = schema else {
        if let Value::Array(items) = schema {
            items.iter_mut().for_each(without_null);
        }
        return;
    };
    if let Some(Value::Array(types)) = members.get_mut("type") {
        types.retain(|it| it != "null");
        if let [only] = &types[..] {
            let only = only.clone();
            members.insert("type".to_owned(), only);
        }
    }
    if let Some(Value::Array(ways)) = members.get_mut("anyOf") {
        ways.retain(|way| way["type"] != "null");
        if let [Value::Object(only)] = &ways[..] {
            let only = only.clone();
            members.remove("anyOf");
            members.extend(only);
        }
    }
    members.values_mut().for_each(without_null);
}

/// Comments of the code are broken into lines.
fn on_one_line(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            if let Some(Value::String(text)) = members.get_mut("description") {
                *text = text.replace('\n', " ");
            }
            members.values_mut().for_each(on_one_line);
        }
        Value::Array(items) => items.iter_mut().for_each(on_one_line),
        _ => {}
    }
}

/// `uint64` and its like tell no more than the minimum beside them, and are formats of Rust.
fn without_formats_of_rust(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            let is_of_rust =
                |format: &Value| format.as_str().is_some_and(|format| format.starts_with("uint"));
            if members.get("format").is_some_and(is_of_rust) {
                members.remove("format");
            }
            members.values_mut().for_each(without_formats_of_rust);
        }
        Value::Array(items) => items.iter_mut().for_each(without_formats_of_rust),
        _ => {}
    }
}
