//! The page of the API, made of the API document. Whatever the document has of an endpoint is on the page.

use askama::Template;
use serde_json::Value;
use usage_export::error::AwsError;

use self::operation::Operation;
use self::prose::Prose;
use self::schema::Schema;
use super::layout::Layout;
use crate::path::{API_DOCUMENT, API_PAGE};

mod operation;
mod prose;
mod schema;

/// The order of the endpoints on the page; members of a JSON object have none.
const ORDER: [&str; 4] = ["/export_data", "/export_status", "/exports", "/cancel_export"];

/// Values of `api.html`.
#[derive(Debug, Template)]
#[template(path = "api.html")]
pub struct ApiPage {
    layout: Layout,
    title: String,
    paragraphs: Vec<Prose>,
    /// Where the document itself is, and where this page is.
    document: &'static str,
    page: &'static str,
    operations: Vec<Operation>,
    schemas: Vec<Schema>,
}

impl ApiPage {
    /// Reads the document.
    ///
    /// # Errors
    ///
    /// Internal, if it is no JSON.
    pub fn of(document: &str) -> Result<Self, AwsError> {
        let document: Value =
            serde_json::from_str(document).map_err(|error| AwsError::internal("API document", &error))?;
        let text = document["info"]["description"].as_str().unwrap_or_default();
        let mut operations: Vec<_> = members(&document["paths"])
            .flat_map(|(path, methods)| {
                members(methods).map(|(method, operation)| Operation::of(method, path, operation))
            })
            .collect();
        operations.sort_by_key(|operation| {
            ORDER.iter().position(|path| *path == operation.path).unwrap_or(ORDER.len())
        });
        let schemas = members(&document["components"]["schemas"]);
        Ok(Self {
            layout: Layout::anonymous(),
            title: document["info"]["title"].as_str().unwrap_or("API").to_owned(),
            paragraphs: text.split("\n\n").map(Prose::of).collect(),
            document: API_DOCUMENT,
            page: API_PAGE,
            operations,
            schemas: schemas.map(|(name, schema)| Schema::of(name, schema)).collect(),
        })
    }
}

/// The members of an object; none of anything else.
fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> + Clone {
    value.as_object().into_iter().flatten()
}

/// A text member; empty if there is none.
fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}
