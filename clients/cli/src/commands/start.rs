//! `usage-export start`: from the request to, with `--output`, the file.

use serde_json::{Value, json};
use uuid::Uuid;

use super::download::{save, shown};
use super::status::describe;
use super::wait::wait_until_final;
use crate::args::{FIELDS, StartOptions};
use crate::client::Client;
use crate::console::Console;
use crate::download::refuse_existing;
use crate::error::{Error, Kind};
use crate::interrupt;
use crate::text::Text;

pub fn start(client: &Client, console: Console, options: &StartOptions) -> Result<(), Error> {
    if let Some(output) = &options.output {
        // Before an export is started for nothing.
        refuse_existing(output, options.force)?;
    }
    let key = options.idempotency_key.clone().unwrap_or_else(|| Uuid::new_v4().to_string());
    let again = again(&key);
    console.note(&format!("Starting an export with the idempotency key {}", Text::from(key.as_str())));
    interrupt::advise(format!("Interrupted: the export may have been started. {again}"));
    let (id, mut document) = client.start(body(options), &key).map_err(|error| unsure(error, &key))?;
    document["idempotency_key"] = key.as_str().into();
    if !options.wait && options.output.is_none() {
        return console.result(&document, &id.to_string());
    }
    console.note(&format!("Export {id}"));
    let mut export = wait_until_final(client, console, &id, &options.waiting)?;
    export.document["idempotency_key"] = key.into();
    let outcome = export.must_be_completed();
    if let (Some(output), Ok(())) = (&options.output, &outcome) {
        save(client, console, &export, output, options.force)?;
        export.document["file"] = shown(output).into();
        return console.result(&export.document, &shown(output));
    }
    console.result(&export.document, &describe(&export))?;
    outcome
}

fn again(key: &str) -> String {
    format!("Should its answer be lost, repeat the command with --idempotency-key {}", Text::from(key))
}

/// Says how to find out whether the export was started, where that is not known.
fn unsure(mut error: Error, key: &str) -> Error {
    if error.kind == Kind::Unavailable {
        error.message = format!(
            "{} The export may have been started. {}: it never starts a second one.",
            error.message,
            again(key)
        );
    }
    error.idempotency_key = Some(key.to_owned());
    error
}

fn body(options: &StartOptions) -> Value {
    let fields: Vec<&str> = match options.fields.as_slice() {
        [] => FIELDS.to_vec(),
        fields => fields.iter().map(String::as_str).collect(),
    };
    let mut body = json!({
        "export_fields": fields,
        "start_date": options.start_date,
        "end_date": options.end_date,
        "include_all_workspaces": options.all_workspaces,
        "include_organization_workspaces": options.organization_workspaces,
        "include_personal_workspaces": options.personal_workspaces,
    });
    for (name, ids) in [("workspace_ids", &options.workspaces), ("entity_ids", &options.workbooks)] {
        if !ids.is_empty() {
            body[name] = json!(ids);
        }
    }
    body
}
