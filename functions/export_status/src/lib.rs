//! `GET /export_status` and `GET /exports`: the state of an export, its file, and the history of an organization's exports.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use lambda_http::http::{HeaderValue, Method, header};
use lambda_http::{Body, Request, RequestExt, Response};
use serde_json::{Value, json};
use usage_export::auth::{authenticate, authorize};
use usage_export::config::Sharing;
use usage_export::directory::{Directory, Member};
use usage_export::export::document::Document;
use usage_export::export::download::ExportFiles;
use usage_export::export::request::check_id;
use usage_export::export::store::Exports;
use usage_export::export::{DataExport, State, created_ts_of_id};
use usage_export::problem::{FieldError, Problem, RequestError};
use usage_export::rate_limit::RateLimit;

mod download;

/// What the handler needs for a request; made once at the start of the function.
pub struct Context {
    /// Where API keys and members are looked up.
    pub directory: Directory,
    /// How many requests a key may make.
    pub rate_limit: RateLimit,
    /// The table of exports.
    pub exports: Exports,
    /// The files of completed exports.
    pub files: ExportFiles,
    /// Whether administrators may have each other's files.
    pub sharing: Sharing,
}

/// Answers one request at `now`. A refusal is a problem document; see [`usage_export::problem`].
pub async fn handle(context: &Context, request: Request, now: DateTime<Utc>) -> Response<Body> {
    let request_id = request.lambda_context().request_id;
    let answered = if request.method() != Method::GET {
        Err(Problem::only_takes("GET").into())
    } else if request.uri().path().ends_with("/exports") {
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
    let key = authenticate(&context.directory, &context.rate_limit, request.headers(), now).await?;
    let query = Query { request, errors: Vec::new() };
    let (user_id, data_export_id, wanted) = query.status()?;
    let caller = authorize(&context.directory, &key, request.headers(), &user_id).await?;
    let export = context.exports.get_shared_with(&caller, &data_export_id, context.sharing).await?;
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
    let key = authenticate(&context.directory, &context.rate_limit, request.headers(), now).await?;
    let query = Query { request, errors: Vec::new() };
    let HistoryQuery { user_id, cursor, mine } = query.history()?;
    let caller = authorize(&context.directory, &key, request.headers(), &user_id).await?;
    let (organization_id, cursor) = (&caller.organization_id, cursor.as_deref());
    let (exports, next_cursor) = if mine {
        context.exports.history(organization_id, &caller.user_id, cursor).await?
    } else {
        context.exports.history_of_organization(organization_id, cursor).await?
    };
    let owners: BTreeSet<_> = exports.iter().map(|export| export.user_id.as_str()).collect();
    let members = context.directory.members(organization_id, owners).await?;
    let mut page =
        json!({"exports": exports.iter().map(|export| entry(export, &members)).collect::<Vec<_>>()});
    if let Some(next_cursor) = next_cursor {
        page["next_cursor"] = next_cursor.into();
    }
    Ok(json_response(&page))
}

/// An export with who asked for it.
fn entry(export: &DataExport, members: &BTreeMap<String, Member>) -> Value {
    let mut entry = export.to_json();
    entry["user_id"] = export.user_id.as_str().into();
    if let Some(member) = members.get(&export.user_id) {
        entry["user_email"] = member.email.as_str().into();
    }
    entry
}

/// The parameters of `GET /exports`.
struct HistoryQuery {
    user_id: String,
    cursor: Option<String>,
    /// Only exports of this user.
    mine: bool,
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
        let user_id = self.id("user_id");
        let data_export_id = self.id("data_export_id");
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

    fn history(mut self) -> Result<HistoryQuery, Problem> {
        let user_id = self.id("user_id");
        let mine = self.flag("mine");
        let cursor = self.value("cursor").filter(|cursor| !cursor.is_empty());
        if cursor.as_deref().is_some_and(|cursor| created_ts_of_id(cursor).is_none()) {
            self.errors.push(FieldError::new("cursor", "is not the next_cursor of an earlier page"));
        }
        match user_id {
            Some(user_id) if self.errors.is_empty() => Ok(HistoryQuery { user_id, cursor, mine }),
            _ => Err(Problem::fields(self.errors)),
        }
    }

    fn flag(&mut self, name: &str) -> bool {
        match self.value(name).as_deref() {
            None | Some("false") => false,
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

    fn id(&mut self, name: &str) -> Option<String> {
        let id = self.required(name)?;
        check_id(name, &id).map_err(|error| self.errors.push(error)).ok()?;
        Some(id)
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
