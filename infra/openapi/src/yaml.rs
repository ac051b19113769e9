//! Writes JSON as YAML, in an order in which people read an API document.

use serde_json::{Map, Value};

/// Members that come first in an object, in this order; others follow by name.
const FIRST: [&str; 30] = [
    "/export_data",
    "/export_status",
    "/exports",
    "/cancel_export",
    "openapi",
    "info",
    "servers",
    "security",
    "paths",
    "components",
    "name",
    "in",
    "operationId",
    "summary",
    "type",
    "title",
    "required",
    "description",
    "parameters",
    "requestBody",
    "responses",
    "headers",
    "content",
    "links",
    "lang",
    "label",
    "schema",
    "$ref",
    "examples",
    "value",
];

/// The document as YAML, in block style. Every text that a reader of YAML could take for something else is quoted as in JSON.
pub fn to_text(document: &Value) -> String {
    let mut text = format!("# Written by `{}`; do not edit.\n", crate::COMMAND);
    write(document, 0, &mut text);
    text
}

/// Writes a value that follows a line's indentation.
fn write(value: &Value, indent: usize, text: &mut String) {
    match value {
        Value::Object(members) if !members.is_empty() => write_object(members, indent, text),
        Value::Array(items) if !items.is_empty() => {
            for item in items {
                text.push_str(&" ".repeat(indent));
                text.push('-');
                let begin = text.len();
                write_after_sign(item, indent, text);
                // An object begins on the line of its dash.
                if text[begin..].starts_with('\n') {
                    text.replace_range(begin..=begin + indent + 1, "");
                }
            }
        }
        scalar => {
            text.push_str(&scalar_text(scalar));
            text.push('\n');
        }
    }
}

fn write_object(members: &Map<String, Value>, indent: usize, text: &mut String) {
    let mut names: Vec<_> = members.keys().collect();
    let rank = |name: &str| FIRST.iter().position(|first| *first == name).unwrap_or(FIRST.len());
    names.sort_by_key(|name| (rank(name), name.as_str()));
    for name in names {
        text.push_str(&" ".repeat(indent));
        text.push_str(&plain_or_quoted(name));
        text.push(':');
        write_after_sign(&members[name], indent, text);
    }
}

/// Writes the value after `name:` or `-`: on the same line if it is short.
fn write_after_sign(value: &Value, indent: usize, text: &mut String) {
    match value {
        Value::Object(members) if !members.is_empty() => {
            text.push('\n');
            write(value, indent + 2, text);
        }
        Value::Array(items) if !items.is_empty() => {
            if items.iter().all(|item| !item.is_object() && !item.is_array()) {
                let items: Vec<_> = items.iter().map(scalar_text).collect();
                text.push_str(" [");
                text.push_str(&items.join(", "));
                text.push_str("]\n");
            } else {
                text.push('\n');
                write(value, indent + 2, text);
            }
        }
        Value::String(lines) if lines.contains('\n') && !lines.ends_with('\n') => {
            text.push_str(" |-\n");
            for line in lines.lines() {
                if !line.is_empty() {
                    text.push_str(&" ".repeat(indent + 2));
                }
                text.push_str(line);
                text.push('\n');
            }
        }
        scalar => {
            text.push(' ');
            write(scalar, 0, text);
        }
    }
}

fn scalar_text(value: &Value) -> String {
    match value {
        Value::String(text) => plain_or_quoted(text),
        other => other.to_string(),
    }
}

/// The text as it is, if every reader takes it for the same text; in quotes otherwise.
fn plain_or_quoted(text: &str) -> String {
    let is_plain = text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '/')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || " _/.;()-'".contains(c))
        && !text.ends_with(' ')
        && !["true", "false", "null", "yes", "no", "on", "off", "y", "n"]
            .contains(&text.to_lowercase().as_str());
    if is_plain { text.to_owned() } else { Value::from(text).to_string() }
}
