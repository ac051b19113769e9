//! The endpoints: what they take, what they answer, and how to call them from a shell.

use serde_json::{Map, Value, json};
use usage_export::audit::answer::Events;
use usage_export::export::answer::{Accepted, ExportAnswer, History};
use usage_export::export::document::Document;
use usage_export::export::manifest::Manifest;
use usage_export::export::request::{
    AuditParameters, CancelBody, ExportBody, HistoryParameters, MAX_BODY_BYTES, MAX_IDEMPOTENCY_KEY_BYTES,
    StatusParameters,
};
use usage_export::schema::UserId;

use super::responses::{self, add_refusals, json_response};
use super::schemas::{Schemas, parameter};
use super::{Refusal, examples};

/// The members of the examples, in the order in which people write them.
const ORDER: [&str; 6] =
    ["user_id", "data_export_id", "export_fields", "start_date", "end_date", "include_all_workspaces"];

/// The paths with their operations.
pub fn paths(schemas: &mut Schemas) -> Value {
    json!({
        "/export_data": { "post": export_data(schemas) },
        "/export_status": { "get": export_status(schemas) },
        "/exports": { "get": exports(schemas) },
        "/cancel_export": { "post": cancel_export(schemas) },
        "/audit": { "get": audit(schemas) },
    })
}

fn export_data(schemas: &mut Schemas) -> Value {
    let mut accepted =
        json_response("Taken in. It will be made", schemas.answer::<Accepted<'_>>(), examples::accepted());
    let named =
        json!({ "user_id": "$request.body#/user_id", "data_export_id": "$response.body#/data_export_id" });
    accepted["links"] = json!({
        "status": { "operationId": "exportStatus", "parameters": named },
        "cancel": { "operationId": "cancelExport", "requestBody": named },
    });
    let responses = responses_of(accepted, "POST", responses::of_export_data());
    let body = body(schemas.request::<ExportBody>(), examples::export_request());
    json!({
        "operationId": "exportData",
        "summary": "Start an export",
        "description": "The export is made in the background; an email says when it is ready.",
        "parameters": [idempotency_key(), acting_as(schemas)],
        "requestBody": body,
        "responses": responses,
        "x-codeSamples": [sample("Start an export", &post("export_data", &examples::export_request()))],
    })
}

fn export_status(schemas: &mut Schemas) -> Value {
    let kib = Document::MAX_INLINE_BYTES / 1024;
    let found = json!({
        "description": format!(
            "How the export stands; or its file or manifest, of up to {kib} KiB. `Content-Disposition` then names it"
        ),
        "headers": {
            "Content-Disposition": { "description": "Of a file or a manifest", "schema": { "type": "string" } },
        },
        "content": {
            "application/json": {
                "schema": { "anyOf": [schemas.answer::<ExportAnswer<'_>>(), schemas.answer::<Manifest>()] },
                "examples": {
                    "export": { "summary": "How it stands", "value": examples::completed() },
                    "manifest": { "summary": "Its manifest", "value": examples::manifest() },
                },
            },
            "text/csv": { "schema": { "type": "string" } },
        },
    });
    let mut responses = responses_of(found, "GET", responses::of_export_status());
    responses["302"] = json!({
        "description": "The file or manifest is larger. Follow the redirect at once: the URL lives for minutes",
        "headers": {
            "Location": {
                "required": true,
                "description": "A presigned URL of S3, which needs no API key",
                "schema": { "type": "string", "format": "uri" },
            },
        },
    });
    let mut parameters = schemas.query::<StatusParameters>();
    parameters.push(acting_as(schemas));
    let address = "\"$API/export_status?user_id=$USER_ID&data_export_id=$ID";
    json!({
        "operationId": "exportStatus",
        "summary": "How an export stands, its file, or its manifest",
        "parameters": parameters,
        "responses": responses,
        "x-codeSamples": [
            sample("How it stands", &get(&format!("curl -s {address}\""))),
            sample("Download the file", &get(&format!("curl -sL {address}&download=true\""))),
            sample("Download its manifest", &get(&format!("curl -sL {address}&manifest=true\""))),
        ],
    })
}

fn exports(schemas: &mut Schemas) -> Value {
    let mut page = json_response("A page of exports", schemas.answer::<History<'_>>(), examples::history());
    page["links"] = json!({
        "next": {
            "operationId": "exports",
            "parameters": { "user_id": "$request.query.user_id", "cursor": "$response.body#/next_cursor" },
        },
        "status": {
            "operationId": "exportStatus",
            "parameters": {
                "user_id": "$request.query.user_id",
                "data_export_id": "$response.body#/exports/0/data_export_id",
            },
        },
    });
    let mut parameters = schemas.query::<HistoryParameters>();
    parameters.push(acting_as(schemas));
    let source = get("curl -s \"$API/exports?user_id=$USER_ID\"");
    json!({
        "operationId": "exports",
        "summary": "The history, newest first",
        "description": "The exports of the organization with who asked for each, or the caller's own.",
        "parameters": parameters,
        "responses": responses_of(page, "GET", responses::of_exports()),
        "x-codeSamples": [sample("The newest exports", &source)],
    })
}

fn audit(schemas: &mut Schemas) -> Value {
    let mut page = json_response(
        "A page of events, or all of a time as CSV",
        schemas.answer::<Events<'_>>(),
        examples::events(),
    );
    page["content"]["text/csv"] = json!({ "schema": { "type": "string" } });
    page["headers"] = json!({
        "Content-Disposition": { "description": "Of a file", "schema": { "type": "string" } },
    });
    page["links"] = json!({
        "next": {
            "operationId": "audit",
            "parameters": { "user_id": "$request.query.user_id", "cursor": "$response.body#/next_cursor" },
        },
    });
    let mut parameters = schemas.query::<AuditParameters>();
    parameters.push(acting_as(schemas));
    let address = "\"$API/audit?user_id=$USER_ID";
    json!({
        "operationId": "audit",
        "summary": "Who did what, newest first",
        "description": "Who asked for exports of the organization, downloaded, cancelled and was refused, when and from where. Nobody \
                        can change an event.",
        "parameters": parameters,
        "responses": responses_of(page, "GET", responses::of_audit()),
        "x-codeSamples": [
            sample("The newest events", &get(&format!("curl -s {address}\""))),
            sample("Events of an export", &get(&format!("curl -s {address}&data_export_id=$ID\""))),
            sample(
                "A month as CSV",
                &get(&format!("curl -s {address}&start_date=2025-01-01&end_date=2025-01-31&download=true\"")),
            ),
        ],
    })
}

fn cancel_export(schemas: &mut Schemas) -> Value {
    let cancelled = json_response("Cancelled", schemas.answer::<ExportAnswer<'_>>(), examples::cancelled());
    json!({
        "operationId": "cancelExport",
        "summary": "Cancel an unfinished export",
        "description": "The export becomes FAILED with the error `cancelled`. A worker that makes its file stops within seconds. A repeat \
                        gets the same answer.",
        "parameters": [acting_as(schemas)],
        "requestBody": body(schemas.request::<CancelBody>(), examples::cancel_request()),
        "responses": responses_of(cancelled, "POST", responses::of_cancel_export()),
        "x-codeSamples": [sample("Cancel an export", &post("cancel_export", &examples::cancel_request()))],
    })
}

fn responses_of(success: Value, method: &'static str, own: Vec<Refusal>) -> Value {
    let mut responses = Map::from_iter([("200".to_owned(), success)]);
    add_refusals(&mut responses, method, own);
    responses.into()
}

fn body(schema: Value, example: Value) -> Value {
    json!({
        "required": true,
        "description": format!("JSON of at most {} KiB, not compressed.", MAX_BODY_BYTES / 1024),
        "content": { "application/json": { "schema": schema, "example": example } },
    })
}

fn idempotency_key() -> Value {
    let schema = json!({
        "type": "string",
        "minLength": 1,
        "maxLength": MAX_IDEMPOTENCY_KEY_BYTES,
        "pattern": "^[!-~]([ -~]*[!-~])?$",
        "description": "A repeat with the same key and body gets the first answer for 24 hours.",
    });
    parameter("header", "Idempotency-Key", false, schema)
}

fn acting_as(schemas: &mut Schemas) -> Value {
    let mut schema = schemas.request::<UserId>();
    schema["description"] = "May repeat `user_id`; another one is refused.".into();
    parameter("header", "x-auth-key", false, schema)
}

fn sample(label: &str, source: &str) -> Value {
    json!({ "lang": "Shell", "label": label, "source": source })
}

fn get(request: &str) -> String {
    format!("{request} \\\n  -H \"Authorization: Bearer $KEY\"")
}

/// A command that sends the example with the user and the export of the shell's variables.
fn post(endpoint: &str, example: &Value) -> String {
    let members = ORDER.iter().filter_map(|name| Some((name, example.get(name)?))).map(|(name, value)| {
        let value = match *name {
            "user_id" => "\"'\"$USER_ID\"'\"".to_owned(),
            "data_export_id" => "\"'\"$ID\"'\"".to_owned(),
            _ => value.to_string(),
        };
        format!("    \"{name}\": {value}")
    });
    let body = members.collect::<Vec<_>>().join(",\n");
    let headers = "  -H \"Authorization: Bearer $KEY\" -H \"Content-Type: application/json\" \\\n";
    format!("curl -s \"$API/{endpoint}\" \\\n{headers}  -d '{{\n{body}\n  }}'")
}
