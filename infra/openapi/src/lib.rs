//! The API document, OpenAPI 3.1. Schemas come from the types of `usage_export`, limits from its constants, and what callers are told
//! from its refusals and parsers: so the document says what the functions do. `cargo xtask openapi` writes it.
//!
//! | module       | has                                                     |
//! | ------------ | ------------------------------------------------------- |
//! | [`mod@document`] | the document: operations, responses, schemas, examples  |
//! | [`yaml`]     | its text for people                                     |

use serde_json::Value;

pub mod document;
pub mod yaml;

pub use document::document;

/// A file of the repository, and how its text is made of the document.
pub type File = (&'static str, fn(&Value) -> String);

/// Where the document is kept, in the repository: for people, and for the settings page, which serves it.
pub const FILES: [File; 2] = [
    ("docs/openapi.yaml", yaml::to_text),
    ("functions/settings_page/openapi.json", |document| format!("{document}\n")),
];

/// The command that writes the document.
pub const COMMAND: &str = "cargo xtask openapi";
