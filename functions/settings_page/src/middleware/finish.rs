//! The end of every response: errors become pages, security headers are added, and `Server-Timing` where it is asked for.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::{Request, State};
use axum::http::header::{self, HeaderName};
use axum::http::{HeaderMap, HeaderValue};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use lambda_http::RequestExt as _;
use lambda_http::request::RequestContext;
use usage_export::audit::event::Via;
use usage_export::auth::Caller;
use usage_export::auth::attempt::Attempt;
use usage_export::problem::RequestError;

use crate::error::PageError;
use crate::response::{RenderTime, html};
use crate::session::Reader;
use crate::state::AppState;
use crate::views::error::ErrorPage;

/// Allows the page's own files and nothing else: no inline script or style, no other host, no frame around the page, and no
/// script that makes HTML of text.
/// <https://developer.mozilla.org/en-US/docs/Web/HTTP/Reference/Headers/Content-Security-Policy/require-trusted-types-for>
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
     connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; \
     require-trusted-types-for 'script'; trusted-types 'none'";

/// Switches off what the page does not use. The clipboard takes the checksum of a file.
const PERMISSIONS_POLICY: &str = "accelerometer=(), autoplay=(), browsing-topics=(), camera=(), \
     clipboard-read=(), clipboard-write=(self), display-capture=(), encrypted-media=(), fullscreen=(), geolocation=(), \
     gyroscope=(), hid=(), identity-credentials-get=(), idle-detection=(), magnetometer=(), microphone=(), midi=(), \
     payment=(), picture-in-picture=(), publickey-credentials-get=(), screen-wake-lock=(), serial=(), storage-access=(), \
     usb=(), xr-spatial-tracking=()";

/// Headers of every response.
const SECURITY_HEADERS: [(HeaderName, &str); 6] = [
    (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    // `no-referrer` would make browsers hide the origin of the page's own POSTs, which `require_same_origin` needs.
    (header::REFERRER_POLICY, "same-origin"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (HeaderName::from_static("permissions-policy"), PERMISSIONS_POLICY),
];

/// Makes browsers use TLS only, for one year.
const STRICT_TRANSPORT_SECURITY: &str = "max-age=31536000";

/// A request that has this header is answered with `Server-Timing`. Others are not told how long the server works.
const TIMING: HeaderName = HeaderName::from_static("x-server-timing");

const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");

/// Runs the handler and finishes its response.
pub async fn finish(State(state): State<Arc<AppState>>, mut request: Request, next: Next) -> Response {
    let began = Instant::now();
    let request_id =
        request.lambda_context_ref().map(|context| context.request_id.clone()).unwrap_or_default();
    let wants_timing = request.headers().contains_key(TIMING);
    let reader = Reader::default();
    request.extensions_mut().insert(reader.clone());
    let attempt = Arc::new(attempt(&state, &request));
    request.extensions_mut().insert(Arc::clone(&attempt));
    let mut response = next.run(request).await;
    if let Some(error) = PageError::take(&mut response) {
        if let RequestError::Refused(problem) = &error.0 {
            attempt.record_refusal(state.audit_trail(), problem).await;
        }
        response = error_response(error, &request_id, reader.caller());
    }
    let RenderTime(render) = response.extensions().get().copied().unwrap_or_default();
    let headers = response.headers_mut();
    add_security_headers(headers, state.is_secure());
    // Assets bring their own.
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    if wants_timing {
        add_timing(headers, render, began.elapsed());
    }
    response
}

/// The request, for the audit trail.
fn attempt(state: &AppState, request: &Request) -> Attempt {
    let source_ip = match request.request_context_ref() {
        Some(RequestContext::ApiGatewayV2(context)) => context.http.source_ip.as_deref(),
        _ => None,
    };
    Attempt::new(Via::Page, request.method(), request.uri().path(), request.headers(), source_ip, state.now())
}

/// A page that says what went wrong. The script takes its text out of it.
fn error_response(PageError(error): PageError, request_id: &str, reader: Option<&Caller>) -> Response {
    let problem = error.into_problem(request_id);
    let page = html(problem.status, &ErrorPage::new(&problem, request_id, reader));
    let mut response = page.unwrap_or_else(|_| (problem.status, problem.detail.clone()).into_response());
    if let Some(seconds) = problem.retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

fn add_security_headers(headers: &mut HeaderMap, secure: bool) {
    for (name, value) in SECURITY_HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if secure {
        headers
            .insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static(STRICT_TRANSPORT_SECURITY));
    }
}

/// Tells in milliseconds how long rendering took, and the whole request up to compression. Browsers show it in their
/// network panel. <https://developer.mozilla.org/docs/Web/HTTP/Reference/Headers/Server-Timing>
fn add_timing(headers: &mut HeaderMap, render: Duration, total: Duration) {
    let ms = |time: Duration| time.as_secs_f64() * 1000.0;
    let timing = format!("render;dur={:.2}, total;dur={:.2}", ms(render), ms(total));
    headers.extend(HeaderValue::try_from(timing).ok().map(|value| (SERVER_TIMING, value)));
}
