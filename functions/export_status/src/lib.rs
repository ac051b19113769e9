//! `GET /export_status` and `GET /exports`: the state of an export, its file, and the history of a user's exports.

use chrono::{DateTime, Utc};
use lambda_http::http::{HeaderValue, header};
use lambda_http::{Body, Request, RequestExt, Response};
use serde_json::{Value, json};
use usage_export::auth::{authenticate, authorize};
use usage_export::directory::Directory;
use usage_export::export::document::Document;
use usage_export::export::download::ExportFiles;
use usage_export::export::store::Exports;
use usage_export::export::{DataExport, State, created_ts_of_id};
use usage_export::problem::{FieldError, Problem, RequestError};

mod download;

/// What the handler needs for a request; made once at the start of the function.
pub struct Context {
    /// Where API keys and members are looked up.
    pub directory: Directory,
    /// The table of exports.
    pub exports: Exports,
    /// The files of completed exports.
    pub files: ExportFiles,
}

/// Answers one request at `now`. A refusal is a problem document; see [`usage_export::problem`].
pub async fn handle(context: &Context, request: Request, now: DateTime<Utc>) -> Response<Body> {
    let request_id = request.lambda_context().request_id;
    let answered = if request.uri().path().ends_with("/exports") {
        history(context, &request, now).await
    } else {
        status(context, &request, now).await
    };
    answered.unwrap_or_else(|error| error.into_response(&request_id).map(Body::from))
}

async fn status(
    context: &Context,
    request: &Request,
    now: DateTime<Utc>,
) -> Result<Response<Body>, RequestError> {
    let key = authenticate(&context.directory, request.headers(), now).await?;
    let query = Query { request, errors: Vec::new() };
    let (user_id, data_export_id, wanted) = query.status()?;
    let caller = authorize(&context.directory, &key, request.headers(), &user_id).await?;
    let export = context.exports.get_owned_by(&caller, &data_export_id).await?;
    let document = match wanted {
        Wanted::File if export.state == State::Completed => Document::file(&export, now)?,
        Wanted::Manifest if export.state == State::Completed => Document::manifest(&export, now)?,
        _ => return Ok(json_response(&export.to_json())),
    };
    download::answer(&context.files, &document).await
}

async fn history(
    context: &Context,
    request: &Request,
    now: DateTime<Utc>,
) -> Result<Response<Body>, RequestError> {
    let key = authenticate(&context.directory, request.headers(), now).await?;
    let query = Query { request, errors: Vec::new() };
    let (user_id, cursor) = query.history()?;
    let caller = authorize(&context.directory, &key, request.headers(), &user_id).await?;
    let (exports, next_cursor) =
        context.exports.history(&caller.organization_id, &caller.user_id, cursor.as_deref()).await?;
    let exports: Vec<_> = exports.iter().map(DataExport::to_json).collect();
    let mut page = json!({"exports": exports});
    if let Some(next_cursor) = next_cursor {
        page["next_cursor"] = next_cursor.into();
    }
    Ok(json_response(&page))
}

/// What a caller wants to know of an export.
#[derive(Debug, Clone, Copy)]
enum Wanted {
    Status,
    File,
    Manifest,
}

/// Reads the parameters of a request and collects what is wrong with them.
struct Query<'a> {
    request: &'a Request,
    errors: Vec<FieldError>,
}

impl Query<'_> {
    fn status(mut self) -> Result<(String, String, Wanted), Problem> {
        let user_id = self.required("user_id");
        let data_export_id = self.required("data_export_id");
        let wanted = match (self.flag("download"), self.flag("manifest")) {
            (false, false) => Wanted::Status,
            (true, false) => Wanted::File,
            (false, true) => Wanted::Manifest,
            (true, true) => {
                self.errors
                    .push(FieldError::new("manifest", "cannot be true together with download: ask twice"));
                Wanted::Status
            }
        };
        match (user_id, data_export_id) {
            (Some(user_id), Some(data_export_id)) if self.errors.is_empty() => {
                Ok((user_id, data_export_id, wanted))
            }
            _ => Err(Problem::fields(self.errors)),
        }
    }

    fn history(mut self) -> Result<(String, Option<String>), Problem> {
        let user_id = self.required("user_id");
        let cursor = self.value("cursor").filter(|cursor| !cursor.is_empty());
        if cursor.as_deref().is_some_and(|cursor| created_ts_of_id(cursor).is_none()) {
            self.errors.push(FieldError::new("cursor", "is not the next_cursor of an earlier page"));
        }
        match user_id {
            Some(user_id) if self.errors.is_empty() => Ok((user_id, cursor)),
            _ => Err(Problem::fields(self.errors)),
        }
    }

    fn flag(&mut self, name: &str) -> bool {
        match self.value(name).as_deref() {
            None | Some("" | "false") => false,
            Some("true") => true,
            Some(_) => {
                self.errors.push(FieldError::new(name, "must be true or false"));
                false
            }
        }
    }

    fn value(&self, name: &str) -> Option<String> {
        self.request.query_string_parameters_ref()?.first(name).map(str::to_owned)
    }

    fn required(&mut self, name: &str) -> Option<String> {
        let value = self.value(name).filter(|value| !value.trim().is_empty());
        if value.is_none() {
            self.errors.push(FieldError::new(name, "is required"));
        }
        value
    }
}

fn json_response(body: &Value) -> Response<Body> {
    let mut response = Response::new(Body::from(body.to_string()));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
