//! The document.

use serde_json::{Value, json};
use usage_export::problem::Problem;

mod examples;
mod operations;
mod responses;
mod schemas;

use schemas::Schemas;

/// What is said before the endpoints.
const DESCRIPTION: &str = "\
Exports an organization's usage records as CSV: start an export, ask how it stands, download its file. Every path is served at the \
root and under `/api/v1`.

A personal API key acts only as its owner; an organization key acts as any member that `user_id` names. That member must be an \
administrator, and the organization on the enterprise tier.

Errors are problem documents by RFC 9457. Where a field of the request is at fault, `errors` names it. The gateway bounds the \
requests of everybody together; what it refuses is a 429 with a body of its own.";

/// The whole document.
pub fn document() -> Value {
    let mut schemas = Schemas::default();
    let paths = operations::paths(&mut schemas);
    let problem = schemas.answer::<usage_export::problem::ProblemDocument<'_>>();
    debug_assert_eq!(problem["$ref"], responses::PROBLEM);
    let mut document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Usage data export",
            "version": "1",
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
            "description": DESCRIPTION,
        },
        "servers": [{ "url": "/" }, { "url": "/api/v1" }],
        "security": [{ "apiKey": [] }],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "apiKey": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "`Authorization: Bearer <api key>`",
                },
            },
            "schemas": schemas.into_components(),
        },
    });
    // Always in one order, also where a crate of the same build has serde_json keep that of the code.
    document.sort_all_objects();
    document
}

/// A refusal with the name that its example has.
type Refusal = (&'static str, Problem);
