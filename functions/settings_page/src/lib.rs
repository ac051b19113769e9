//! `/settings/organization/data_export`: the page where people start exports and find them again.

use std::time::Instant;

use chrono::{DateTime, Utc};
use lambda_http::http::{StatusCode, header};
use lambda_http::{Body, Request, RequestExt, Response};
use usage_export::auth::{Caller, resume_session};
use usage_export::directory::Directory;
use usage_export::export::download::ExportFiles;
use usage_export::export::store::Exports;
use usage_export::export::submit::Submitter;
use usage_export::problem::{Problem, RequestError};

pub mod assets;
mod cookie;
mod day;
mod exports;
mod form;
mod history;
mod origin;
mod page;
mod respond;
mod route;
mod sign_in;
mod submit;

use cookie::SessionCookie;
use route::Route;

/// What the handler borrows.
pub struct Context {
    /// Keys, sessions, members, workspaces.
    pub directory: Directory,
    /// The exports.
    pub exports: Exports,
    /// Where exports are taken in.
    pub submitter: Submitter,
    /// Their files.
    pub files: ExportFiles,
    /// Where people see the page, such as `https://app.example.com`.
    pub origin: String,
}

impl Context {
    fn cookie(&self) -> SessionCookie {
        SessionCookie::of_origin(&self.origin)
    }
}

/// Answers one request. `now` is its time.
pub async fn handle(context: &Context, request: Request, now: DateTime<Utc>) -> Response<Body> {
    let began = Instant::now();
    let request_id = request.lambda_context().request_id;
    let path = request.raw_http_path().to_owned();
    let route = Route::of(request.method(), &path);
    if let Route::Asset(name) = route
        && let Some(asset) = assets::answer(name, request.headers())
    {
        return asset;
    }
    let answered = answer(context, &request, route, now).await;
    let response = answered.unwrap_or_else(|error| respond::error(error, &request_id, is_fragment(&request)));
    let secure = context.origin.starts_with("https://");
    let mut response = respond::finish(response, request.headers(), secure);
    respond::insert_timing(&mut response, began.elapsed());
    response
}

async fn answer(
    context: &Context,
    request: &Request,
    route: Route<'_>,
    now: DateTime<Utc>,
) -> Result<Response<Body>, RequestError> {
    match route {
        Route::Unknown | Route::Asset(_) => {
            return Err(Problem::new(StatusCode::NOT_FOUND, "There is no page at this address.").into());
        }
        Route::WrongMethod => {
            let detail = "This address does not take that kind of request.";
            return Err(Problem::new(StatusCode::METHOD_NOT_ALLOWED, detail).into());
        }
        Route::Submit | Route::SignIn | Route::SignOut => origin::check(&context.origin, request.headers())?,
        _ => {}
    }
    match route {
        Route::SignIn => return sign_in::sign_in(context, request, now).await,
        Route::SignOut => return sign_in::sign_out(context, request, now).await,
        _ => {}
    }
    let token = context.cookie().token(request.headers());
    let caller = match token {
        Some(token) => resume_session(&context.directory, token, now).await?,
        None => None,
    };
    match caller {
        Some(caller) => signed_in(context, request, &caller, route, now).await,
        None if is_fragment(request) => Ok(reload()),
        None => sign_in::ask(request, token.is_some()),
    }
}

async fn signed_in(
    context: &Context,
    request: &Request,
    caller: &Caller,
    route: Route<'_>,
    now: DateTime<Utc>,
) -> Result<Response<Body>, RequestError> {
    match route {
        Route::Submit => submit::submit(context, request, caller, now).await,
        Route::Older => exports::older(context, request, caller, now).await,
        Route::Row(id) => exports::row(context, caller, id, now).await,
        Route::Progress(id) => exports::progress(context, caller, id, now).await,
        Route::Details(id) => exports::details(context, caller, id, is_fragment(request), now).await,
        Route::Download(id) => exports::download(context, caller, id, now).await,
        _ => page::show(context, request, caller, now).await,
    }
}

/// Whether htmx asks for a part of the page.
fn is_fragment(request: &Request) -> bool {
    request.headers().contains_key("hx-request")
}

/// Makes htmx load the whole page again, which then asks to sign in.
fn reload() -> Response<Body> {
    let mut response = Response::new(Body::Empty);
    *response.status_mut() = StatusCode::UNAUTHORIZED;
    respond::insert(response.headers_mut(), header::HeaderName::from_static("hx-refresh"), "true");
    response
}

/// A parameter of the query.
fn query<'a>(request: &'a Request, name: &str) -> Option<std::borrow::Cow<'a, str>> {
    let query = request.uri().query()?;
    form_urlencoded::parse(query.as_bytes()).find(|(found, _)| found == name).map(|(_, value)| value)
}
