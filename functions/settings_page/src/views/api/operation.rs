//! An endpoint: what it takes, what it answers, and how to call it.

use serde_json::Value;

use super::prose::Prose;
use super::schema::{Kind, Member};
use super::{members, text};

/// An endpoint.
#[derive(Debug)]
pub struct Operation {
    /// Where it is on the page, such as `post-export_data`.
    pub anchor: String,
    /// In capital letters.
    pub method: String,
    pub path: String,
    pub summary: Prose,
    pub description: Prose,
    /// Parameters of the query and headers, with where they are.
    pub parameters: Vec<(&'static str, Member)>,
    /// The schema of the body, and what else there is to say of it.
    pub body: Option<(Kind, Prose)>,
    pub samples: Vec<Sample>,
    pub responses: Vec<Response>,
}

/// A command for a shell.
#[derive(Debug)]
pub struct Sample {
    pub label: String,
    pub source: String,
}

/// What an endpoint answers with one status.
#[derive(Debug)]
pub struct Response {
    pub status: String,
    pub description: Prose,
    pub headers: Vec<(String, Prose)>,
    /// Media types, with the schemas of their bodies.
    pub contents: Vec<(String, Vec<Kind>)>,
    /// The sentences of refusals, each with its example.
    pub examples: Vec<(String, String)>,
}

impl Operation {
    /// Reads an operation of the document.
    pub fn of(method: &str, path: &str, operation: &Value) -> Self {
        let parameters = operation["parameters"].as_array().into_iter().flatten();
        let body = &operation["requestBody"];
        let samples = operation["x-codeSamples"].as_array().into_iter().flatten();
        Self {
            anchor: format!("{method}-{}", path.trim_start_matches('/')),
            method: method.to_uppercase(),
            path: path.to_owned(),
            summary: Prose::of(text(operation, "summary")),
            description: Prose::of(text(operation, "description")),
            parameters: parameters.map(parameter).collect(),
            body: body.is_object().then(|| {
                let schema = &body["content"]["application/json"]["schema"];
                (Kind::of(schema), Prose::of(text(body, "description")))
            }),
            samples: samples
                .map(|sample| Sample {
                    label: text(sample, "label").to_owned(),
                    source: text(sample, "source").to_owned(),
                })
                .collect(),
            responses: members(&operation["responses"])
                .map(|(status, response)| Response::of(status, response))
                .collect(),
        }
    }
}

impl Response {
    fn of(status: &str, response: &Value) -> Self {
        let headers = members(&response["headers"]);
        let contents = members(&response["content"]);
        Self {
            status: status.to_owned(),
            description: Prose::of(text(response, "description")),
            headers: headers
                .map(|(name, header)| (name.clone(), Prose::of(text(header, "description"))))
                .collect(),
            contents: contents
                .clone()
                .map(|(media, content)| (media.clone(), kinds(&content["schema"])))
                .collect(),
            examples: contents.flat_map(|(_, content)| examples(content)).collect(),
        }
    }
}

fn parameter(parameter: &Value) -> (&'static str, Member) {
    let place = if parameter["in"] == "header" { "header" } else { "query" };
    let mut member = Member::of(text(parameter, "name"), &parameter["schema"], parameter["required"] == true);
    member.description = Prose::of(text(parameter, "description"));
    (place, member)
}

/// The schemas of a body: one, or one of some.
fn kinds(schema: &Value) -> Vec<Kind> {
    match schema["anyOf"].as_array() {
        Some(ways) => ways.iter().map(Kind::of).collect(),
        None => vec![Kind::of(schema)],
    }
}

/// The examples of a body: what each is about, and the body.
fn examples(content: &Value) -> Vec<(String, String)> {
    let pretty = |value: &Value| serde_json::to_string_pretty(value).unwrap_or_default();
    let named = members(&content["examples"]);
    let named = named.map(|(_, example)| (text(example, "summary").to_owned(), pretty(&example["value"])));
    let only = content.get("example").map(|example| ("Example".to_owned(), pretty(example)));
    only.into_iter().chain(named).collect()
}
