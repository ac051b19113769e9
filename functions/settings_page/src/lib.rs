//! `/settings/organization/data_export`: the page where people start exports and find them again.
//!
//! An axum router answers the requests. From the outside in:
//!
//! | module       | does                                                                                          |
//! | ------------ | --------------------------------------------------------------------------------------------- |
//! | `routes`     | which handler answers which path, and the handlers: a file for each group of routes           |
//! | `middleware` | what happens around every handler: same-origin check, error pages, security headers           |
//! | `session`    | the session cookie, and `SignedIn`, the argument of handlers that keeps everybody else out    |
//! | `form`       | the export form: what was typed, what is wrong with it, the request that it makes             |
//! | `views`      | what the templates are filled with                                                            |
//! | `assets`     | the script and the style sheet                                                                |

use std::sync::Arc;

use axum::Router;
use tower_http::normalize_path::NormalizePath;

mod assets;
mod day;
mod error;
mod filter;
mod form;
mod middleware;
mod path;
mod request;
mod response;
mod routes;
mod session;
mod state;
mod time_zone;
mod views;

pub use state::AppState;

/// The service that answers every request of the page. A trailing slash of a path makes no difference.
pub fn service(state: AppState) -> NormalizePath<Router> {
    NormalizePath::trim_trailing_slash(routes::router(Arc::new(state)))
}
