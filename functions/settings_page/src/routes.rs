//! Which handler answers which path and method.

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use lambda_http::RequestExt as _;
use tower_http::CompressionLevel;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::SizeAbove;
use usage_export::problem::{Problem, RequestError};

use crate::error::PageError;
use crate::middleware::{finish, require_same_origin};
use crate::path::{API_DOCUMENT, API_PAGE, PAGE, is_of_page};
use crate::session::SignedIn;
use crate::state::AppState;

mod api;
mod assets;
mod audit;
mod exports;
mod filled;
mod form;
mod history;
mod saved;
mod sign_in;

/// Shorter responses, in bytes, are not compressed: they fit one packet as they are.
const MIN_GZIP_BYTES: u16 = 1400;

/// Every route of the page, with what happens to each request around its handler.
///
/// No limit of axum's is set to the length of a body: Lambda has it in memory already, and the handlers refuse or cut
/// what is too long for them.
pub fn router(state: Arc<AppState>) -> Router {
    let compression = CompressionLayer::new()
        .quality(CompressionLevel::Fastest)
        .compress_when(SizeAbove::new(MIN_GZIP_BYTES));
    forms(&state)
        .merge(pages())
        .merge(assets())
        .merge(api())
        .fallback(not_found)
        .method_not_allowed_fallback(async |_: Result<SignedIn, Response>| PageError::method_not_allowed())
        .layer(DefaultBodyLimit::disable())
        .layer(from_fn_with_state(Arc::clone(&state), finish))
        .layer(compression)
        .with_state(state)
}

/// Nothing is at this address: a page says so to people, and elsewhere a problem document to programs, because the gateway sends
/// this function every address that has no route. With the session, so that the error page has the head that the reader knows.
async fn not_found(_: Result<SignedIn, Response>, request: Request) -> Response {
    if is_of_page(request.uri().path()) {
        return PageError::not_found().into_response();
    }
    let detail = "There is nothing at this address. The API has /export_data, /export_status, /exports, /cancel_export and /audit.";
    let problem = Problem::new(StatusCode::NOT_FOUND, detail);
    let request_id =
        request.lambda_context_ref().map(|context| context.request_id.as_str()).unwrap_or_default();
    RequestError::from(problem).into_response(request_id).into_response()
}

/// Requests that change something. Each is taken from a page of the same origin only.
fn forms(state: &Arc<AppState>) -> Router<Arc<AppState>> {
    Router::new()
        .route(&on_page("/new"), post(form::submit))
        .route(&on_page("/new/preview"), post(form::preview))
        .route(&on_page("/saved"), post(saved::save))
        .route(&on_page("/saved/{id}/run"), post(saved::run))
        .route(&on_page("/saved/{id}/delete"), post(saved::delete))
        .route(&on_page("/exports/{data_export_id}/cancel"), post(exports::cancel))
        .route(&on_page("/sign_in"), post(sign_in::sign_in))
        .route(&on_page("/sign_out"), post(sign_in::sign_out))
        .route_layer(from_fn_with_state(Arc::clone(state), require_same_origin))
}

/// The page and its parts, for whoever is signed in.
fn pages() -> Router<Arc<AppState>> {
    Router::new()
        .route(PAGE, get(history::show))
        // Where a reload of a refused sign-in leads.
        .route(&on_page("/sign_in"), get(history::show))
        .route(&on_page("/history"), get(history::older))
        .route(&on_page("/changes"), get(history::changes))
        .route(&on_page("/audit"), get(audit::show))
        .route(&on_page("/audit/download"), get(audit::download))
        .route(&on_page("/new"), get(form::show))
        .route(&on_page("/new/presets"), get(form::presets))
        .route(&on_page("/workspaces"), get(form::workspaces))
        .route(&on_page("/exports/{data_export_id}"), get(exports::details))
        .route(&on_page("/exports/{data_export_id}/download"), get(exports::download))
        .route(&on_page("/exports/{data_export_id}/manifest"), get(exports::manifest))
}

/// Script and style sheet. They are compressed better than pages: a browser loads them once.
fn assets() -> Router<Arc<AppState>> {
    Router::new()
        .route(&on_page("/assets/{name}"), get(assets::asset))
        .route_layer(CompressionLayer::new().quality(CompressionLevel::Default))
}

/// What everybody can read of the API.
fn api() -> Router<Arc<AppState>> {
    Router::new().route(API_PAGE, get(api::page)).route(API_DOCUMENT, get(api::document))
}

fn on_page(path: &str) -> String {
    format!("{PAGE}{path}")
}
